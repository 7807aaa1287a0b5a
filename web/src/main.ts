/** The page: takes a photograph, has it answered where the person wants it, shows the answer. */

import "./style.css";
import type { Answer, BundleInfo } from "./answer";
import { openDevice } from "./device/device";
import { keepOffline, type Kept } from "./device/offline";
import { EngineError, type Engine } from "./engine";
import { openServer, type Server } from "./server";
import { answerSections } from "./view/answer";
import { licence, markdown } from "./view/card";
import { byId, inputOf } from "./view/dom";
import { PersonFields } from "./view/person";
import { PhotographField, type Shown } from "./view/photograph";
import { clearProblem, showProblem, type Way } from "./view/problem";
import { headline, megabytes, sentence } from "./view/wording";

type Place = "device" | "server";

const BASE = document.baseURI;
const REMEMBERED = "melanoscope-where";
const RUNTIME = 14_300_000; // bytes of ONNX Runtime's WebAssembly, which comes with the network

class App {
  private photograph: Shown | null = null;
  private bundle: BundleInfo | null = null;
  private server: Promise<Server> | null = null;
  private device: Promise<Engine> | null = null;
  private deviceShare: (share: number) => void = () => undefined;
  private asking: AbortController | null = null;
  private readonly field = new PhotographField((shown) => this.changePhotograph(shown));
  private readonly person = new PersonFields(() => this.markStale());

  start(): void {
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.ask(false);
    });
    byId("cancel").addEventListener("click", () => this.asking?.abort());
    for (const one of places()) {
      one.addEventListener("change", () => {
        remember(one.value);
        this.markStale();
      });
    }
    recall();
    for (const event of ["online", "offline"]) {
      window.addEventListener(event, () => {
        this.showConnection();
        if (this.bundle === null) void this.introduce();
      });
    }
    this.showConnection();
    void this.introduce();
    keepOffline(new URL("sw.js", BASE), {
      kept: showKept,
      update: (apply) => {
        byId("renewed").hidden = false;
        byId("renew").addEventListener("click", apply, { once: true });
      },
    });
  }

  /** Say which network answers. */
  private async introduce(): Promise<void> {
    try {
      const { bundle } = await this.openServer();
      this.bundle = bundle;
      clearProblem();
      introduceBundle(bundle);
      this.person.suit(bundle.record);
    } catch (error) {
      showProblem(error, [{ text: "Try again", go: () => void this.introduce() }]);
    }
  }

  private changePhotograph(shown: Shown | null): void {
    this.asking?.abort();
    this.photograph = shown;
    clearProblem();
    byId("answer").hidden = true;
    byId("answer").replaceChildren();
    byId("stale").hidden = true;
    byId("before").hidden = false;
    if (shown === null) return;
    announce("Photograph chosen.");
    // The network arrives while age, sex and site are being filled in.
    if (place() === "device") this.openDevice().catch(() => undefined);
  }

  private markStale(): void {
    byId("stale").hidden = byId("answer").hidden;
  }

  private async ask(force: boolean): Promise<void> {
    if (this.asking !== null) return;
    if (this.photograph === null) {
      this.field.complain("Choose a photograph first.");
      inputOf("file").focus();
      return;
    }
    const person = this.person.read();
    if (person === null) return;
    const asking = new AbortController();
    this.asking = asking;
    const where = place();
    clearProblem();
    this.work(where === "device" ? "Getting the network ready ..." : "Sending the photograph ...");
    try {
      const engine = await unlessStopped(this.engine(where), asking.signal);
      this.work(where === "device" ? "Looking at the photograph ..." : "The server is looking at the photograph ...");
      const start = performance.now();
      const { file } = this.photograph;
      const answer = await engine.diagnose(file, person, { force, signal: asking.signal });
      this.rest();
      this.show(answer, engine, (performance.now() - start) / 1000);
    } catch (error) {
      this.rest();
      if (asking.signal.aborted) announce("Stopped.");
      else this.fail(error, where, force);
    }
  }

  private rest(): void {
    this.asking = null;
    this.work(null);
  }

  private engine(where: Place): Promise<Engine> {
    return where === "device" ? this.openDevice() : this.openServer();
  }

  private openServer(): Promise<Server> {
    if (this.server === null) {
      this.server = openServer(BASE);
      // What did not work may work the next time.
      this.server.catch(() => void (this.server = null));
    }
    return this.server;
  }

  private openDevice(): Promise<Engine> {
    if (this.device === null) {
      this.device = openDevice(BASE, { progress: (share) => this.deviceShare(share) });
      this.device.catch(() => void (this.device = null));
    }
    return this.device;
  }

  private show(answer: Answer, engine: Engine, seconds: number): void {
    const { photograph } = this;
    if (photograph === null) return;
    const sections = answerSections({
      answer,
      bundle: engine.bundle,
      place: engine.place,
      square: photograph.square,
      seconds,
      explain: (baseline, progress, signal) =>
        engine.explain(photograph.file, { method: "gradients", baseline, progress, signal }),
      force: () => void this.ask(true),
    });
    byId("before").hidden = true;
    byId("stale").hidden = true;
    byId("answer").replaceChildren(...sections);
    byId("answer").hidden = false;
    announce(headline(answer));
    const heading = byId("answer-heading");
    heading.focus({ preventScroll: true });
    const { top } = heading.getBoundingClientRect();
    const seen = top > byId("notice").offsetHeight && top < innerHeight / 3;
    if (!seen) byId("answer").scrollIntoView({ block: "start" });
  }

  private fail(error: unknown, where: Place, force: boolean): void {
    const ways: Way[] = [];
    const kind = error instanceof EngineError ? error.kind : "internal";
    if (kind === "photograph") {
      ways.push({ text: "Choose another photograph", go: () => inputOf("file").click() });
    } else if (kind !== "person") {
      ways.push({ text: "Try again", go: () => void this.ask(force) });
    }
    const elsewhere = (to: Place, text: string): void =>
      void ways.push({
        text,
        go: () => {
          choosePlace(to);
          void this.ask(force);
        },
      });
    if (where === "device" && kind !== "person" && navigator.onLine) {
      elsewhere("server", "Send the photograph to the server");
    }
    if (where === "server" && (kind === "network" || kind === "busy")) {
      elsewhere("device", "Compute on this device");
    }
    showProblem(error, ways);
  }

  /** Say what is being done; null when nothing is. */
  private work(text: string | null): void {
    const busy = text !== null;
    const submit = byId<HTMLButtonElement>("submit");
    submit.setAttribute("aria-disabled", String(busy));
    byId("ask").setAttribute("aria-busy", String(busy));
    byId("working").hidden = byId("cancel").hidden = !busy;
    byId("working-text").textContent = text ?? "";
    const bar = byId<HTMLProgressElement>("working-share");
    bar.removeAttribute("value");
    this.deviceShare = (share) => {
      if (busy && share < 1) bar.value = share;
      else bar.removeAttribute("value");
    };
    if (busy) announce(text);
  }

  private showConnection(): void {
    byId("unconnected").hidden = navigator.onLine;
    byId("unconnected-text").textContent =
      "What this device has kept still answers; the server does not.";
  }
}

function introduceBundle({ record, card }: BundleInfo): void {
  const { network, data, metrics, files, graphs } = record;
  const auroc = metrics["auroc"];
  const text =
    `${network.label}, made from ${data.photographs.toLocaleString("en-GB")} archived photographs` +
    (auroc === undefined ? "." : `; AUROC ${auroc.estimate.toFixed(2)} on held-out ones.`);
  byId("asking").textContent = text;
  byId("asking").hidden = false;
  byId("simulated").hidden = !data.simulated;
  const bytes = files[graphs["model"]?.file ?? ""]?.bytes;
  byId("device-hint").textContent =
    "The photograph never leaves it." +
    (bytes === undefined ? "" : ` Network and runtime come here once (${megabytes(bytes + RUNTIME)}).`);
  byId("card-text").replaceChildren(...markdown(card));
  byId("card").hidden = false;
  byId("licence-text").replaceChildren(...licence(record));
  byId("licence").hidden = false;
}

function showKept(state: Kept): void {
  byId("kept").textContent = {
    unsupported: "",
    loading: "Keeping page and network for the time without a connection ...",
    ready: "Page and network are kept on this device: it answers without a connection, too.",
    failed: "Page and network could not be kept on this device for the time without a connection.",
  }[state];
}

function places(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>("input[name='where']")];
}

function place(): Place {
  return places().find((one) => one.checked)?.value === "server" ? "server" : "device";
}

function choosePlace(wanted: string): void {
  for (const one of places()) one.checked = one.value === wanted;
  remember(wanted);
}

/** Remember where to compute, and nothing about the person. */
function remember(wanted: string): void {
  try {
    localStorage.setItem(REMEMBERED, wanted);
  } catch {
    // Some browsers forbid it; then it is asked anew.
  }
}

function recall(): void {
  try {
    const wanted = localStorage.getItem(REMEMBERED);
    if (wanted === "server" || wanted === "device") choosePlace(wanted);
  } catch {
    // As above.
  }
}

function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    signal.addEventListener("abort", () => failed(signal.reason), { once: true });
    promise.then(done, failed);
  });
}

function announce(text: string): void {
  byId("announced").textContent = sentence(text);
}

new App().start();
