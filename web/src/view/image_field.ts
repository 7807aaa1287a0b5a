/** The form's field of a photograph: chosen, dropped, pasted or taken, and shown as the network will see it. */

import { detectFileType, HEAD } from "../device/file_type";
import { declaredSize } from "../device/image_head";
import { byId, inputOf } from "./dom";
import { literal, megabytes } from "./phrases";

/** Side of the square that explanations are drawn over, in pixels. */
export const SIDE = 448;
const PREVIEW = 720; // longer side
const MAX_PIXELS = 90_000_000;

/** The photograph that was chosen. */
export interface ChosenImage {
  readonly file: File;
  /** The centred square, `SIDE` by `SIDE`, RGBA; null where this browser cannot show the file. */
  readonly square: ImageData | null;
}

/** Called with every change; null when there is no photograph any more. */
type Changed = (image: ChosenImage | null) => void;

/** The field; calls back with every photograph that is chosen or removed. */
export class ImageField {
  private turn = 0;
  /** Resolves once the photograph that was chosen last is there, or is none. */
  settled: Promise<void> = Promise.resolve();

  constructor(private readonly changed: Changed) {
    for (const id of ["file", "camera"]) {
      const input = inputOf(id);
      input.addEventListener("change", () => {
        const file = input.files?.[0];
        if (file !== undefined) void this.take(file);
        input.value = ""; // so that the same file may be chosen again
      });
    }
    byId("remove").addEventListener("click", () => {
      this.clear();
      inputOf("file").focus();
    });
    this.listenForDrops();
    document.addEventListener("paste", (event) => {
      const [file] = event.clipboardData?.files ?? [];
      if (file === undefined) return;
      event.preventDefault();
      void this.take(file);
    });
  }

  /** Take a file, unless it is clear at once that it is no photograph. */
  take(file: File): Promise<void> {
    this.settled = this.opening(file);
    return this.settled;
  }

  private async opening(file: File): Promise<void> {
    const turn = ++this.turn;
    const wrong = await whatIsWrong(file);
    if (turn !== this.turn) return;
    if (wrong !== null) {
      this.clear();
      this.complain(wrong);
      return;
    }
    const bitmap = await opened(file);
    if (turn !== this.turn) return;
    this.complain("");
    this.show(file, bitmap);
    this.changed({ file, square: bitmap === null ? null : squareOf(bitmap) });
    bitmap?.close();
  }

  /** Show beside the field what is wrong; an empty text removes it. */
  complain(text: string): void {
    byId("photograph-error").textContent = text;
    for (const id of ["file", "camera"])
      inputOf(id).setAttribute("aria-invalid", String(text !== ""));
  }

  private clear(): void {
    this.turn++;
    this.complain("");
    byId("preview").hidden = true;
    byId("drop").classList.remove("drop-filled");
    byId("choose").textContent = "Choose a photograph";
    this.changed(null);
  }

  private show(file: File, bitmap: ImageBitmap | null): void {
    byId("preview").hidden = false;
    byId("drop").classList.add("drop-filled");
    byId("choose").textContent = "Choose another";
    byId("preview-name").textContent = literal(file.name);
    const canvas = byId<HTMLCanvasElement>("preview-picture");
    canvas.hidden = bitmap === null;
    const note = byId("preview-note");
    if (bitmap === null) {
      note.textContent = `${megabytes(file.size)}; this browser cannot show it.`;
      return;
    }
    const { width, height } = bitmap;
    const even = Math.abs(width - height) < 0.02 * Math.max(width, height);
    note.textContent = `${width} x ${height} pixels.${even ? "" : " The network sees the square in the middle."}`;
    draw(canvas, bitmap);
  }

  private listenForDrops(): void {
    const drop = byId("drop");
    let within = 0;
    const mark = (): void => void drop.classList.toggle("drop-over", within > 0);
    document.addEventListener("dragenter", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      within++;
      mark();
    });
    document.addEventListener("dragleave", () => {
      within = Math.max(0, within - 1);
      mark();
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      within = 0;
      mark();
      const [file] = event.dataTransfer?.files ?? [];
      if (file !== undefined) void this.take(file);
    });
  }
}

async function whatIsWrong(file: File): Promise<string | null> {
  if (file.size === 0) return "This file is empty. Choose another one.";
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  } catch {
    return "This cannot be read as a file. Choose one photograph.";
  }
  switch (detectFileType(head)) {
    case "video":
      return "This is a video. Take one sharp photograph instead.";
    case null:
      return "This is no photograph. JPEG, PNG and WebP can be read.";
    default:
      return null;
  }
}

/** Decode a photograph for showing it; null where this browser cannot. */
async function opened(file: File): Promise<ImageBitmap | null> {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const kind = detectFileType(bytes);
    const size = kind === null || kind === "video" ? null : declaredSize(kind, bytes);
    // A small file may unfold into gigabytes.
    if (size !== null && size.width * size.height > MAX_PIXELS) return null;
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}

/** Draw the whole photograph, with a veil over what lies outside the network's square. */
function draw(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  const scale = Math.min(1, PREVIEW / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.imageSmoothingQuality = "high";
  const { width, height } = canvas;
  context.fillStyle = "#fff"; // transparency over white, as everywhere
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const side = Math.min(width, height);
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  context.fillStyle = "rgb(255 255 255 / 65%)";
  context.fillRect(0, 0, left, height);
  context.fillRect(width - left, 0, left, height);
  context.fillRect(0, 0, width, top);
  context.fillRect(0, height - top, width, top);
}

function squareOf(bitmap: ImageBitmap): ImageData | null {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return null;
  context.fillStyle = "#fff"; // transparency over white, as everywhere
  context.fillRect(0, 0, SIDE, SIDE);
  context.imageSmoothingQuality = "high";
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context.drawImage(bitmap, left, top, side, side, 0, 0, SIDE, SIDE);
  return context.getImageData(0, 0, SIDE, SIDE);
}
