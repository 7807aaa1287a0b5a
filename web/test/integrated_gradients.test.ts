import { expect, test } from "vitest";
import type { Baseline } from "../src/answer";
import {
  baselineImage,
  gaussLegendre,
  integratedGradients,
  toImage,
  type ValueAndGradient,
} from "../src/device/integrated_gradients";
import { apart, bytes, golden } from "./golden";

interface Gradients {
  readonly side: number;
  readonly photograph: string;
  readonly weights: number[];
  readonly points: { steps: number; places: number[]; weights: number[] }[];
  readonly baselines: Record<Baseline, number[]>;
  readonly attributions: {
    asked: number;
    pixels: number[];
    baseline: Baseline;
    steps: number;
    difference: number;
    completeness_error: number;
  }[];
}

const given = golden<Gradients>("gradients");
const photograph = bytes(given.photograph);

/** A weighted sum of cubes, and its gradient. */
const run: ValueAndGradient = async (images, count) => {
  const size = given.weights.length;
  const gradients = images.map((value, at) => 3 * given.weights[at % size]! * value ** 2);
  const values = new Float32Array(count);
  for (let one = 0; one < count; one++) {
    const image = images.subarray(one * size, (one + 1) * size);
    values[one] = image.reduce((sum, value, at) => sum + given.weights[at]! * value ** 3, 0);
  }
  return { values, gradients };
};

test.each(given.points)("$steps points of Gauss and Legendre", ({ steps, places, weights }) => {
  const found = gaussLegendre(steps);
  expect(apart(found.places, places)).toBeLessThan(1e-14);
  expect(apart(found.weights, weights)).toBeLessThan(1e-14);
});

test.each(Object.keys(given.baselines) as Baseline[])("the baseline %s", (name) => {
  const found = baselineImage(toImage(photograph), given.side, name);
  expect(apart(found, given.baselines[name])).toBeLessThan(1e-12);
});

test.each(given.attributions)("against $baseline in $asked steps or more", async (one) => {
  for (const batch of [1, 5, 100]) {
    const shares: number[] = [];
    const found = await integratedGradients(run, photograph, given.side, {
      baseline: one.baseline,
      steps: one.asked,
      batch,
      onProgress: (share) => shares.push(share),
    });
    expect(apart(found.pixels, one.pixels)).toBeLessThan(1e-6);
    expect(Math.abs(found.difference - one.difference)).toBeLessThan(1e-4);
    expect(Math.abs(found.completenessError - one.completeness_error)).toBeLessThan(1e-4);
    expect(found.steps).toBe(one.steps);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  }
});

test("a progress callback that throws stops it", async () => {
  const options = { baseline: "black", steps: 64, batch: 1 } as const;
  const stopped = integratedGradients(run, photograph, given.side, {
    ...options,
    onProgress: () => {
      throw new Error("enough");
    },
  });
  await expect(stopped).rejects.toThrow("enough");
});

test("no steps are refused", async () => {
  const options = { baseline: "black", steps: 0, batch: 1, onProgress: () => {} } as const;
  await expect(integratedGradients(run, photograph, given.side, options)).rejects.toThrow("steps");
});
