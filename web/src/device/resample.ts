/**
 * The largest centred square of a image at a fixed side, as `imaging/decode.py` asks Pillow for
 * it: whole-number means first (`reducing_gap=2.0`), then antialiased bicubic in two passes of
 * 8-bit fixed-point arithmetic. Equal to Pillow 13 bit for bit on the same image.
 */

/** An RGB image, 3 bytes a pixel, rows from top to bottom. */
export interface RgbImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** For each place of one axis: where its neighbours begin, how many they are, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly most: number;
}

const GAP = 2.0;
const SUPPORT = 2.0; // of the bicubic filter, to either side
const BITS = 22; // of the fixed point: 32, less 8 of a pixel, less 2 against overflow
const HALF = 1 << (BITS - 1);

/** Return the largest centred square of an image, resized to `imageSize` x `imageSize`. */
export function centeredSquare(image: RgbImage, imageSize: number): Uint8Array {
  const { width, height } = image;
  const side = Math.min(width, height);
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  const box = { left, top, right: left + side, bottom: top + side };
  if (width === imageSize && height === imageSize) return Uint8Array.from(image.data);
  const factor = Math.trunc(side / imageSize / GAP);
  if (factor < 2) return resize(image, imageSize, box);
  const reach = ((SUPPORT - 0.5) * side) / imageSize;
  const around = {
    left: Math.max(0, Math.trunc(left - reach)),
    top: Math.max(0, Math.trunc(top - reach)),
    right: Math.min(width, Math.ceil(box.right + reach)),
    bottom: Math.min(height, Math.ceil(box.bottom + reach)),
  };
  return resize(reduce(image, factor, around), imageSize, {
    left: (box.left - around.left) / factor,
    top: (box.top - around.top) / factor,
    right: (box.right - around.left) / factor,
    bottom: (box.bottom - around.top) / factor,
  });
}

/** Return the means of `factor` x `factor` pixels of a box; the last ones may be of fewer. */
export function reduce(image: RgbImage, factor: number, box: Box): RgbImage {
  const width = Math.ceil((box.right - box.left) / factor);
  const height = Math.ceil((box.bottom - box.top) / factor);
  const data = new Uint8Array(3 * width * height);
  const sums = new Uint32Array(3 * width);
  for (let row = 0; row < height; row++) {
    const from = box.top + row * factor;
    const to = Math.min(from + factor, box.bottom);
    sumRows(image, sums, from, to, factor, box);
    for (let column = 0; column < width; column++) {
      const across = Math.min(factor, box.right - box.left - column * factor);
      const count = across * (to - from);
      const multiplier = oneOver(count);
      for (let band = 0; band < 3; band++) {
        const sum = sums[3 * column + band]! + (count >> 1);
        data[3 * (row * width + column) + band] = Math.floor((sum * multiplier) / 2 ** 24);
      }
    }
  }
  return { data, width, height };
}

function sumRows(
  image: RgbImage,
  sums: Uint32Array,
  from: number,
  to: number,
  factor: number,
  box: Box,
): void {
  const { data, width } = image;
  sums.fill(0);
  for (let y = from; y < to; y++) {
    let place = 3 * (y * width + box.left);
    for (let column = 0, x = box.left; x < box.right; column += 3) {
      const end = Math.min(x + factor, box.right);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (; x < end; x++, place += 3) {
        red += data[place]!;
        green += data[place + 1]!;
        blue += data[place + 2]!;
      }
      sums[column] = sums[column]! + red;
      sums[column + 1] = sums[column + 1]! + green;
      sums[column + 2] = sums[column + 2]! + blue;
    }
  }
}

/** Return 2^24 / count as Pillow has it: in single precision, cut off. */
function oneOver(count: number): number {
  return Math.trunc(Math.fround(2 ** 32 / Math.fround(256 * count)));
}

function resize(image: RgbImage, imageSize: number, box: Box): Uint8Array {
  const { width, height } = image;
  const across = tapsOf(width, box.left, box.right, imageSize);
  const down = tapsOf(height, box.top, box.bottom, imageSize);
  // Both passes round, so that their order matters; Pillow 13 takes the longer way down first.
  const tall = height - imageSize > 2 * Math.max(width - imageSize, 0);
  const { data } = tall
    ? resizeRows(resizeColumns(image, down, imageSize), across, imageSize)
    : resizeColumns(resizeRows(image, across, imageSize), down, imageSize);
  return data as Uint8Array;
}

function resizeRows(image: RgbImage, taps: Taps, imageSize: number): RgbImage {
  const { data, width, height } = image;
  const narrow = new Uint8Array(3 * imageSize * height);
  for (let row = 0, out = 0; row < height; row++) {
    for (let column = 0; column < imageSize; column++, out += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let at = 3 * (row * width + taps.first[column]!);
      const weight = column * taps.most;
      for (let tap = 0; tap < taps.count[column]!; tap++, at += 3) {
        const share = taps.weights[weight + tap]!;
        red += data[at]! * share;
        green += data[at + 1]! * share;
        blue += data[at + 2]! * share;
      }
      narrow[out] = clip(red);
      narrow[out + 1] = clip(green);
      narrow[out + 2] = clip(blue);
    }
  }
  return { data: narrow, width: imageSize, height };
}

function resizeColumns(image: RgbImage, taps: Taps, imageSize: number): RgbImage {
  const { data, width } = image;
  const stride = 3 * width;
  const low = new Uint8Array(stride * imageSize);
  for (let row = 0; row < imageSize; row++) {
    const first = taps.first[row]! * stride;
    const weight = row * taps.most;
    for (let place = 0; place < stride; place++) {
      let sum = HALF;
      for (let tap = 0, at = first + place; tap < taps.count[row]!; tap++, at += stride) {
        sum += data[at]! * taps.weights[weight + tap]!;
      }
      low[row * stride + place] = clip(sum);
    }
  }
  return { data: low, width, height: imageSize };
}

function clip(sum: number): number {
  const value = sum >> BITS;
  return value < 0 ? 0 : Math.min(value, 255);
}

/** The ends of the box reach Pillow's resampling in single precision. */
function tapsOf(size: number, from: number, to: number, imageSize: number): Taps {
  const begin = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - begin) / imageSize;
  const spread = Math.max(scale, 1.0);
  const support = SUPPORT * spread;
  const most = 2 * Math.ceil(support) + 1;
  const first = new Int32Array(imageSize);
  const count = new Int32Array(imageSize);
  const weights = new Int32Array(imageSize * most);
  for (let place = 0; place < imageSize; place++) {
    const centre = begin + (place + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const high = Math.min(Math.trunc(centre + support + 0.5), size);
    const inverse = 1.0 / spread;
    const raw: number[] = [];
    let total = 0;
    for (let x = low; x < high; x++) {
      raw.push(bicubic((x - centre + 0.5) * inverse));
      total += raw[x - low]!;
    }
    raw.forEach((value, tap) => {
      const share = (total === 0 ? value : value / total) * 2 ** BITS;
      weights[place * most + tap] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
    first[place] = low;
    count[place] = high - low;
  }
  return { first, count, weights, most };
}

/** Cubic convolution with a = -1/2 (Keys 1981, eq. 4). */
function bicubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}
