/** Where in the photograph the answer comes from: evidence of each place, Integrated Gradients. */

import { BASELINES, type Attribution, type Baseline, type BundleInfo, type EvidenceSum } from "../answer";
import { EngineError } from "../engine";
import { tint, toOklab, type Triples } from "./colours";
import { el } from "./dom";
import { evidenceScale, inWords, spread, tamed } from "./maps";
import { SIDE } from "./photograph";
import { sentence, signed, small } from "./wording";

const OPACITY = 60; // per cent, of the strongest evidence; the lesion has to be seen under it
const NAMES: Readonly<Record<Baseline, string>> = {
  black: "a black photograph",
  blurred: "the photograph blurred",
  "mean skin": "mean skin",
};

/** Asks for Integrated Gradients; told the share that is done. */
export type Explain = (
  baseline: Baseline,
  progress: (share: number) => void,
  signal: AbortSignal,
) => Promise<Attribution>;

export function heatSection(
  evidence: EvidenceSum,
  square: ImageData | null,
  bundle: BundleInfo,
  explain: Explain,
): HTMLElement {
  const opacity = new Opacity();
  const scale = evidenceScale(evidence.places);
  const heat = new Picture("evidence-picture", backdrop(square), inWords(evidence.places));
  heat.show(spread(evidence.places, SIDE).map((one) => one / scale));
  opacity.follow(heat);
  const [rows, columns] = [evidence.places.length, evidence.places[0]?.length ?? 0];
  return el(
    "section",
    { class: "panel", "aria-labelledby": "heat-heading" },
    el("h3", { id: "heat-heading" }, "Where in the photograph it comes from"),
    square === null
      ? el("p", { class: "hint" }, "This browser cannot show the photograph; the map lies over grey.")
      : null,
    legend(scale),
    opacity.element,
    el(
      "div",
      { class: "pictures" },
      el(
        "figure",
        {},
        el("figcaption", {}, el("strong", {}, "Evidence of each place")),
        heat.canvas,
        el(
          "p",
          { class: "hint" },
          `What each of ${rows} x ${columns} places adds to the logit, together ` +
            `${signed(evidence.photograph, 2)}. ${inWords(evidence.places)}`,
        ),
      ),
      gradients(square, bundle, explain, opacity),
    ),
    el(
      "p",
      { class: "hint" },
      "An explanation says what the network responded to. It does not say that the network was right to.",
    ),
  );
}

function gradients(
  square: ImageData | null,
  bundle: BundleInfo,
  explain: Explain,
  opacity: Opacity,
): HTMLElement {
  const title = el("figcaption", {}, el("strong", {}, "Integrated Gradients"));
  if (!bundle.explains) {
    const why = bundle.record.graphs["gradient"]?.why;
    return el(
      "figure",
      {},
      title,
      el("p", {}, "This network has none: its bundle holds no gradient graph.", why ? ` ${sentence(why)}` : ""),
    );
  }
  const shown = el("div", { class: "gradients" });
  const choice = el(
    "select",
    { id: "baseline" },
    ...BASELINES.map((one) => el("option", { value: one }, NAMES[one])),
  );
  const button = el("button", { type: "button", id: "explain" }, "Compute");
  const stop = el("button", { type: "button", hidden: true }, "Stop");
  const share = el("progress", { hidden: true, "aria-label": "Integrated Gradients" });
  const said = el("p", { class: "hint", role: "status" }, "What each pixel adds. Takes some seconds.");
  let control: AbortController | null = null;
  const working = (on: boolean): void => {
    for (const one of [share, stop]) one.hidden = !on;
    button.hidden = on;
    choice.disabled = on;
  };
  const compute = async (): Promise<void> => {
    const baseline = choice.value as Baseline;
    const mine = new AbortController();
    control = mine;
    share.removeAttribute("value");
    said.textContent = "Computing ...";
    working(true);
    stop.focus();
    try {
      const told = (done: number): void => void (share.value = done);
      const found = await explain(baseline, told, mine.signal);
      const { strength, scale } = tamed(found.values);
      const text = inWords(found.values);
      const picture = new Picture("gradients-picture", paleBackdrop(square), text);
      picture.show(enlarged(strength, found.values.length));
      opacity.follow(picture);
      shown.replaceChildren(picture.canvas);
      said.textContent = `${about(found, scale)} ${text}`;
      button.textContent = "Compute again";
    } catch (error) {
      const stopped = mine.signal.aborted;
      said.textContent = stopped
        ? "Stopped."
        : error instanceof EngineError
          ? `${sentence(error.found)} ${sentence(error.mend)}`
          : "This did not work: a mistake of ours.";
    } finally {
      const focused = document.activeElement === stop;
      working(false);
      if (focused) button.focus();
    }
  };
  button.addEventListener("click", () => void compute());
  stop.addEventListener("click", () => control?.abort());
  return el(
    "figure",
    {},
    title,
    shown,
    el(
      "div",
      { class: "gradients-ask" },
      el("label", { for: "baseline" }, "against "),
      choice,
      button,
      stop,
      share,
    ),
    said,
  );
}

function about(found: Attribution, scale: number): string {
  const sum = found.values.flat().reduce((before, one) => before + one, 0);
  const error = found.completeness_error;
  return (
    `What each pixel adds, against ${found.baseline === null ? "nothing" : NAMES[found.baseline]}, ` +
    `over a grey photograph; ${found.steps ?? 0} steps, strongest colour at \u00b1${small(scale)}. ` +
    `Sum ${signed(sum, 3)}, should be ${signed(found.difference, 3)}` +
    (error === null ? "." : `: completeness error ${(100 * error).toFixed(2)} %.`)
  );
}

/** A photograph with a map over it, drawn anew whenever the opacity changes. */
class Picture {
  readonly canvas: HTMLCanvasElement;
  private strength = new Float32Array(SIDE * SIDE);
  private opacity = OPACITY / 100;
  private waiting = false;

  constructor(
    id: string,
    private readonly lab: Triples,
    words: string,
  ) {
    const label = `Photograph with a map over it. ${words}`;
    this.canvas = el("canvas", { id, width: SIDE, height: SIDE, role: "img", "aria-label": label });
  }

  show(strength: Float32Array<ArrayBuffer>): void {
    this.strength = strength;
    this.draw();
  }

  fade(opacity: number): void {
    this.opacity = opacity;
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  private draw(): void {
    const image = new ImageData(SIDE, SIDE);
    tint(this.lab, this.strength, this.opacity, image.data);
    this.canvas.getContext("2d")?.putImageData(image, 0, 0);
  }
}

/** The slider, and the pictures that follow it. */
class Opacity {
  readonly element: HTMLElement;
  private readonly pictures = new Map<string, Picture>();
  private readonly range = el("input", {
    type: "range",
    id: "opacity",
    min: 0,
    max: 100,
    step: 1,
    value: OPACITY,
    "aria-valuetext": `${OPACITY} %`,
  });
  private readonly said = el("output", { for: "opacity" }, `${OPACITY} %`);

  constructor() {
    this.range.addEventListener("input", () => {
      this.said.textContent = `${this.range.value} %`;
      this.range.setAttribute("aria-valuetext", `${this.range.value} %`);
      for (const picture of this.pictures.values()) picture.fade(this.value);
    });
    this.element = el(
      "div",
      { class: "slider" },
      el("label", { for: "opacity" }, "Opacity of the map"),
      el("div", { class: "slider-line" }, this.range, this.said),
    );
  }

  follow(picture: Picture): void {
    this.pictures.set(picture.canvas.id, picture);
    picture.fade(this.value);
  }

  private get value(): number {
    return this.range.valueAsNumber / 100;
  }
}

function legend(scale: number): HTMLElement {
  const number = small(scale);
  return el(
    "div",
    { class: "legend" },
    el("span", {}, "against melanoma"),
    el("span", { class: "legend-ramp" }),
    el("span", {}, "for melanoma"),
    el("span", { class: "legend-ends hint" }, el("span", {}, `\u2212${number}`), el("span", {}, "0"), el("span", {}, `+${number} per place`)),
  );
}

function backdrop(square: ImageData | null): Triples {
  if (square !== null) return toOklab(square.data);
  const grey = new Uint8ClampedArray(4 * SIDE * SIDE).fill(200);
  return toOklab(grey);
}

/** A pale grey version on which both hues are seen, of dark skin as of light skin. */
function paleBackdrop(square: ImageData | null): Triples {
  const lab = backdrop(square);
  const light = Float32Array.from({ length: lab.length / 3 }, (_, pixel) => lab[3 * pixel]!);
  const sorted = light.slice().sort();
  const low = sorted[Math.round(0.01 * (sorted.length - 1))]!;
  const high = sorted[Math.round(0.99 * (sorted.length - 1))]!;
  const range = Math.max(high - low, 0.1);
  const out = new Float32Array(lab.length);
  light.forEach((one, pixel) => {
    out[3 * pixel] = 0.66 + 0.31 * Math.min(Math.max((one - low) / range, 0), 1);
  });
  return out;
}

/** Enlarge a map of pixels to the picture's side, bilinearly. */
function enlarged(values: Float32Array, side: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(SIDE * SIDE);
  const places = Array.from({ length: SIDE }, (_, index) => {
    const place = Math.min(Math.max(((index + 0.5) * side) / SIDE - 0.5, 0), side - 1);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, side - 1), place - low] as const;
  });
  places.forEach(([top, bottom, down], y) => {
    places.forEach(([left, right, across], x) => {
      const above = values[top * side + left]! * (1 - across) + values[top * side + right]! * across;
      const below =
        values[bottom * side + left]! * (1 - across) + values[bottom * side + right]! * across;
      out[y * SIDE + x] = above * (1 - down) + below * down;
    });
  });
  return out;
}
