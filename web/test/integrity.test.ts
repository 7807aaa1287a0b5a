import { describe, expect, test } from "vitest";
import type { FileType } from "../src/device/file_type";
import {
  isTorn,
  lacksPages,
  mendedJpeg,
  shortenedWebp,
  stopsWithinARow,
} from "../src/device/integrity";
import { decodeJpeg } from "../src/device/jpeg";
import { apart, bytes, golden } from "./golden";

interface File {
  readonly name: string;
  readonly kind: FileType;
  readonly file: string;
  readonly torn: boolean;
}

const files = golden<File[]>("torn").map(({ file, ...rest }) => ({
  ...rest,
  content: bytes(file) as Uint8Array<ArrayBuffer>,
}));

test.each([
  [4096, 8192, 9, true],
  [4097, 8192, 9, false],
  [4096, 4096, 1, true],
  [4096, 4095, 5000, false],
  [4096, 8193, 5000, false],
  [8192, 4096, 0, false],
  [0, 4096, 10, false],
])("%i bytes, %i zeros, %i bytes", (before, zeros, after, lacking) => {
  const file = new Uint8Array(before + zeros + after).fill(0x50);
  file.fill(0, before, before + zeros);
  expect(lacksPages(file, 1)).toBe(lacking);
  expect(lacksPages(file, 0x51)).toBe(false);
});

test("the cases are of both kinds", () => {
  for (const kind of ["BMP", "WEBP"]) {
    const torn = files.filter((one) => one.kind === kind).map((one) => one.torn);
    expect(new Set(torn)).toEqual(new Set([true, false]));
  }
});

test.each(files.filter(({ kind }) => kind !== "WEBP"))(
  "$name is torn here as in Python: $torn",
  ({ kind, content, torn }) => {
    expect(isTorn(kind, content)).toBe(torn);
  },
);

// Whether the shortened file opens is for the browser to say.
test.each(files.filter(({ kind, torn }) => kind === "WEBP" && torn))(
  "$name is asked again",
  ({ content }) => {
    const short = shortenedWebp(content)!;
    expect(new DataView(short.buffer).getUint32(4, true)).toBe(short.length - 8);
    expect(short.length).toBeLessThan(content.length);
  },
);

test("a whole photograph is not asked again", () => {
  const whole = files.filter(
    ({ kind, name }) => kind === "WEBP" && /, {2}1$|, {2}1\.0$/.test(name),
  );
  expect(whole.length).toBeGreaterThan(0);
  for (const { content } of whole) expect(shortenedWebp(content)).toBeNull();
});

describe("whatever is cut off", () => {
  test.each(files.filter(({ name }) => name.endsWith("1.0")))(
    "$name: nothing fails",
    ({ kind, content }) => {
      for (let length = 0; length < 300; length++) {
        const part = content.slice(0, length);
        expect(() => [isTorn(kind, part), shortenedWebp(part)]).not.toThrow();
      }
    },
  );
});

test("black rows, corners and a last row are no tears", () => {
  const rows = new Uint8Array(10 * 30).fill(80);
  const after = (from: number): boolean => {
    const torn = rows.slice();
    torn.fill(0, from);
    return stopsWithinARow(torn, 30, 3, 10);
  };
  expect([after(120), after(135), after(285), after(300)]).toEqual([false, true, false, false]);
});

describe.each(golden<{ name: string; file: string }[]>("jpegs"))("$name", ({ name, file }) => {
  const whole = bytes(file) as Uint8Array<ArrayBuffer>;

  test("a whole file stays as it is, with whatever behind it", () => {
    expect(mendedJpeg(whole)).toBe(whole);
    const longer = new Uint8Array(whole.length + 5000);
    longer.set(whole);
    expect(mendedJpeg(longer)).toBe(longer);
  });

  test("only its end marker may be lost", () => {
    for (const lost of [1, 2, 3, 4, 5, 8, 50, 500]) {
      const cut = whole.slice(0, whole.length - lost);
      const zeros = whole.slice();
      zeros.fill(0, whole.length - lost);
      for (const torn of [cut, zeros]) {
        const mended = mendedJpeg(torn);
        const isMended = mended !== torn;
        if (lost > 2 || name.includes("progressive")) expect(isMended).toBe(false);
        else expect(isMended).toBe(decodeJpeg(whole, 8) !== null);
        if (isMended) {
          expect(apart(decodeJpeg(mended, 2)!.data, decodeJpeg(whole, 2)!.data)).toBe(0);
        }
      }
    }
  });
});
