/**
 * Large JPEGs at 1/2, 1/4 or 1/8 of their size, as Pillow's draft mode has libjpeg decode them: the
 * same integers, so that the square is the same in every browser. What cameras do not write, and
 * whatever is broken, is left to the browser's own decoder.
 */

import {
  Cut,
  type Frame,
  type Huffman,
  readFrame,
  readHuffman,
  readQuantization,
  readScan,
  Unsupported,
} from "./jpeg_head";
import { decodeScan } from "./jpeg_scan";
import { type Plane, samples } from "./jpeg_shrink";
import type { RgbImage } from "./resample";

interface Coded {
  readonly frame: Frame;
  readonly quantization: readonly Uint16Array[];
  /** Whether three components are red, green and blue already. */
  readonly rgb: boolean;
}

/** Decode at 1/`factor` of the size, as stored; null where the file is left to the browser. */
export function decodeJpeg(bytes: Uint8Array, factor: 2 | 4 | 8): RgbImage | null {
  const found = decodeOrCut(bytes, factor);
  return found === "cut" ? null : found;
}

/** Decode, or say that data or scans of the picture are missing, whatever marker stands there. */
export function decodeOrCut(bytes: Uint8Array, factor: 2 | 4 | 8): RgbImage | "cut" | null {
  try {
    return toImage(decodeCoefficients(bytes), 8 / factor);
  } catch (error) {
    if (error instanceof Cut) return "cut";
    if (error instanceof Unsupported || error instanceof RangeError) return null;
    throw error;
  }
}

function decodeCoefficients(bytes: Uint8Array): Coded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quantization: Uint16Array[] = [];
  const tables: Huffman[] = [];
  let frame: Frame | null = null;
  let [restart, jfif, adobe] = [0, false, -1];
  let exact = 0; // coefficients that a scan has brought to their last bit
  for (let place = 2; ; ) {
    while (view.getUint8(place) !== 0xff || view.getUint8(place + 1) === 0xff) place += 1;
    const marker = view.getUint8(place + 1);
    if (marker === 0xd9) break;
    if (marker >= 0xd0 && marker <= 0xd7) throw new Unsupported("a restart too many");
    const [start, end] = [place + 4, place + 2 + view.getUint16(place + 2)];
    place = end;
    if (marker === 0xdb) readQuantization(view, start, end, quantization);
    else if (marker === 0xc4) readHuffman(view, start, end, tables);
    else if (marker === 0xdd) restart = view.getUint16(start);
    else if (marker === 0xe0) jfif ||= view.getUint32(start) === 0x4a464946;
    else if (marker === 0xee && view.getUint32(start) === 0x41646f62) {
      adobe = view.getUint8(start + 11);
    } else if (marker >= 0xc0 && marker <= 0xcf) {
      if (frame !== null) throw new Unsupported("two frames");
      frame = readFrame(view, marker, start);
    } else if (marker === 0xda) {
      if (frame === null) throw new Unsupported("a scan without a frame");
      const mcus = {
        across: Math.ceil(frame.width / (8 * frame.h)),
        down: Math.ceil(frame.height / (8 * frame.v)),
      };
      const scan = readScan(view, start, frame, tables, restart);
      if (scan.low === 0) exact += scan.components.length * (scan.last - scan.first + 1);
      place = decodeScan(bytes, end, scan, frame.progressive, mcus);
    }
  }
  if (frame === null) throw new Unsupported("no frame");
  if (exact < 64 * frame.components.length) throw new Cut();
  const ids = frame.components.map((one) => String.fromCharCode(one.id)).join("");
  const rgb = !jfif && (adobe >= 0 ? adobe === 0 : ids === "RGB");
  return { frame, quantization, rgb };
}

function toImage({ frame, quantization, rgb }: Coded, side: number): RgbImage {
  const width = Math.ceil((frame.width * side) / 8);
  const height = Math.ceil((frame.height * side) / 8);
  const planes = frame.components.map((one) => {
    const table = quantization[one.table];
    if (table === undefined) throw new Unsupported("no quantization");
    // Halved components are brought to size by a larger transform where that suffices.
    const [across, down] = [frame.h / one.h, frame.v / one.v];
    const larger = across === 2 && down === 2 ? 2 * side : side;
    const plane = samples(one.coefficients, table, one.storedAcross, larger);
    if (larger > side || (across === 1 && down === 1)) return plane;
    if (down > 1) throw new Unsupported("sampling");
    return widened(plane, Math.ceil(width / 2), one.blocksDown * side, side > 1);
  });
  const data =
    planes.length === 1 ? grey(planes[0]!, width, height) : color(planes, rgb, width, height);
  return { data, width, height };
}

/** Double the samples across: weighed by their nearness (3 to 1) if `smooth`, else repeated. */
function widened({ data, stride }: Plane, width: number, height: number, smooth: boolean): Plane {
  const wide = new Uint8Array(2 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [at, to] = [y * stride + x, 2 * (y * width + x)];
      const here = data[at]!;
      const near = smooth && width > 2;
      wide[to] = near && x > 0 ? (3 * here + data[at - 1]! + 1) >> 2 : here;
      wide[to + 1] = near && x < width - 1 ? (3 * here + data[at + 1]! + 2) >> 2 : here;
    }
  }
  return { data: wide, stride: 2 * width };
}

function grey({ data, stride }: Plane, width: number, height: number): Uint8Array {
  const out = new Uint8Array(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let at = y * stride; at < y * stride + width; at++, to += 3) {
      out.fill(data[at]!, to, to + 3);
    }
  }
  return out;
}

function color(planes: readonly Plane[], rgb: boolean, width: number, height: number): Uint8Array {
  const [first, second, third] = planes as [Plane, Plane, Plane];
  const out = new Uint8ClampedArray(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const a = first.data[y * first.stride + x]!;
      const b = second.data[y * second.stride + x]!;
      const c = third.data[y * third.stride + x]!;
      // ITU-T T.871 in a fixed point of 16 bits.
      out[to] = rgb ? a : a + ((91881 * (c - 128) + 32768) >> 16);
      out[to + 1] = rgb ? b : a + ((-22554 * (b - 128) - 46802 * (c - 128) + 32768) >> 16);
      out[to + 2] = rgb ? c : a + ((116130 * (b - 128) + 32768) >> 16);
    }
  }
  return new Uint8Array(out.buffer);
}
