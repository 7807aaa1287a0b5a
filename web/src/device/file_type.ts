/** Detects the format of a file by its first bytes, as `imaging/file_type.py` does. */

/** Formats of photographs. */
export type FileType = "JPEG" | "PNG" | "WEBP" | "TIFF" | "BMP" | "HEIF" | "AVIF" | "DICOM";

/** Number of bytes that `detectFileType` looks at. */
export const HEAD = 192;

const MAGIC: readonly (readonly [string, FileType])[] = [
  ["\xff\xd8\xff", "JPEG"],
  ["\x89PNG\r\n\x1a\n", "PNG"],
  ["BM", "BMP"],
  ["II*\0", "TIFF"],
  ["MM\0*", "TIFF"],
  ["II+\0", "TIFF"],
  ["MM\0+", "TIFF"],
];
const HEIF = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"];
const AVIF = ["avif", "avis"];
const FILM_BOXES = ["moov", "mdat", "wide", "pnot", "skip", "free"];
const FILM_STARTS = [
  "\x1aE\xdf\xa3",
  "\0\0\x01\xba",
  "\0\0\x01\xb3",
  "0&\xb2u\x8ef\xcf\x11",
  "FLV\x01",
  "OggS",
];

/** Return the format of a file by its first `HEAD` bytes; null for anything else. */
export function detectFileType(bytes: Uint8Array): FileType | "video" | null {
  const head = text(bytes, 0, HEAD);
  for (const [start, kind] of MAGIC) if (head.startsWith(start)) return kind;
  if (head.startsWith("RIFF")) {
    const form = head.slice(8, 12);
    return form === "WEBP" ? "WEBP" : form === "AVI " ? "video" : null;
  }
  if (head.slice(4, 8) === "ftyp") return typeOfBrands(bytes, head);
  if (FILM_BOXES.includes(head.slice(4, 8))) return "video";
  if (FILM_STARTS.some((start) => head.startsWith(start))) return "video";
  if (head.slice(128, 132) === "DICM") return "DICOM";
  return head[0] === "G" && head[188] === "G" ? "video" : null;
}

/** Return bytes from `start` up to `end` as characters of the same codes. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** Tell HEIC and AVIF from films, which begin with the same box. */
function typeOfBrands(bytes: Uint8Array, head: string): FileType | "video" {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const end = Math.min(size, head.length);
  const brands = [head.slice(8, 12)];
  for (let place = 16; place < end - 3; place += 4) brands.push(head.slice(place, place + 4));
  if (brands.some((brand) => AVIF.includes(brand))) return "AVIF";
  return brands.some((brand) => HEIF.includes(brand)) ? "HEIF" : "video";
}
