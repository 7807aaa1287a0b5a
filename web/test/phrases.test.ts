import { expect, test } from "vitest";
import { fixed, percent } from "../src/device/format";
import { ADVICE } from "../src/device/quality_issues";
import { DERMOSCOPY, FORCED, ROUNDED, SIMULATED } from "../src/view/phrases";
import { golden } from "./golden";

interface Texts {
  readonly sentences: Record<string, string>;
  readonly advice: Record<string, string>;
  readonly numbers: { value: number; digits: string[]; percent: string }[];
}

const texts = golden<Texts>("texts");

test("sentences are those of terminals and pictures", () => {
  expect({ DERMOSCOPY, FORCED, ROUNDED, SIMULATED }).toEqual(texts.sentences);
});

test("concerns and advice are worded and ordered alike", () => {
  expect(Object.entries(ADVICE)).toEqual(Object.entries(texts.advice));
});

test.each(texts.numbers)("$value is written as Python writes it", (one) => {
  expect([0, 1, 2, 3].map((digits) => fixed(one.value, digits))).toEqual(one.digits);
  expect(`${percent(one.value)}%`).toBe(one.percent);
});
