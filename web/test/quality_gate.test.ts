import { describe, expect, test } from "vitest";
import type { QualityIssue, QualityLimits, QualityMeasures } from "../src/answer";
import { measureQuality } from "../src/device/pixel_measures";
import { checkLimits, findDistanceIssue, findIssues } from "../src/device/quality_gate";
import { bytes, golden } from "./golden";

interface Case {
  readonly name: string;
  readonly side: number;
  readonly pixels: string;
  readonly quality: QualityMeasures;
  readonly concerns: QualityIssue[];
}

const limits =
  golden<{ record: { gate: { limits: QualityLimits } } }[]>("answers")[0]!.record.gate.limits;

describe.each(golden<Case[]>("quality"))("$name", ({ side, pixels, quality, concerns }) => {
  const found = measureQuality(bytes(pixels), side, quality.width, quality.height);

  test.each(Object.keys(quality) as (keyof QualityMeasures)[])("%s", (name) => {
    // numpy adds and multiplies in single precision.
    expect(Math.abs(found[name] - quality[name])).toBeLessThan(2e-6 * Math.max(1, quality[name]));
  });

  test("what is said of it", () => {
    expect(findIssues(found, checkLimits(limits))).toEqual(concerns);
  });
});

describe("limits that make no sense are refused", () => {
  test("a measure is missing", () => {
    const { sharpness: _, ...rest } = limits;
    expect(() => checkLimits(rest as QualityLimits)).toThrow("limits of sharpness");
  });

  test("refused before doubted", () => {
    const turned = { ...limits, dark_share: { doubtful: 0.5, refused: 0.4 } };
    expect(() => checkLimits(turned)).toThrow("limits of dark_share");
  });
});

test("distances are judged alike", () => {
  const { distances } = golden<{ distances: { distance: string; concern: QualityIssue | null }[] }>(
    "texts",
  );
  for (const { distance, concern } of distances) {
    expect(findDistanceIssue(Number(distance.replace("inf", "Infinity")), 100, 200)).toEqual(
      concern,
    );
  }
});
