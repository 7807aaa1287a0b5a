/**
 * How a photograph is to be turned, as EXIF says (1 to 8; TIFF 6.0, tag 274). Browsers turn JPEG
 * and PNG by themselves; of WebP, Chromium does not. There it is done here, for all browsers.
 */

import { text } from "./file_type";
import { segments } from "./image_head";
import type { RgbImage } from "./resample";

const ORIENTATION = 0x0112;
const EXIF = "Exif\0\0";
const HAS_EXIF = 0x08; // among the flags of a WebP

/** Return the orientation of a JPEG; 1 where it states none or its EXIF is broken. */
export function jpegOrientation(bytes: Uint8Array): number {
  return orElse(1, () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [marker, start, end] of segments(view)) {
      if (marker === 0xe1 && text(bytes, start, start + 6) === EXIF) {
        return orientationIn(bytes.subarray(start + 6, end));
      }
    }
    return 1;
  });
}

/** Return the orientation of a WebP, and the same file without it. */
export function withoutOrientation(bytes: Uint8Array<ArrayBuffer>): {
  readonly orientation: number;
  readonly plain: Uint8Array<ArrayBuffer>;
} {
  const plain = bytes.slice();
  const view = new DataView(plain.buffer);
  const orientation = orElse(1, () => {
    for (let place = 12; place + 8 <= plain.length; ) {
      const [name, size] = [text(plain, place, place + 4), view.getUint32(place + 4, true)];
      const start = place + 8;
      if (name === "EXIF") {
        plain.set([0x4a, 0x55, 0x4e, 0x4b], place); // a name that nobody knows
        plain[20] = plain[20]! & ~HAS_EXIF;
        const skip = text(plain, start, start + 6) === EXIF ? 6 : 0;
        return orientationIn(plain.subarray(start + skip, start + size));
      }
      place = start + size + (size & 1);
    }
    return 1;
  });
  return { orientation, plain };
}

/** Turn an image upright, as its orientation (1 to 8) says. */
export function upright(image: RgbImage, orientation: number): RgbImage {
  if (orientation === 1) return image;
  const swapped = orientation >= 5;
  const width = swapped ? image.height : image.width;
  const height = swapped ? image.width : image.height;
  // Whether columns and rows of the upright image run backwards in the file.
  const mirrored = [2, 3, 6, 7].includes(orientation);
  const flipped = [3, 4, 7, 8].includes(orientation);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [column, row] = [mirrored ? width - 1 - x : x, flipped ? height - 1 - y : y];
      const from = 3 * (swapped ? column * image.width + row : row * image.width + column);
      data[to] = image.data[from]!;
      data[to + 1] = image.data[from + 1]!;
      data[to + 2] = image.data[from + 2]!;
    }
  }
  return { data, width, height };
}

function orientationIn(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  const count = view.getUint16(directory, little);
  for (let entry = 0; entry < count; entry++) {
    const place = directory + 2 + 12 * entry;
    if (view.getUint16(place, little) !== ORIENTATION) continue;
    const value = view.getUint16(place + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Call `find`; where it reads beyond the file, EXIF is broken and `otherwise` is returned. */
function orElse<T>(otherwise: T, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof RangeError) return otherwise;
    throw error;
  }
}
