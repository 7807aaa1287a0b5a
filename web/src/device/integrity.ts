/**
 * Finds torn files that browsers decode in silence, as `imaging/integrity.py` does: zeros where the
 * rest of a download should be. What is cut off, and torn JPEGs and PNGs, browsers refuse.
 */

import { type FileType, text } from "./file_type";
import { segments } from "./image_head";
import { decodeJpeg } from "./jpeg";

type Bytes = Uint8Array<ArrayBuffer>;

// Bytes of a picture's data that its decoder misses; libwebp ends VP8 in up to 3 unused ones.
const MISSED: Readonly<Record<string, number>> = { "VP8 ": 5, VP8L: 3 };
const HOLE = 64; // zeros within the data of a WebP that make it look torn
// What a sparse copy leaves out, or a torrent has not fetched yet, begins and ends with a page.
const PAGE = 4096;
// In rows of pixels the edge of a black border is dark, and what lies beside a hole seldom is.
const LIT = 16;
const FEWEST_ZEROS = 8; // at the end of HEIC's and AVIF's data, which no encoder leaves
const FEWEST_PIXELS = 2; // beside the tear of an uncompressed row
const MOSTLY = 0.95;

/** Whether pages of a file are left out, or a HEIC, AVIF or BMP is cut off or ends in zeros. */
export function isTorn(kind: FileType, bytes: Bytes): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (lacksPages(bytes, kind === "TIFF" || kind === "BMP" ? LIT : 1)) return true;
  try {
    if (kind === "HEIF" || kind === "AVIF") return endsInNothing(view, bytes);
    return kind === "BMP" && isTornBmp(view, bytes);
  } catch (error) {
    if (error instanceof RangeError) return true; // cut off within its head
    throw error;
  }
}

/** Whether whole pages of a file are zeros between bytes of `lit` and more. */
export function lacksPages(bytes: Uint8Array, lit: number): boolean {
  for (let start = PAGE; start + PAGE < bytes.length; start += PAGE) {
    if (!isBlank(bytes, start)) continue;
    const before = bytes[start - 1]!;
    while (start + PAGE < bytes.length && isBlank(bytes, start)) start += PAGE;
    if (Math.min(before, bytes[start]!) >= lit) return true;
  }
  return false;
}

function isBlank(bytes: Uint8Array, start: number): boolean {
  for (let at = start; at < start + PAGE; at++) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * A JPEG with an end marker where it lacks nothing else: a picture in one scan, decoded to its last
 * bit. Browsers refuse it without; of several scans nobody knows how many are missing.
 */
export function mendedJpeg(bytes: Bytes): Bytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [scan, components] = [2, 0];
  try {
    for (const [marker, start, end] of segments(view)) {
      if (marker === 0xc0 || marker === 0xc1) components = view.getUint8(start + 5);
      scan = end;
    }
    const isSingle = components > 0 && view.getUint8(scan + 4) === components;
    if (!isSingle || hasEnd(bytes, scan)) return bytes;
  } catch (error) {
    if (error instanceof RangeError) return bytes; // the file ends before its scan
    throw error;
  }
  let end = bytes.length - zerosAtEnd(bytes);
  // Either a byte of data, which a zero follows, or half of the marker that is lost.
  if (bytes[end - 1] === 0xff) end += end === bytes.length ? -1 : 1;
  const mended = new Uint8Array(end + 2);
  mended.set(bytes.subarray(0, end));
  mended.set([0xff, 0xd9], end);
  return decodeJpeg(mended, 8) === null ? bytes : mended;
}

function hasEnd(bytes: Uint8Array, scan: number): boolean {
  for (let at = bytes.lastIndexOf(0xd9); at > scan; at = bytes.lastIndexOf(0xd9, at - 1)) {
    if (bytes[at - 1] === 0xff) return true;
  }
  return false;
}

/**
 * A WebP whose picture may be torn, without the last bytes of its data: what can still be decoded
 * was torn, since a whole picture's decoder misses them. Null where nothing looks torn.
 */
export function shortenedWebp(bytes: Bytes): Bytes | null {
  const picture = firstPicture(bytes, 12);
  if (picture === null) return null;
  const { name, data } = picture;
  const missed = MISSED[name]!;
  if (zerosAtEnd(data) < missed && !hasHole(data)) return null;
  const size = Math.max(0, data.length - missed);
  const file = new Uint8Array(20 + size + (size & 1));
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode(`RIFF    WEBP${name}`));
  view.setUint32(4, file.length - 8, true);
  view.setUint32(16, size, true);
  file.set(data.subarray(0, size), 20);
  return file;
}

function firstPicture(bytes: Bytes, start: number): { name: string; data: Bytes } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let place = start; place + 8 <= bytes.length; ) {
    const name = text(bytes, place, place + 4);
    const size = view.getUint32(place + 4, true);
    const data = bytes.subarray(place + 8, place + 8 + size);
    if (name in MISSED) return { name, data };
    const inside = name === "ANMF" ? firstPicture(data, 16) : null;
    if (inside !== null) return inside;
    place += 8 + size + (size & 1);
  }
  return null;
}

function zerosAtEnd(data: Uint8Array): number {
  let end = data.length;
  while (end > 0 && data[end - 1] === 0) end--;
  return data.length - end;
}

function hasHole(data: Uint8Array): boolean {
  for (let at = HOLE - 1; at < data.length; at += HOLE) {
    if (data[at] !== 0) continue;
    let [from, to] = [at, at + 1];
    while (from > 0 && data[from - 1] === 0) from--;
    while (to < data.length && data[to] === 0) to++;
    if (to - from >= HOLE) return true;
  }
  return false;
}

/** Whether the last `mdat` box, which holds the coded picture, is cut off or ends in zeros. */
function endsInNothing(view: DataView, bytes: Bytes): boolean {
  let torn = false;
  for (let place = 0; place + 8 <= bytes.length; ) {
    const declared = view.getUint32(place);
    const name = text(bytes, place + 4, place + 8);
    const size =
      declared === 1 ? Number(view.getBigUint64(place + 8)) : declared || bytes.length - place;
    const end = place + size;
    if (size < 8) return true; // zeros where a box should begin
    if (name === "mdat") {
      torn = end > bytes.length || zerosAtEnd(bytes.subarray(place, end)) >= FEWEST_ZEROS;
    }
    place = end;
  }
  return torn;
}

function isTornBmp(view: DataView, bytes: Bytes): boolean {
  const start = view.getUint32(10, true);
  const old = view.getUint32(14, true) === 12;
  const width = old ? view.getUint16(18, true) : Math.abs(view.getInt32(18, true));
  const height = old ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  const bits = view.getUint16(old ? 24 : 28, true);
  const stride = ((width * bits + 31) >> 5) << 2;
  if (bits < 8 || stride === 0) return false;
  const rows = bytes.subarray(start, start + stride * height);
  return stopsWithinARow(rows, stride, bits >> 3, width);
}

/** Whether rows end in zeros that begin within one of them, under a row that is not black there. */
export function stopsWithinARow(
  rows: Uint8Array,
  stride: number,
  pixel: number,
  width: number,
): boolean {
  const end = rows.length - zerosAtEnd(rows);
  const row = Math.trunc((end - 1) / stride);
  const first = Math.trunc(((end - 1) % stride) / pixel) + 1; // the pixel after the last not black
  if (end === 0 || first < FEWEST_PIXELS || width - first < FEWEST_PIXELS) return false;
  if (rows.length < (row + 2) * stride - (stride - width * pixel)) return false;
  const lit = (y: number, from: number, to: number): number => {
    let count = 0;
    for (let x = from; x < to; x++) {
      const at = y * stride + x * pixel;
      if (rows.subarray(at, at + pixel).some((value) => value > 0)) count++;
    }
    return count / (to - from);
  };
  if (lit(row, first - FEWEST_PIXELS, first) < MOSTLY) return false;
  return (
    row === 0 ||
    (lit(row - 1, first, width) >= MOSTLY && lit(row - 1, width - FEWEST_PIXELS, width) === 1)
  );
}
