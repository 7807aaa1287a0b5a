/** The switch between computing on the device and on the server, with what is known of the device. */

import type { BundleManifest } from "../answer";
import type { Kept } from "../device/offline";
import { byId } from "./dom";
import { megabytes } from "./phrases";

/** Where answers are computed. */
export type Place = "device" | "server";

const REMEMBERED = "melanoscope-where";
// Compressed bytes of ONNX Runtime's WebAssembly, which comes with the network.
const RUNTIME = 3_700_000;

/** The switch; remembers the choice on this device. */
export class PlaceSwitch {
  private readonly choices = [
    ...document.querySelectorAll<HTMLInputElement>("input[name='where']"),
  ];

  constructor(changed: () => void) {
    for (const one of this.choices) {
      one.addEventListener("change", () => {
        remember(one.value);
        changed();
      });
    }
    const before = recalled();
    if (before !== null) this.choose(before);
  }

  get place(): Place {
    return this.choices.find((one) => one.checked)?.value === "server" ? "server" : "device";
  }

  choose(place: Place): void {
    for (const one of this.choices) one.checked = one.value === place;
    remember(place);
  }
}

/** Show how much the device downloads before it can answer and explain. */
export function showSize({ files, graphs }: BundleManifest): void {
  const bytes = (["model", "gradient"] as const).map(
    (one) => files[graphs[one]?.file ?? ""]?.bytes ?? 0,
  );
  const all = bytes.reduce((before, one) => before + one, RUNTIME);
  byId("device-hint").textContent =
    `The photograph never leaves it. Network and runtime come here once (${megabytes(all)}).`;
}

/** Show whether page and network are kept for the time without a connection. */
export function showKept(state: Kept): void {
  byId("kept").textContent = {
    unsupported: "",
    loading: "Keeping page and network for the time without a connection ...",
    ready: "Page and network are kept on this device: it answers without a connection, too.",
    failed: "Page and network could not be kept on this device for the time without a connection.",
  }[state];
}

/** Remember the chosen place; nothing else is kept. */
function remember(place: string): void {
  try {
    localStorage.setItem(REMEMBERED, place);
  } catch {
    // Some browsers forbid it; then it is asked anew.
  }
}

function recalled(): Place | null {
  try {
    const place = localStorage.getItem(REMEMBERED);
    return place === "server" || place === "device" ? place : null;
  } catch {
    return null;
  }
}
