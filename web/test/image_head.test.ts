import { describe, expect, test } from "vitest";
import { detectFileType, type FileType, HEAD } from "../src/device/file_type";
import { declaredSize } from "../src/device/image_head";
import { jpegOrientation, upright, withoutOrientation } from "../src/device/orientation";
import { apart, bytes, golden } from "./golden";

interface File {
  readonly name: string;
  readonly kind: FileType;
  readonly file: string;
  readonly orientation: number;
}

const files = golden<File[]>("heads");

test.each(golden<{ head: string; kind: string | null }[]>("kinds"))(
  "$head is known as $kind",
  ({ head, kind }) => {
    expect(detectFileType(bytes(head))).toBe(kind);
  },
);

describe.each(files)("$name", ({ kind, file, orientation }) => {
  test("is known by its head", () => {
    expect(detectFileType(bytes(file).subarray(0, HEAD))).toBe(kind);
  });

  test("its size is found", () => {
    expect(declaredSize(kind, bytes(file))).toEqual({ width: 37, height: 21 });
  });

  test("wherever it is cut, nothing fails", () => {
    for (let length = 0; length < 400; length++) {
      const part = bytes(file).slice(0, length);
      expect(() => [declaredSize(kind, part), jpegOrientation(part)]).not.toThrow();
      expect(() => withoutOrientation(part)).not.toThrow();
    }
  });

  test("its orientation is found, and taken out of WebP", () => {
    if (kind === "JPEG") expect(jpegOrientation(bytes(file))).toBe(orientation);
    if (kind !== "WEBP") return;
    const { plain, ...found } = withoutOrientation(bytes(file) as Uint8Array<ArrayBuffer>);
    expect(found.orientation).toBe(orientation);
    expect(withoutOrientation(plain).orientation).toBe(1);
    expect(plain).toHaveLength(bytes(file).length);
  });
});

interface Turn {
  readonly orientation: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: string;
}

test.each(golden<Turn[]>("turns"))("turned by $orientation", ({ orientation, pixels, ...size }) => {
  const data = Uint8Array.from({ length: 3 * 4 * 7 }, (_, at) => at);
  const { data: found, ...turned } = upright({ data, width: 7, height: 4 }, orientation);
  expect(turned).toEqual(size);
  expect(apart(found, bytes(pixels))).toBe(0);
});
