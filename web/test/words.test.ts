import { expect, test } from "vitest";
import { ADVICE } from "../src/device/concern";
import { fixed, percent } from "../src/device/format";
import { DERMOSCOPY, FORCED, ROUNDED, SIMULATED } from "../src/view/wording";
import { golden } from "./golden";

interface Words {
  readonly sentences: Record<string, string>;
  readonly advice: Record<string, string>;
  readonly numbers: { value: number; digits: string[]; percent: string }[];
}

const words = golden<Words>("words");

test("sentences are those of terminals and pictures", () => {
  expect({ DERMOSCOPY, FORCED, ROUNDED, SIMULATED }).toEqual(words.sentences);
});

test("concerns and advice are worded and ordered alike", () => {
  expect(Object.entries(ADVICE)).toEqual(Object.entries(words.advice));
});

test.each(words.numbers)("$value is written as Python writes it", (one) => {
  expect([0, 1, 2, 3].map((digits) => fixed(one.value, digits))).toEqual(one.digits);
  expect(`${percent(one.value)}%`).toBe(one.percent);
});
