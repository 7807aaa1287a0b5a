/** Reads pixels of what the browser decodes, by way of a canvas. */

import { EngineError } from "../engine";
import type { RgbImage } from "./resample";

/** Read the rows of a bitmap from `first` up to `end` as RGB over white. */
export function readRows(bitmap: ImageBitmap, first: number, end: number): RgbImage {
  const { width } = bitmap;
  const height = end - first;
  const context = canvas(width, height);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, -first);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from]!;
    data[to + 1] = rgba[from + 1]!;
    data[to + 2] = rgba[from + 2]!;
  }
  return { data, width, height };
}

/** Throw an EngineError where the browser adds noise to what pages read of pictures. */
export function refuseAltered(): void {
  const context = canvas(16, 16);
  const image = context.createImageData(16, 16);
  image.data.forEach((_, at) => {
    image.data[at] = at % 4 === 3 ? 255 : (37 * at) % 256;
  });
  context.putImageData(image, 0, 0);
  const { data } = context.getImageData(0, 0, 16, 16);
  if (data.some((value, at) => value !== image.data[at])) {
    throw cannot("this browser alters the pictures that pages read");
  }
}

function canvas(width: number, height: number): OffscreenCanvasRenderingContext2D {
  if (typeof OffscreenCanvas === "undefined") throw cannot("this browser is too old to compute");
  const context = new OffscreenCanvas(width, height).getContext("2d", {
    alpha: false,
    colorSpace: "srgb",
    willReadFrequently: true,
  });
  if (context === null) throw cannot("this browser gives pages no canvas");
  context.imageSmoothingEnabled = false;
  return context;
}

function cannot(found: string): EngineError {
  return new EngineError("device", found, "allow it for this page, or let the server compute");
}
