/**
 * What age, sex and site each add to the logit: Shapley values over the eight subsets of what may
 * be known, as `inference/explain/shapley.py` computes them.
 */

import type { Person } from "../answer";
import { encode, UNKNOWN } from "./static";

export const PARTS = ["age", "sex", "site"] as const;
export type Part = (typeof PARTS)[number];

/** Every subset of what may be known: the person as given first, nothing known last. */
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

/** 1/3 for none or two known before, 1/6 for one: orders of three parts in which that happens. */
const WEIGHTS = [1 / 3, 1 / 6, 1 / 3] as const;

/** Encode a person with every subset known: 8 rows in the order of `COALITIONS`. */
export function coalitionRows(person: Person): Float32Array {
  return encode(
    COALITIONS.map((known) => ({
      age: known.includes("age") ? person.age : null,
      sex: known.includes("sex") ? person.sex : UNKNOWN,
      site: known.includes("site") ? person.site : UNKNOWN,
    })),
  );
}

/**
 * Divide the static evidence (8 values in the order of `COALITIONS`) among the parts; `unknown` is
 * what is said while nothing is known. Together they sum to the first but for rounding.
 */
export function shares(answers: ArrayLike<number>): Record<Part | "unknown", number> {
  const value = new Map(COALITIONS.map((known, row) => [key(known), answers[row]!]));
  const at = (known: readonly Part[]): number => value.get(key(known))!;
  const found = { age: 0, sex: 0, site: 0, unknown: at([]) };
  for (const part of PARTS) {
    for (const known of COALITIONS) {
      if (known.includes(part)) continue;
      found[part] += WEIGHTS[known.length]! * (at([...known, part]) - at(known));
    }
  }
  return found;
}

function key(known: readonly Part[]): string {
  return PARTS.filter((part) => known.includes(part)).join("+");
}
