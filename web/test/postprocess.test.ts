import { describe, expect, test } from "vitest";
import type { Answer, BundleInfo, BundleManifest } from "../src/answer";
import { probability } from "../src/device/calibration";
import { DISCLAIMER, shareBelow, toAnswer } from "../src/device/postprocess";
import { caution, headline, standing } from "../src/view/phrases";
import { bytes, golden } from "./golden";

interface Case {
  readonly name: string;
  readonly side: number;
  readonly pixels: string;
  readonly evidence_map: number[][];
  readonly static_logits: number[];
  readonly logit: number;
  readonly distance: number;
  readonly force: boolean;
  readonly prevalence: number;
  readonly answer: Omit<Answer, "bundle">;
  readonly headline: string;
  readonly caution: string;
  readonly standing: string | null;
}

const bundles = golden<{ record: BundleManifest; answers: Case[] }[]>("answers").map(
  ({ record, answers }) => ({
    bundle: { fingerprint: "f00d", record, card: "", explains: false } satisfies BundleInfo,
    answers,
  }),
);
const cases = bundles.flatMap(({ bundle, answers }) =>
  answers.map((one) => ({ ...one, bundle, target: bundle.record.target })),
);

test("there are bundles of three targets", () => {
  const plurals = bundles.map(({ bundle }) => bundle.record.target.plural);
  expect(plurals).toEqual(["melanomas", "malignant lesions", "lesions of keratinocyte cancer"]);
});

describe.each(cases)("$target.name, $name, forced: $force", ({ bundle, target, ...one }) => {
  const found = toAnswer(
    bundle,
    {
      evidenceMap: Float32Array.from(one.evidence_map.flat()),
      rows: one.evidence_map.length,
      columns: one.evidence_map[0]!.length,
      staticLogits: Float32Array.from(one.static_logits),
      logit: one.logit,
      distance: one.distance,
    },
    { pixels: bytes(one.pixels), imageSize: one.side, width: 500, height: 400 },
    one.answer.person,
    { prevalence: one.prevalence, force: one.force },
  );

  test("the whole answer is Python's", () => {
    expect(close(found, { ...one.answer, bundle: "f00d" }, "answer")).toEqual([]);
  });

  test("it is put into the same words", () => {
    const rank = found.standing === null ? null : standing(found.standing, target);
    const words = [headline(found, target), caution(found, target), rank];
    expect(words).toEqual([one.headline, one.caution, one.standing]);
    expect(words.join(" ").includes("melanoma")).toBe(target.name === "melanoma" && !refused(one));
  });

  test("the sum is the logit", () => {
    if (found.evidence === null) return;
    const { photograph, age, sex, site, bias, logit } = found.evidence;
    expect(photograph + age + sex + site + bias).toBe(logit);
    expect(Math.abs(logit - one.logit)).toBeLessThan(1e-9);
  });
});

test("the bundle's prevalence where none is stated", () => {
  const { bundle, answers } = bundles[0]!;
  const one = answers[0]!;
  const seen = {
    evidenceMap: new Float32Array(1),
    rows: 1,
    columns: 1,
    staticLogits: new Float32Array(8),
  };
  const square = { pixels: bytes(one.pixels), imageSize: one.side, width: 500, height: 400 };
  const answer = toAnswer(
    bundle,
    { ...seen, logit: 0, distance: 0 },
    square,
    one.answer.person,
    {},
  );
  expect(answer.prevalence).toBe(bundle.record.prevalence);
  expect(answer.disclaimer).toBe(DISCLAIMER);
});

interface Probability {
  readonly temperature: number;
  readonly prevalence: number;
  readonly logit: number;
  readonly stated: number;
  readonly probability: number;
}

test.each(golden<Probability[]>("probabilities"))("calibrated, $logit at $stated", (one) => {
  const found = probability(one, one.logit, one.stated);
  expect(Math.abs(found - one.probability)).toBeLessThanOrEqual(1e-14 * one.probability);
});

test.each([0, 1, -0.1, NaN])("a prevalence of %s is refused", (stated) => {
  const scale = { temperature: 1, prevalence: 0.5 };
  expect(() => probability(scale, 0, stated)).toThrow("not between 0 and 1");
});

test("beyond the held-out logits, and where they are equal", () => {
  const quantiles = [-1, 0, 0, 2];
  const found = [-2, -1, -0.5, 0, 1, 2, 3].map((logit) => shareBelow(logit, quantiles));
  expect(found).toEqual([0, 0, 1 / 6, 2 / 3, 2.5 / 3, 1, 1]);
});

function refused({ answer }: Case): boolean {
  return answer.probability === null;
}

/** Return the paths of what differs: numbers by more than rounding, anything else at all. */
function close(found: unknown, expected: unknown, path: string): string[] {
  if (typeof found === "number" && typeof expected === "number") {
    const far = Math.abs(found - expected) > 3e-6 * Math.max(1, Math.abs(expected));
    return far ? [`${path}: ${found} instead of ${expected}`] : [];
  }
  if (typeof found !== "object" || typeof expected !== "object" || !found || !expected) {
    return found === expected ? [] : [`${path}: ${String(found)} instead of ${String(expected)}`];
  }
  const keys = [...Object.keys(found), ...Object.keys(expected)];
  return [...new Set(keys)].flatMap((key) =>
    close(
      (found as Record<string, unknown>)[key],
      (expected as Record<string, unknown>)[key],
      `${path}.${key}`,
    ),
  );
}
