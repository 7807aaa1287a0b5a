import { describe, expect, test } from "vitest";
import { decodeJpeg, decodeOrCut } from "../src/device/jpeg";
import { apart, bytes, golden } from "./golden";

interface Case {
  readonly name: string;
  readonly file: string;
  readonly cuts: { at: number; torn: boolean }[];
  readonly at: { factor: 2 | 4 | 8; width: number; height: number; pixels: string }[];
}

const cases = golden<Case[]>("jpegs");

describe.each(cases)("$name", ({ file, at, cuts }) => {
  test("cut off and given an end marker it is torn, as in Python", () => {
    const whole = bytes(file);
    const found = cuts.map(({ at: place }) => {
      const cut = whole.slice(0, place + 2);
      cut.set([0xff, 0xd9], place);
      return { at: place, torn: decodeOrCut(cut, 8) === "cut" };
    });
    expect(found).toEqual(cuts);
    expect(new Set(found.map(({ torn }) => torn))).toEqual(new Set([true, false]));
  });

  test.each(at)("at 1/$factor it is libjpeg's bit for bit", ({ factor, pixels, ...size }) => {
    const { data, ...found } = decodeJpeg(bytes(file), factor)!;
    expect(found).toEqual(size);
    expect(apart(data, bytes(pixels))).toBe(0);
  });
});

describe("what is broken is left to the browser", () => {
  const file = bytes(cases[0]!.file);

  test.each([0, 1, 2, 10, 100, 300, 620, 1000, file.length - 500, file.length - 2])(
    "the first %s bytes",
    (length) => {
      expect(decodeJpeg(file.subarray(0, length), 2)).toBeNull();
    },
  );

  test("no changed byte leads to an endless loop or an exception", () => {
    for (const name of ["smooth", "progressive, grey", "restarts, progressive"]) {
      const whole = cases.find((one) => one.name === name)!.file;
      for (let at = 2; at < 1500; at += 41) {
        const changed = bytes(whole);
        changed[at]! ^= 0x55;
        expect(() => decodeJpeg(changed, 8)).not.toThrow();
      }
    }
  }, 60_000);
});
