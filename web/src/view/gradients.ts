/** The figure of Integrated Gradients: the choice of a baseline, the progress, the overlay. */

import {
  BASELINES,
  type Baseline,
  type BundleInfo,
  DEFAULT_BASELINE,
  type Explanation,
} from "../answer";
import { EngineError } from "../engine";
import { el } from "./dom";
import { attributionStrength, describeMap } from "./maps";
import { enlarged, type Opacity, Overlay, paleBackdrop } from "./overlay";
import { sentence, signed, twoDigits } from "./phrases";

const NAMES: Readonly<Record<Baseline, string>> = {
  black: "a black photograph",
  blurred: "the photograph blurred",
  "mean skin": "mean skin",
};

/** Ask for Integrated Gradients; `progress` is called with the share that is done, and `control` stops it. */
export type Explain = (
  baseline: Baseline,
  progress: (share: number) => void,
  control: AbortController,
) => Promise<Explanation>;

/** The figure; computes when its button is pressed. */
export class GradientsFigure {
  readonly element: HTMLElement;
  private readonly holder = el("div", { class: "gradients" });
  private readonly choice = el(
    "select",
    { id: "baseline" },
    ...BASELINES.map((one) =>
      el("option", { value: one, selected: one === DEFAULT_BASELINE }, NAMES[one]),
    ),
  );
  private readonly button = el("button", { type: "button", id: "explain" }, "Compute");
  private readonly stop = el("button", { type: "button", hidden: true }, "Stop");
  private readonly share = el("progress", { hidden: true, "aria-label": "Integrated Gradients" });
  private readonly said = el(
    "p",
    { class: "hint", role: "status" },
    "What each pixel adds. Takes some seconds.",
  );
  private control: AbortController | null = null;

  constructor(
    private readonly square: ImageData | null,
    private readonly opacity: Opacity,
    private readonly bundle: BundleInfo,
    private readonly explain: Explain,
  ) {
    this.button.addEventListener("click", () => void this.compute());
    this.stop.addEventListener("click", () => this.control?.abort());
    const title = el("figcaption", {}, el("strong", {}, "Integrated Gradients"));
    this.element = bundle.explains
      ? el("figure", {}, title, this.holder, this.asking(), this.said)
      : el("figure", {}, title, el("p", {}, none(bundle)));
  }

  private asking(): HTMLElement {
    return el(
      "div",
      { class: "gradients-ask" },
      el("label", { for: "baseline" }, "against "),
      this.choice,
      this.button,
      this.stop,
      this.share,
    );
  }

  private async compute(): Promise<void> {
    const control = new AbortController();
    this.control = control;
    this.share.removeAttribute("value");
    this.said.textContent = "Computing ...";
    this.work(true);
    this.stop.focus();
    try {
      const onProgress = (done: number): void => {
        this.share.value = done;
      };
      this.show(await this.explain(this.choice.value as Baseline, onProgress, control));
    } catch (error) {
      this.said.textContent = control.signal.aborted ? "Stopped." : reason(error);
    } finally {
      const waited = document.activeElement === this.stop;
      this.work(false);
      if (waited) this.button.focus();
    }
  }

  private work(on: boolean): void {
    this.share.hidden = this.stop.hidden = !on;
    this.button.hidden = this.choice.disabled = on;
  }

  private show(found: Explanation): void {
    const { strength, scale } = attributionStrength(found.values);
    const words = describeMap(found.values, this.bundle.record.target.condition);
    const picture = new Overlay("gradients-picture", paleBackdrop(this.square), words);
    picture.show(enlarged(strength, found.values.length));
    this.opacity.follow(picture);
    this.holder.replaceChildren(picture.canvas);
    this.said.textContent = `${about(found, scale)} ${words}`;
    this.button.textContent = "Compute again";
  }
}

function none(bundle: BundleInfo): string {
  const why = bundle.record.graphs["gradient"]?.why;
  return `This network has none: its bundle holds no gradient graph. ${sentence(why ?? "")}`;
}

function reason(error: unknown): string {
  return error instanceof EngineError
    ? `${sentence(error.found)} ${sentence(error.mend)}`
    : "This did not work: a mistake of ours.";
}

function about(found: Explanation, scale: number): string {
  const sum = found.values.flat().reduce((before, one) => before + one, 0);
  const error = found.completeness_error;
  return (
    `What each pixel adds, against ${found.baseline === null ? "nothing" : NAMES[found.baseline]}, ` +
    `over a grey photograph; ${found.steps ?? 0} steps, strongest colour at \u00b1${twoDigits(scale)}. ` +
    `Sum ${signed(sum, 3)}, should be ${signed(found.difference, 3)}` +
    (error === null ? "." : `: completeness error ${(100 * error).toFixed(2)} %.`)
  );
}
