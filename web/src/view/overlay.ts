/** Overlays of a map over a photograph, and the slider of their opacity. */

import { type Triples, tint, toOklab } from "./colormap";
import { el } from "./dom";
import { SIDE } from "./image_field";

const OPACITY = 60; // per cent, of the strongest evidence; the lesion has to be seen under it

/** A canvas with a map over a photograph, drawn anew whenever the opacity changes. */
export class Overlay {
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

/** The slider of the opacity, and the overlays that follow it. */
export class Opacity {
  readonly element: HTMLElement;
  private readonly pictures = new Map<string, Overlay>();
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

  follow(picture: Overlay): void {
    this.pictures.set(picture.canvas.id, picture);
    picture.fade(this.value);
  }

  private get value(): number {
    return this.range.valueAsNumber / 100;
  }
}

/** Return the photograph in OKLab, or grey where this browser cannot show it. */
export function backdrop(square: ImageData | null): Triples {
  if (square !== null) return toOklab(square.data);
  const grey = new Uint8ClampedArray(4 * SIDE * SIDE).fill(200);
  return toOklab(grey);
}

/** Return the photograph in pale grey, on which both hues stand out on dark and on light skin. */
export function paleBackdrop(square: ImageData | null): Triples {
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

/** Enlarge a map of `side` x `side` values to the side of the overlay, bilinearly. */
export function enlarged(values: Float32Array, side: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(SIDE * SIDE);
  const places = Array.from({ length: SIDE }, (_, index) => {
    const place = Math.min(Math.max(((index + 0.5) * side) / SIDE - 0.5, 0), side - 1);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, side - 1), place - low] as const;
  });
  places.forEach(([top, bottom, down], y) => {
    places.forEach(([left, right, across], x) => {
      const above =
        values[top * side + left]! * (1 - across) + values[top * side + right]! * across;
      const below =
        values[bottom * side + left]! * (1 - across) + values[bottom * side + right]! * across;
      out[y * SIDE + x] = above * (1 - down) + below * down;
    });
  });
  return out;
}
