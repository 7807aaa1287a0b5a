/**
 * Integrated Gradients (Sundararajan et al. 2017, eq. 1) from any function and its gradient, as
 * `inference/explain/integrated_gradients.py`. Images are RGB in 0..1, one plane a colour (3 x side x side).
 */

import type { Baseline } from "../answer";
import { EngineError } from "../engine";
import { halfEven } from "./format";
import { median } from "./pixel_measures";

/** Maps images (count x 3 x side x side) to their values (count) and gradients (as the images). */
export type ValueAndGradient = (
  images: Float32Array,
  count: number,
) => Promise<{ values: Float32Array; gradients: Float32Array }>;

/** What each pixel of a photograph adds to its logit. */
interface Attribution {
  /** What each pixel adds to the logit, summed over colours; side x side. */
  readonly pixels: Float64Array;
  /** Points taken on the path from the baseline to the photograph. */
  readonly steps: number;
  /** What the pixels should sum to: the logit of the photograph less that of the baseline. */
  readonly difference: number;
  /** |sum of pixels - difference| / |difference|. */
  readonly completenessError: number;
}

/** How to compute an attribution. */
interface AttributionOptions {
  readonly baseline: Baseline;
  /** Points on the path, 1 or more; doubled until the completeness error is below `TOLERANCE`. */
  readonly steps: number;
  /** Images that are run at once, which bounds the memory. */
  readonly batch: number;
  /** Called with the share that is done, 0..1; throws to stop. */
  readonly onProgress: (share: number) => void;
}

/** Completeness error below which no more steps are taken. */
const TOLERANCE = 0.02;
/** Steps that are never exceeded. */
const MAX_STEPS = 512;

const LEAST_DIFFERENCE = 0.01; // of logits: less is nothing to explain, and nothing to divide by
const BLUR = 0.1; // standard deviation of the blurred baseline's Gaussian, as a share of the side
const FRAME = 0.125; // width of the frame in which skin is looked for, likewise

/**
 * Attribute the logit of a photograph to its pixels.
 *
 * @param run - The function that is explained, with its gradient.
 * @param photograph - RGB, side x side x 3.
 * @throws EngineError where `steps` is no whole number of 1 or more.
 */
export async function integratedGradients(
  run: ValueAndGradient,
  photograph: Uint8Array,
  side: number,
  { baseline, steps, batch, onProgress }: AttributionOptions,
): Promise<Attribution> {
  if (!(Number.isInteger(steps) && steps >= 1)) {
    throw new EngineError("internal", "Integrated Gradients without steps", "ask for 64");
  }
  const image = toImage(photograph);
  const baselinePixels = baselineImage(image, side, baseline);
  const path = image.map((value, place) => value - baselinePixels[place]!);
  // How often the steps will be doubled is not known: each turn takes half of what is left.
  for (let points = steps, left = 1; ; points *= 2, left /= 2) {
    const turn = (share: number): void => onProgress(1 - left * (1 - share / 2));
    const { gradient, difference } = await integrate(
      run,
      baselinePixels,
      path,
      points,
      batch,
      turn,
    );
    const pixels = new Float64Array(side * side);
    for (let at = 0; at < path.length; at++)
      pixels[at % pixels.length]! += gradient[at]! * path[at]!;
    const sum = pixels.reduce((total, value) => total + value, 0);
    if (!Number.isFinite(sum) || !Number.isFinite(difference)) {
      throw new EngineError("bundle", "the network's gradients are no numbers", "do not use it");
    }
    const error = Math.abs(sum - difference) / Math.max(Math.abs(difference), LEAST_DIFFERENCE);
    if (error < TOLERANCE || 2 * points > MAX_STEPS) {
      onProgress(1);
      return { pixels, steps: points, difference, completenessError: error };
    }
  }
}

/** Return the mean gradient on the path, and the difference between the values at its two ends. */
async function integrate(
  run: ValueAndGradient,
  baselinePixels: Float64Array,
  path: Float64Array,
  steps: number,
  batch: number,
  onProgress: (share: number) => void,
): Promise<{ gradient: Float64Array; difference: number }> {
  const points = gaussLegendre(steps);
  // The two ends are asked about with the rest: their values give the difference.
  const places = [...points.places, 0, 1];
  const weights = [...points.weights, 0, 0];
  const values = new Float64Array(places.length);
  const gradient = new Float64Array(path.length);
  for (let start = 0; start < places.length; start += batch) {
    // A task of its own, so that whoever wants this stopped is heard; `onProgress` throws then.
    await new Promise((done) => setTimeout(done));
    onProgress(start / places.length);
    const part = places.slice(start, start + batch);
    const images = new Float32Array(part.length * path.length);
    part.forEach((place, index) => {
      const offset = index * path.length;
      for (let at = 0; at < path.length; at++)
        images[offset + at] = baselinePixels[at]! + place * path[at]!;
    });
    const answer = await run(images, part.length);
    part.forEach((_, index) => {
      const weight = weights[start + index]!;
      const offset = index * path.length;
      values[start + index] = answer.values[index]!;
      for (let at = 0; at < path.length; at++) {
        gradient[at]! += weight * answer.gradients[offset + at]!;
      }
    });
  }
  return { gradient, difference: values[steps + 1]! - values[steps]! };
}

/** Return rising places in 0..1 and weights that sum to 1, exact up to degree 2 `steps` - 1. */
export function gaussLegendre(steps: number): { places: number[]; weights: number[] } {
  const places: number[] = [];
  const weights: number[] = [];
  for (let index = steps; index >= 1; index--) {
    // Newton's method from Tricomi's guess of the root.
    let x = Math.cos((Math.PI * (index - 0.25)) / (steps + 0.5));
    let slope = 1;
    for (let turn = 0; turn < 8; turn++) {
      const [value, before] = legendre(steps, x);
      slope = (steps * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    places.push((x + 1) / 2);
    weights.push(1 / ((1 - x * x) * slope * slope));
  }
  return { places, weights };
}

/** Return Legendre's polynomials of a degree, 1 or more, and of the one below, at x. */
function legendre(degree: number, x: number): [number, number] {
  let [before, value] = [1, x];
  for (let n = 1; n < degree; n++) {
    [before, value] = [value, ((2 * n + 1) * x * value - n * before) / (n + 1)];
  }
  return [value, before];
}

/** Return the baseline of a photograph; `inference/explain/integrated_gradients.py` explains each. */
export function baselineImage(image: Float64Array, side: number, baseline: Baseline): Float64Array {
  switch (baseline) {
    case "black":
      return new Float64Array(image.length);
    case "blurred":
      return blurred(image, side);
    case "mean skin": {
      const skin = skinOf(image, side);
      return image.map((_, at) => skin[Math.trunc(at / (side * side))]!);
    }
    default:
      throw new EngineError("internal", `an unknown baseline ${String(baseline)}`, "take black");
  }
}

/** Convert bytes of pixels to planes of 0..1. */
export function toImage(photograph: Uint8Array): Float64Array {
  const size = photograph.length / 3;
  const image = new Float64Array(photograph.length);
  for (let place = 0; place < size; place++) {
    for (let band = 0; band < 3; band++) {
      image[band * size + place] = photograph[3 * place + band]! / 255;
    }
  }
  return image;
}

/** Blur by a Gaussian; what lies beyond the border is not averaged in. */
function blurred(image: Float64Array, side: number): Float64Array {
  const kernel = new Float64Array(side * side);
  for (let to = 0; to < side; to++) {
    const row = kernel.subarray(to * side, (to + 1) * side);
    row.forEach((_, from) => {
      row[from] = Math.exp(-(((to - from) / (BLUR * side)) ** 2) / 2);
    });
    const sum = row.reduce((total, value) => total + value, 0);
    row.forEach((value, from) => {
      row[from] = value / sum;
    });
  }
  return along(along(image, kernel, side, 1), kernel, side, side);
}

/** Apply a kernel along one axis: `step` is 1 for rows, `side` for columns. */
function along(
  image: Float64Array,
  kernel: Float64Array,
  side: number,
  step: number,
): Float64Array {
  const found = new Float64Array(image.length);
  const size = side * side;
  for (let line = 0; line < image.length / side; line++) {
    const start = step === 1 ? line * side : Math.trunc(line / side) * size + (line % side);
    for (let to = 0; to < side; to++) {
      let sum = 0;
      for (let from = 0; from < side; from++) {
        sum += kernel[to * side + from]! * image[start + from * step]!;
      }
      found[start + to * step] = sum;
    }
  }
  return found;
}

/** Return the median colour of the brighter half of the frame: lesions, hair and corners are darker. */
function skinOf(image: Float64Array, side: number): number[] {
  const size = side * side;
  const margin = Math.max(1, halfEven(FRAME * side));
  const frame: number[] = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const inside = Math.min(x, y) >= margin && Math.max(x, y) < side - margin;
      if (!inside) frame.push(y * side + x);
    }
  }
  const light = frame.map((at) => image[at]! + image[at + size]! + image[at + 2 * size]!);
  const middle = median(light);
  const bright = frame.filter((_, index) => light[index]! >= middle);
  return [0, 1, 2].map((band) => median(bright.map((at) => image[band * size + at]!)));
}
