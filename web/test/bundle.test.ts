import { describe, expect, test } from "vitest";
import type { BundleInfo, BundleManifest } from "../src/answer";
import { checkManifest } from "../src/device/bundle";
import { toAnswer } from "../src/device/postprocess";
import { canBeForced } from "../src/device/quality_issues";
import { bytes, golden } from "./golden";

interface Case {
  readonly side: number;
  readonly pixels: string;
  readonly answer: { readonly person: { age: number | null; sex: string; site: string } };
}

const { record, answers } = golden<{ record: BundleManifest; answers: Case[] }[]>("answers")[0]!;
type Path = readonly (string | number)[];

function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, one]) => places(one, [...path, key]));
}

function changed(path: Path, value: unknown): BundleManifest {
  const copy = structuredClone(record);
  let place = copy as unknown as Record<string, unknown>;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
  place[path.at(-1)!] = value;
  return copy;
}

test("a record of the package is understood", () => {
  expect(() => checkManifest(record)).not.toThrow();
});

describe("numbers that cannot be are refused", () => {
  const numbers = places(record).filter(
    (path) => typeof path.reduce<unknown>((at, key) => (at as never)[key], record) === "number",
  );
  test.each([Number.NaN, "1"])("%s", (value) => {
    expect(numbers.length).toBeGreaterThan(100);
    for (const path of numbers) {
      expect(() => checkManifest(changed(path, value)), path.join(".")).toThrow(/record|schema/);
    }
  });

  test.each([
    [["calibration", "temperature"], -1],
    [["calibration", "temperature"], 0],
    [["prevalence"], 1],
    [["thresholds", 0, "logit"], 1e24],
    [["thresholds", 0, "key"], "=1+1"],
    [
      ["heldout", "positive_logits"],
      [1, 0],
    ],
    [["heldout", "positive_logits"], []],
    [["gate", "distance", "float32", "doubtful_above"], 1e9],
    [["network", "size"], 10 ** 6],
    [["network", "further"], 1],
  ] as const)("%s: %s", (path, value) => {
    expect(() => checkManifest(changed(path, value))).toThrow(/record/);
  });
});

describe.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%s", (bad) => {
  const one = answers[0]!;
  const bundle: BundleInfo = { fingerprint: "f00d", record, card: "", explains: false };
  const whole = {
    ...{ evidenceMap: new Float32Array(4), rows: 2, columns: 2, logit: -9, distance: 0 },
    staticLogits: new Float32Array(8),
  };
  test.each([
    ["logit", { logit: bad }],
    ["distance", { distance: bad }],
    ["evidence of the photograph", { evidenceMap: Float32Array.of(0, bad, 0, 0) }],
    ["evidence of age, sex and site", { staticLogits: new Float32Array(8).fill(bad) }],
  ])("a %s that is no number is a refusal, forced or not", (name, part) => {
    const image = { pixels: bytes(one.pixels), imageSize: one.side, width: 500, height: 400 };
    for (const force of [false, true]) {
      const answer = toAnswer(bundle, { ...whole, ...part }, image, one.answer.person, { force });
      expect(answer.status).toBe("refused");
      expect(answer.forced).toBe(false);
      expect(canBeForced(answer.concerns)).toBe(false);
      expect(answer.concerns.at(-1)!.found).toBe(`not a finite number: ${name}`);
      expect([answer.probability, answer.standing, answer.evidence]).toEqual([null, null, null]);
      expect(answer.decisions).toEqual([]);
      expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
    }
  });
});
