import { describe, expect, test } from "vitest";
import { centeredSquare } from "../src/device/resample";
import { apart, bytes, golden } from "./golden";

interface Case {
  readonly width: number;
  readonly height: number;
  readonly image_size: number;
  readonly pixels: string;
  readonly square: string;
}

describe("the centred square is Pillow's bit for bit", () => {
  test.each(golden<Case[]>("resample"))(
    "$width x $height to $image_size",
    ({ pixels, square, ...one }) => {
      const picture = { data: bytes(pixels), width: one.width, height: one.height };
      expect(apart(centeredSquare(picture, one.image_size), bytes(square))).toBe(0);
    },
  );
});
