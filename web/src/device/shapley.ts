/**
 * What age, sex and site each add to the logit: Shapley values over the eight subsets of what may
 * be known, as `inference/explain/shapley.py` computes them.
 */

import type { PatientInfo } from "../answer";
import { encode, UNKNOWN } from "./patient";

const PARTS = ["age", "sex", "site"] as const;
export type Part = (typeof PARTS)[number];

/** Every subset of what may be known of a patient: all of it first, nothing last. */
export const COALITIONS: readonly (readonly Part[])[] = [
  ["age", "sex", "site"],
  ["age", "sex"],
  ["age", "site"],
  ["sex", "site"],
  ["age"],
  ["sex"],
  ["site"],
  [],
];

/** Share of the orders of three parts in which 0, 1 or 2 certain ones are known before. */
const WEIGHTS = [1 / 3, 1 / 6, 1 / 3] as const;

/** Encode a patient once for each subset that may be known: 8 rows in the order of `COALITIONS`. */
export function coalitionRows(patient: PatientInfo): Float32Array {
  return encode(
    COALITIONS.map((known) => ({
      age: known.includes("age") ? patient.age : null,
      sex: known.includes("sex") ? patient.sex : UNKNOWN,
      site: known.includes("site") ? patient.site : UNKNOWN,
    })),
  );
}

/**
 * Divide what age, sex and site add to the logit together among the three.
 *
 * @param staticLogits - What the network adds for each subset, in the order of `COALITIONS`.
 * @returns The share of each part, and as `unknown` what is added while nothing is known; they sum
 *   to the first of `staticLogits` but for rounding.
 */
export function shapleyValues(staticLogits: ArrayLike<number>): Record<Part | "unknown", number> {
  const value = new Map(COALITIONS.map((known, row) => [key(known), staticLogits[row]!]));
  const at = (known: readonly Part[]): number => value.get(key(known))!;
  const shares = { age: 0, sex: 0, site: 0, unknown: at([]) };
  for (const part of PARTS) {
    for (const known of COALITIONS) {
      if (known.includes(part)) continue;
      shares[part] += WEIGHTS[known.length]! * (at([...known, part]) - at(known));
    }
  }
  return shares;
}

function key(known: readonly Part[]): string {
  return PARTS.filter((part) => known.includes(part)).join("+");
}
