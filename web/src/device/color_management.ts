/**
 * Colour profiles of JPEGs. The browser decodes the file without its profile; the square becomes a
 * PNG with that in it, so that the browser converts it as any other picture: after shrinking, as
 * `imaging/color_management.py` does.
 */

import { readRows } from "./canvas";
import { text } from "./file_type";
import { segments } from "./image_head";

const NAME = "ICC_PROFILE\0";
const MOST = 4 * 2 ** 20;

/** Return the RGB profile (ICC) of a JPEG, null where it has none, and the file without it. */
export function withoutProfile(bytes: Uint8Array<ArrayBuffer>): {
  readonly profile: Uint8Array | null;
  readonly plain: Uint8Array<ArrayBuffer>;
} {
  const parts: Uint8Array[] = [];
  const plain = bytes.slice();
  for (const [marker, start, end] of segments(new DataView(bytes.buffer))) {
    if (marker === 0xe2 && text(bytes, start, start + NAME.length) === NAME) {
      parts[bytes[start + NAME.length]!] = bytes.subarray(start + NAME.length + 2, end);
      plain[start] = 0x4e; // a name that nobody knows
    }
  }
  const profile = concatenated(parts.filter((part) => part !== undefined));
  const fits = profile.length > 128 && profile.length <= MOST;
  const isRgb = text(profile, 16, 20) === "RGB " && text(profile, 36, 40) === "acsp";
  return fits && isRgb ? { profile, plain } : { profile: null, plain: bytes };
}

/** Convert a square of `imageSize` x `imageSize` to sRGB; a profile that makes no sense changes nothing. */
export async function toSrgb(
  square: Uint8Array,
  imageSize: number,
  profile: Uint8Array | null,
): Promise<Uint8Array> {
  if (profile === null) return square;
  let bitmap: ImageBitmap;
  try {
    const file = new Blob([await png(square, imageSize, profile)], { type: "image/png" });
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "default" });
  } catch {
    return square;
  }
  try {
    return readRows(bitmap, 0, imageSize).data as Uint8Array;
  } finally {
    bitmap.close();
  }
}

/** Write RGB pixels as PNG (ISO/IEC 15948) with a profile. */
async function png(
  square: Uint8Array,
  imageSize: number,
  profile: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, imageSize);
  view.setUint32(4, imageSize);
  head.set([8, 2], 8); // bits, RGB
  const rows = new Uint8Array(imageSize * (3 * imageSize + 1)); // each begins with its filter: none
  for (let row = 0; row < imageSize; row++) {
    rows.set(
      square.subarray(3 * imageSize * row, 3 * imageSize * (row + 1)),
      row * (3 * imageSize + 1) + 1,
    );
  }
  return concatenated([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", head),
    chunk("iCCP", concatenated([Uint8Array.of(0x69, 0, 0), await deflated(profile)])),
    chunk("IDAT", await deflated(rows)),
    chunk("IEND", new Uint8Array()),
  ]);
}

function chunk(name: string, content: Uint8Array): Uint8Array {
  const whole = new Uint8Array(content.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, content.length);
  whole.set(
    Array.from(name, (letter) => letter.charCodeAt(0)),
    4,
  );
  whole.set(content, 8);
  view.setUint32(content.length + 8, crc(whole.subarray(4, content.length + 8)));
  return whole;
}

function crc(content: Uint8Array): number {
  let sum = ~0;
  for (const byte of content) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

async function deflated(content: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([content as Uint8Array<ArrayBuffer>]).stream();
  const packed = stream.pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
