/**
 * The size that a file says its picture has, before anything is decoded, so that a small file that
 * unfolds into gigabytes is refused unopened.
 */

import { type FileType, text } from "./file_type";

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Return the size that a file declares, as stored; null where it cannot be found. */
export function declaredSize(kind: FileType, bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (kind) {
      case "JPEG":
        return jpegSize(view);
      case "PNG":
        return { width: view.getUint32(16), height: view.getUint32(20) };
      case "BMP":
        return {
          width: Math.abs(view.getInt32(18, true)),
          height: Math.abs(view.getInt32(22, true)), // negative where rows run downwards
        };
      case "WEBP":
        return webpSize(view, text(bytes, 12, 16));
      case "HEIF":
      case "AVIF":
        return largestExtent(view);
      case "TIFF":
      case "DICOM": // neither is opened by browsers, or only by some
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError) return null; // the file ends before it says so
    throw error;
  }
}

/** Yield the segments of a JPEG before its first scan: marker, and where the content begins and ends. */
export function* segments(view: DataView): Generator<[number, number, number]> {
  for (let place = 2; place + 4 <= view.byteLength; ) {
    if (view.getUint8(place) !== 0xff) return;
    const marker = view.getUint8(place + 1);
    if (marker === 0xff) {
      place += 1; // padding
      continue;
    }
    const end = place + 2 + view.getUint16(place + 2);
    if (marker === 0xda) return;
    yield [marker, place + 4, end];
    place = end;
  }
}

function jpegSize(view: DataView): Size | null {
  for (const [marker, start] of segments(view)) {
    // Start of frame: all of C0 to CF but tables (C4, CC) and an extension (C8).
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(start + 3), height: view.getUint16(start + 1) };
    }
  }
  return null;
}

function webpSize(view: DataView, form: string): Size | null {
  const three = (place: number): number =>
    view.getUint16(place, true) | (view.getUint8(place + 2) << 16);
  switch (form) {
    case "VP8X":
      return { width: 1 + three(24), height: 1 + three(27) };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
    }
    case "VP8 ":
      return {
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
      };
    default:
      return null;
  }
}

/** Return the extent of the largest `ispe` box (ISO/IEC 23008-12): a grid of tiles has one of its own. */
function largestExtent(view: DataView): Size | null {
  let largest: Size | null = null;
  // Headers come first; within pictures these four letters would only be chance.
  const end = Math.min(view.byteLength - 16, 2 ** 20);
  for (let place = 4; place < end; place++) {
    if (view.getUint32(place) !== 0x69737065) continue;
    const [width, height] = [view.getUint32(place + 8), view.getUint32(place + 12)];
    if (largest === null || width * height > largest.width * largest.height) {
      largest = { width, height };
    }
  }
  return largest;
}
