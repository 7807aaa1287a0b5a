import { describe, expect, test } from "vitest";
import { centredSquare } from "../src/device/resample";
import { apart, bytes, golden } from "./golden";

interface Case {
  readonly width: number;
  readonly height: number;
  readonly px: number;
  readonly pixels: string;
  readonly square: string;
}

describe("the centred square is Pillow's bit for bit", () => {
  test.each(golden<Case[]>("resample"))("$width x $height to $px", ({ pixels, square, ...one }) => {
    const picture = { data: bytes(pixels), width: one.width, height: one.height };
    expect(apart(centredSquare(picture, one.px), bytes(square))).toBe(0);
  });
});
