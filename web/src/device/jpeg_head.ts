/**
 * What a JPEG says before and between its scans (ITU-T T.81): tables, frame, scans. Only what
 * cameras write is understood: Huffman coding of 8 bits, sequential or progressive.
 */

/** Thrown where a file is left to the browser's decoder. */
export class Unsupported extends Error {}

/** Thrown where a picture needs more than there is before the next marker. */
export class Cut extends Error {}

/** A color component of the frame, with its coefficients. */
export interface Component {
  readonly id: number;
  /** Samples across (`h`) and down (`v`) in each unit of the frame. */
  readonly h: number;
  readonly v: number;
  readonly table: number;
  /** Blocks that the picture takes, and that are stored so that scans of all components fit. */
  readonly blocksAcross: number;
  readonly blocksDown: number;
  readonly storedAcross: number;
  /** 64 to a block, in zigzag order turned natural. */
  readonly coefficients: Int16Array;
}

/** The frame: the size of the image and its components. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
  /** Largest sampling of any component. */
  readonly h: number;
  readonly v: number;
}

/** One scan: which components, which coefficients, which of their bits. */
export interface Scan {
  readonly components: readonly { component: Component; dc: Huffman; ac: Huffman }[];
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
  readonly restart: number;
}

/** A table of Huffman codes: by their first 9 bits (value << 4 | length), longer ones by length. */
export interface Huffman {
  readonly short: Int32Array;
  readonly values: Uint8Array;
  /** For each length: the code after the last one, left-aligned to 16 bits; index less code. */
  readonly limit: Int32Array;
  readonly offset: Int32Array;
}

/** Bits of the codes that one look-up finds. */
export const SHORT = 9;
const MAX_COEFFICIENTS = 3 * 2 ** 26; // 400 MB

/** Natural place of each coefficient in zigzag order. */
export const ZIGZAG = Uint8Array.of(
  ...[0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5],
  ...[12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28],
  ...[35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51],
  ...[58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63],
);

/** Read the frame. */
export function readFrame(view: DataView, marker: number, start: number): Frame {
  if (marker > 0xc2) throw new Unsupported("lossless, hierarchical or arithmetic");
  if (view.getUint8(start) !== 8) throw new Unsupported("more than 8 bits");
  const [height, width] = [view.getUint16(start + 1), view.getUint16(start + 3)];
  const count = view.getUint8(start + 5);
  if (height * width === 0 || (count !== 1 && count !== 3)) throw new Unsupported("frame");
  const declared = Array.from({ length: count }, (_, index) => {
    const place = start + 6 + 3 * index;
    const sampling = view.getUint8(place + 1);
    const [h, v] = [sampling >> 4, sampling & 15];
    if (h < 1 || h > 2 || v < 1 || v > 2) throw new Unsupported("sampling");
    return { id: view.getUint8(place), h, v, table: view.getUint8(place + 2) };
  });
  // A single component is never interleaved: its sampling means nothing.
  if (count === 1) Object.assign(declared[0]!, { h: 1, v: 1 });
  const [h, v] = [
    Math.max(...declared.map((one) => one.h)),
    Math.max(...declared.map((one) => one.v)),
  ];
  const [across, down] = [Math.ceil(width / (8 * h)), Math.ceil(height / (8 * v))];
  const whole = declared.reduce((sum, one) => sum + 64 * across * one.h * down * one.v, 0);
  if (whole > MAX_COEFFICIENTS) throw new Unsupported("size");
  const components = declared.map((one) => ({
    ...one,
    blocksAcross: Math.ceil((width * one.h) / (8 * h)),
    blocksDown: Math.ceil((height * one.v) / (8 * v)),
    storedAcross: across * one.h,
    coefficients: new Int16Array(64 * across * one.h * down * one.v),
  }));
  return { width, height, progressive: marker === 0xc2, components, h, v };
}

/** Read quantization tables into `to`. */
export function readQuantization(
  view: DataView,
  start: number,
  end: number,
  to: Uint16Array[],
): void {
  for (let place = start; place < end; ) {
    const kind = view.getUint8(place++);
    const wide = kind >> 4 !== 0;
    const table = new Uint16Array(64);
    for (let index = 0; index < 64; index++, place += wide ? 2 : 1) {
      table[ZIGZAG[index]!] = wide ? view.getUint16(place) : view.getUint8(place);
    }
    to[kind & 15] = table;
  }
}

/** Read tables of Huffman codes into `to` by class and number: DC from 0, AC from 16. */
export function readHuffman(view: DataView, start: number, end: number, to: Huffman[]): void {
  for (let place = start; place < end; ) {
    const kind = view.getUint8(place);
    const counts = Array.from({ length: 16 }, (_, index) => view.getUint8(place + 1 + index));
    const sum = counts.reduce((total, count) => total + count, 0);
    const first = place + 17;
    const values = Uint8Array.from({ length: sum }, (_, index) => view.getUint8(first + index));
    to[kind] = huffman(counts, values);
    place = first + sum;
  }
}

function huffman(counts: readonly number[], values: Uint8Array): Huffman {
  const short = new Int32Array(1 << SHORT);
  const limit = new Int32Array(17);
  const offset = new Int32Array(17);
  let [code, index] = [0, 0];
  counts.forEach((count, place) => {
    const length = place + 1;
    offset[length] = index - code;
    for (let one = 0; one < count; one++, code++, index++) {
      if (length > SHORT) continue;
      const first = code << (SHORT - length);
      short.fill((values[index]! << 4) | length, first, first + (1 << (SHORT - length)));
    }
    limit[length] = code << (16 - length);
    code <<= 1;
  });
  return { short, values, limit, offset };
}

/** Read the head of a scan. */
export function readScan(
  view: DataView,
  start: number,
  frame: Frame,
  tables: readonly Huffman[],
  restart: number,
): Scan {
  const count = view.getUint8(start);
  const components = Array.from({ length: count }, (_, index) => {
    const id = view.getUint8(start + 1 + 2 * index);
    const chosen = view.getUint8(start + 2 + 2 * index);
    const component = frame.components.find((one) => one.id === id);
    const [dc, ac] = [tables[chosen >> 4], tables[16 + (chosen & 15)]];
    if (component === undefined) throw new Unsupported("a scan of nothing");
    return { component, dc: dc ?? NOTHING, ac: ac ?? NOTHING };
  });
  const end = start + 1 + 2 * count;
  const bits = view.getUint8(end + 2);
  const [first, last] = frame.progressive ? [view.getUint8(end), view.getUint8(end + 1)] : [0, 63];
  if (last > 63 || first > last || (first > 0 && count > 1)) throw new Unsupported("scan");
  const [high, low] = frame.progressive ? [bits >> 4, bits & 15] : [0, 0];
  return { components, first, last, high, low, restart };
}

/** A table without codes: whatever comes is not among them. */
const NOTHING: Huffman = huffman(new Array<number>(16).fill(0), new Uint8Array());
