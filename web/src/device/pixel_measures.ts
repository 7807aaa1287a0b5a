/** Measures of the quality gate, as `inference/quality/measures.py` and `pixel_measures.py` take them. */

import type { QualityMeasures } from "../answer";
import { halfEven } from "./format";

const BLACK = 30; // largest channel of what is near-black: a dermoscope's corners, a covered lens
const FULL = 250; // a channel from here on is at its end stop, after resampling
const DIM = 40; // below it the colour is mostly noise
const CELLS = 32; // along the side of the grid on which the lesion is looked for, about
const LIFT = 8; // added before logarithms, so that noise in the dark does not count

/** Largest and middle channel of each pixel, and whether its colour counts. */
interface Bands {
  readonly pixels: Uint8Array;
  readonly side: number;
  readonly top: Uint8Array;
  readonly middle: Uint8Array;
  readonly usable: Uint8Array;
}

/**
 * Measure a decoded photograph.
 *
 * @param pixels - The centred square, RGB, side x side x 3.
 * @param side - Side of the square in pixels.
 * @param width - Width of the whole photograph, upright, in pixels.
 * @param height - Height of the whole photograph, upright, in pixels.
 */
export function measureQuality(
  pixels: Uint8Array,
  side: number,
  width: number,
  height: number,
): QualityMeasures {
  const bands = sorted(pixels, side);
  const upTo = cumulated(bands.top);
  const size = side * side;
  return {
    width,
    height,
    scale: Math.min(width, height) / side,
    sharpness: sharpness(pixels, side),
    brightness: upTo.findIndex((count) => count >= 0.95 * size),
    dark_share: upTo[BLACK - 1]! / size,
    bright_share: bands.middle.reduce((count, value) => count + +(value >= FULL), 0) / size,
    flat_share: flatShare(bands),
    ...colorMeasures(bands),
    ...surface(pixels, side),
  };
}

function sorted(pixels: Uint8Array, side: number): Bands {
  const size = side * side;
  const top = new Uint8Array(size);
  const middle = new Uint8Array(size);
  const usable = new Uint8Array(size);
  for (let place = 0; place < size; place++) {
    const red = pixels[3 * place]!;
    const green = pixels[3 * place + 1]!;
    const blue = pixels[3 * place + 2]!;
    const most = Math.max(red, green, blue);
    const least = Math.min(red, green, blue);
    top[place] = most;
    middle[place] = red + green + blue - most - least;
    usable[place] = +(most >= DIM && least < FULL);
  }
  return { pixels, side, top, middle, usable };
}

function cumulated(top: Uint8Array): number[] {
  const counts = new Array<number>(256).fill(0);
  for (const value of top) counts[value]!++;
  let sum = 0;
  return counts.map((count) => (sum += count));
}

/**
 * The lesser of two ratios, along rows and along columns: steps from pixel to pixel by steps
 * between means of 2 x 2 pixels that lie side by side.
 */
function sharpness(pixels: Uint8Array, side: number): number {
  const grey = new Float32Array(side * side);
  for (let place = 0; place < grey.length; place++) {
    const [red, green, blue] = [pixels[3 * place]!, pixels[3 * place + 1]!, pixels[3 * place + 2]!];
    grey[place] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  const less = side - 1;
  const means = new Float32Array(less * less);
  for (let y = 0; y < less; y++) {
    for (let x = 0; x < less; x++) {
      const at = y * side + x;
      const left = Math.fround(grey[at]! + grey[at + side]!);
      const right = Math.fround(grey[at + 1]! + grey[at + side + 1]!);
      means[y * less + x] = Math.fround(left + right) / 4;
    }
  }
  const ratio = (down: number, right: number): number =>
    meanStep(grey, side, down, right) / (meanStep(means, less, 2 * down, 2 * right) + 0.1);
  return Math.min(ratio(1, 0), ratio(0, 1));
}

/** Return the mean absolute difference of a square array to itself, moved down and to the right. */
function meanStep(values: Float32Array, side: number, down: number, right: number): number {
  let sum = 0;
  for (let y = down; y < side; y++) {
    for (let x = right; x < side; x++) {
      sum += Math.abs(values[y * side + x]! - values[(y - down) * side + x - right]!);
    }
  }
  return sum / ((side - down) * (side - right));
}

function flatShare({ pixels, side, usable }: Bands): number {
  const code = (place: number): number =>
    (pixels[3 * place]! << 16) | (pixels[3 * place + 1]! << 8) | pixels[3 * place + 2]!;
  let flat = 0;
  for (let y = 1; y < side; y++) {
    for (let x = 1; x < side; x++) {
      const at = y * side + x;
      const here = code(at);
      const others = [at - 1, at - side, at - side - 1];
      flat += +(usable[at] === 1 && others.every((other) => code(other) === here));
    }
  }
  return flat / usable.length;
}

/** Measure the strange share and the agreement of hues over what is neither dark nor white. */
function colorMeasures({ pixels, top, middle, usable }: Bands): {
  strange_share: number;
  hue_agreement: number;
} {
  const count = usable.reduce((sum, value) => sum + value, 0);
  // Black or white all over, which other measures see.
  if (count < Math.trunc(usable.length / 100)) return { strange_share: 0, hue_agreement: 1 };
  let [strange, chroma, across, up] = [0, 0, 0, 0];
  for (let place = 0; place < usable.length; place++) {
    if (usable[place] === 0) continue;
    const red = pixels[3 * place]!;
    const green = pixels[3 * place + 1]!;
    const blue = pixels[3 * place + 2]!;
    const most = top[place]!;
    const least = red + green + blue - most - middle[place]!;
    // In single precision, as numpy: at the border it matters (19 of 20).
    const pale = most - least <= Math.fround(Math.fround(0.05) * most);
    strange += +(green > red + 5 || pale);
    // The colour circle's two coordinates; their length is the chroma.
    const x = red - (green + blue) / 2;
    const y = (Math.sqrt(3) / 2) * (green - blue);
    chroma += Math.sqrt(x * x + y * y);
    across += x;
    up += y;
  }
  const agreement = Math.hypot(across / count, up / count) / Math.max(chroma / count, 1);
  return { strange_share: strange / count, hue_agreement: Math.min(agreement, 1) };
}

/** Measure clutter and lesion contrast, both on a grid of cells. */
function surface(pixels: Uint8Array, side: number): { clutter: number; lesion_contrast: number } {
  const block = Math.max(halfEven(side / CELLS), 1);
  const n = Math.trunc(side / block);
  const start = Math.trunc((side - n * block) / 2);
  const cells: (Cell | null)[] = [];
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const mean = meanColor(pixels, side, start + row * block, start + column * block, block);
      const far = Math.hypot((row + 0.5) * (2 / n) - 1, (column + 0.5) * (2 / n) - 1);
      // Dark corners are left out, but not what is dark near the centre: that may be the lesion.
      const counts = far < 0.97 && (Math.max(...mean) >= BLACK || far < 0.7);
      cells.push(counts ? { far, depth: mean.map((value) => Math.log(value + LIFT)) } : null);
    }
  }
  const counted = cells.filter((cell) => cell !== null);
  return { clutter: clutter(cells, n), lesion_contrast: contrast(counted, n) };
}

/** A cell of the grid: its distance from the centre, and the logarithms of its colour. */
interface Cell {
  readonly far: number;
  readonly depth: readonly number[];
}

/** Return the mean difference between neighbouring cells, those left out aside. */
function clutter(cells: readonly (Cell | null)[], n: number): number {
  let [sum, count] = [0, 0];
  cells.forEach((cell, at) => {
    for (const other of [at >= n ? cells[at - n] : null, at % n > 0 ? cells[at - 1] : null]) {
      if (!cell || !other) continue;
      sum += distance(cell.depth, other.depth);
      count += 1;
    }
  });
  return sum / count;
}

/** Return how far the most different hundredth of the cells lies from the colour around. */
function contrast(counted: readonly Cell[], n: number): number {
  const around = counted.filter((cell) => cell.far > 0.6);
  const frame = around.length >= n ? around : counted;
  const skin = [0, 1, 2].map((band) => median(frame.map(({ depth }) => depth[band]!)));
  const away = counted.map(({ depth }) => distance(depth, skin)).sort((a, b) => a - b);
  const most = away.slice(-Math.max(Math.trunc(away.length / 100), 1));
  return most.reduce((sum, value) => sum + value, 0) / most.length;
}

function distance(one: readonly number[], other: readonly number[]): number {
  return Math.sqrt(one.reduce((sum, value, band) => sum + (value - other[band]!) ** 2, 0));
}

function meanColor(
  pixels: Uint8Array,
  side: number,
  top: number,
  left: number,
  block: number,
): number[] {
  const sums = [0, 0, 0];
  for (let y = top; y < top + block; y++) {
    for (let place = 3 * (y * side + left); place < 3 * (y * side + left + block); place += 3) {
      for (let band = 0; band < 3; band++) sums[band]! += pixels[place + band]!;
    }
  }
  return sums.map((sum) => sum / block ** 2);
}

/** Return the median as numpy has it: the mean of the middle two where the count is even. */
export function median(values: readonly number[]): number {
  const order = Float64Array.from(values).sort();
  const middle = order.length >> 1;
  return order.length % 2 ? order[middle]! : (order[middle - 1]! + order[middle]!) / 2;
}
