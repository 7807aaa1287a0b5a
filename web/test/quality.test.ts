import { describe, expect, test } from "vitest";
import type { Bounds, Concern, Quality } from "../src/answer";
import { judge, judgeDistance, limitsOf, measure } from "../src/device/quality";
import { bytes, golden } from "./golden";

interface Case {
  readonly name: string;
  readonly side: number;
  readonly pixels: string;
  readonly quality: Quality;
  readonly concerns: Concern[];
}

const limits = golden<{ record: { gate: { limits: Record<string, Bounds> } } }>("reading").record
  .gate.limits;

describe.each(golden<Case[]>("quality"))("$name", ({ side, pixels, quality, concerns }) => {
  const found = measure(bytes(pixels), side, quality.width, quality.height);

  test.each(Object.keys(quality) as (keyof Quality)[])("%s", (name) => {
    // numpy adds and multiplies in single precision.
    expect(Math.abs(found[name] - quality[name])).toBeLessThan(2e-6 * Math.max(1, quality[name]));
  });

  test("what is said of it", () => {
    expect(judge(found, limitsOf(limits))).toEqual(concerns);
  });
});

describe("limits that make no sense are refused", () => {
  test("a measure is missing", () => {
    const { sharpness: _, ...rest } = limits;
    expect(() => limitsOf(rest)).toThrow("limits of sharpness");
  });

  test("refused before doubted", () => {
    const turned = { ...limits, dark_share: { doubtful: 0.5, refused: 0.4 } };
    expect(() => limitsOf(turned)).toThrow("limits of dark_share");
  });
});

test("distances are judged alike", () => {
  const { distances } = golden<{ distances: { distance: string; concern: Concern | null }[] }>(
    "words",
  );
  for (const { distance, concern } of distances) {
    expect(judgeDistance(Number(distance.replace("inf", "Infinity")), 100, 200)).toEqual(concern);
  }
});
