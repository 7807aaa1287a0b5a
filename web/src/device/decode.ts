/**
 * From a file to the centred square that networks see, as `imaging/decode.py` does it: upright,
 * sRGB, alpha over white. The browser decodes, but for large JPEGs; what Pillow does afterwards is
 * done here. Pixels and a size are all that leaves.
 */

import { EngineError } from "../engine";
import { readRows, refuseAltered } from "./canvas";
import { toSrgb, withoutProfile } from "./color_management";
import { detectFileType, type FileType, HEAD } from "./file_type";
import { declaredSize, type Size } from "./image_head";
import { isTorn, mendedJpeg, shortenedWebp } from "./integrity";
import { decodeOrCut } from "./jpeg";
import { jpegOrientation, upright, withoutOrientation } from "./orientation";
import type { DecodedImage } from "./postprocess";
import { centeredSquare, type RgbImage, reduce } from "./resample";

/** Most pixels of a photograph, as in the Python package: Pillow's limit for decompression bombs. */
const MAX_PIXELS = 89_478_485;

const STRIP = 2 ** 22; // pixels read from the canvas at once, which phones limit to 2 ** 24
const SAVE_AS = "save it as JPEG or PNG, or let the server compute";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Decode a photograph.
 *
 * @param imageSize - Side of the square that is wanted, in pixels.
 * @throws EngineError of kind "photograph", "format", "large" or "device".
 */
export async function decode(file: Blob, imageSize: number): Promise<DecodedImage> {
  const kind = await admitted(file);
  const stored = new Uint8Array(await file.arrayBuffer());
  const bytes = kind === "JPEG" ? mendedJpeg(stored) : stored;
  const size = declaredSize(kind, bytes);
  refuseLarge(size);
  await refuseTorn(kind, bytes);
  refuseAltered();
  const factor = kind === "JPEG" && size !== null ? draftFactor(size, imageSize) : 1;
  const found = kind === "JPEG" ? decodeOrCut(bytes, factor === 1 ? 8 : factor) : null;
  if (found === "cut") throw torn();
  const draft = factor === 1 ? null : found;
  return draft === null || size === null
    ? decodeWhole(bytes, kind, factor, imageSize)
    : finish(bytes, draft, size, imageSize);
}

/**
 * Pillow lets libjpeg decode large JPEGs at 1/2, 1/4 or 1/8, as long as that leaves twice the
 * wanted side.
 */
function draftFactor({ width, height }: Size, imageSize: number): 1 | 2 | 4 | 8 {
  const scale = Math.min(Math.trunc(width / (2 * imageSize)), Math.trunc(height / (2 * imageSize)));
  return ([8, 4, 2] as const).find((factor) => scale >= factor) ?? 1;
}

/** Crop, resize and convert a JPEG that was decoded here; `size` is that of the whole, as stored. */
async function finish(
  bytes: Bytes,
  draft: RgbImage,
  size: Size,
  imageSize: number,
): Promise<DecodedImage> {
  const orientation = jpegOrientation(bytes);
  const square = centeredSquare(upright(draft, orientation), imageSize);
  const pixels = await toSrgb(square, imageSize, withoutProfile(bytes).profile);
  const { width, height } = size;
  return orientation < 5
    ? { pixels, imageSize, width, height }
    : { pixels, imageSize, width: height, height: width };
}

/** Let the browser decode, and shrink by the factor by which Pillow would have it done. */
async function decodeWhole(
  bytes: Bytes,
  kind: FileType,
  factor: number,
  imageSize: number,
): Promise<DecodedImage> {
  const { orientation, profile, plain } = {
    orientation: 1,
    profile: null,
    plain: bytes,
    ...(kind === "WEBP" ? withoutOrientation(bytes) : {}),
    ...(kind === "JPEG" ? withoutProfile(bytes) : {}),
  };
  const bitmap = await opened(new Blob([plain]), kind);
  try {
    refuseLarge(bitmap);
    const image = upright(shrunk(bitmap, factor), orientation);
    const pixels = await toSrgb(centeredSquare(image, imageSize), imageSize, profile);
    const swapped = orientation >= 5;
    const width = swapped ? bitmap.height : bitmap.width;
    const height = swapped ? bitmap.width : bitmap.height;
    return { pixels, imageSize, width, height };
  } finally {
    bitmap.close();
  }
}

async function admitted(file: Blob): Promise<FileType> {
  if (file.size === 0) throw unreadable("this file is empty");
  const kind = detectFileType(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  if (kind === "video") throw unreadable("this is a video", "take one sharp photograph instead");
  if (kind === null) throw unreadable("this is no photograph", "JPEG, PNG and WebP can be read");
  return kind;
}

async function opened(file: Blob, kind: FileType): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "default",
      premultiplyAlpha: "default",
    });
  } catch {
    const name = kind === "HEIF" ? "HEIC" : kind;
    if (["HEIF", "TIFF", "AVIF", "DICOM"].includes(kind)) {
      const found = `this browser cannot read ${name} photographs, or this one is broken`;
      throw new EngineError("format", found, SAVE_AS);
    }
    throw unreadable(`this ${name} file is broken`);
  }
}

async function refuseTorn(kind: FileType, bytes: Bytes): Promise<void> {
  const shortened = kind === "WEBP" ? shortenedWebp(bytes) : null;
  if (isTorn(kind, bytes) || (shortened !== null && (await canOpen(shortened)))) {
    throw torn();
  }
}

function torn(): EngineError {
  return unreadable("this file is not whole", "copy or download it again");
}

async function canOpen(file: Bytes): Promise<boolean> {
  try {
    (await createImageBitmap(new Blob([file]))).close();
    return true;
  } catch {
    return false;
  }
}

function refuseLarge(size: { readonly width: number; readonly height: number } | null): void {
  if (size === null || size.width * size.height <= MAX_PIXELS) return;
  const most = Math.floor(MAX_PIXELS / 1e6);
  const found = `this photograph has ${size.width} x ${size.height} pixels, more than ${most} million`;
  throw new EngineError("large", found, "make it smaller");
}

/** Read a bitmap, each `factor` x `factor` pixels as their mean. */
function shrunk(bitmap: ImageBitmap, factor: number): RgbImage {
  const width = Math.ceil(bitmap.width / factor);
  const height = Math.ceil(bitmap.height / factor);
  const data = new Uint8Array(3 * width * height);
  const rows = Math.max(1, Math.trunc(STRIP / bitmap.width / factor)) * factor;
  for (let start = 0, place = 0; start < bitmap.height; start += rows) {
    const strip = readRows(bitmap, start, Math.min(start + rows, bitmap.height));
    const box = { left: 0, top: 0, right: strip.width, bottom: strip.height };
    const part = factor === 1 ? strip : reduce(strip, factor, box);
    data.set(part.data, place);
    place += part.data.length;
  }
  return { data, width, height };
}

function unreadable(found: string, mend = "choose another photograph"): EngineError {
  return new EngineError("photograph", found, mend);
}
