/** Age, sex and site as numbers, as `melanoscope/static.py` encodes them. */

import type { Person } from "../answer";
import { EngineError } from "../engine";

export const UNKNOWN = "unknown";
export const SEXES: readonly string[] = ["female", "male", UNKNOWN];
export const SITES: readonly string[] = [
  "head/neck",
  "torso",
  "upper extremity",
  "lower extremity",
  "palms/soles",
  "oral/genital",
  UNKNOWN,
];
export const MAX_AGE = 120;
export const FEATURE_NAMES: readonly string[] = [
  "age",
  "age unknown",
  ...SEXES.map((sex) => `sex ${sex}`),
  ...SITES.map((site) => `site ${site}`),
];
export const WIDTH = FEATURE_NAMES.length;

/** Check what is known of a person; throws EngineError of kind "person". */
export function checked(person: Person): Person {
  const { age, sex, site } = person;
  if (age !== null && !(age >= 0 && age <= MAX_AGE)) {
    throw new EngineError(
      "person",
      `the age is not between 0 and ${MAX_AGE}`,
      "give years or leave it out",
    );
  }
  checkWord("sex", sex, SEXES);
  checkWord("site", site, SITES);
  return { age, sex, site };
}

/** Encode persons, one row of `WIDTH` each: (years - 50) / 25, and a place for every word. */
export function encode(people: readonly Person[]): Float32Array {
  const vector = new Float32Array(people.length * WIDTH);
  people.forEach(({ age, sex, site }, row) => {
    const start = row * WIDTH;
    if (age === null) vector[start + 1] = 1;
    else vector[start] = (age - 50) / 25;
    vector[start + 2 + SEXES.indexOf(sex)] = 1;
    vector[start + 2 + SEXES.length + SITES.indexOf(site)] = 1;
  });
  return vector;
}

function checkWord(name: string, word: string, known: readonly string[]): void {
  if (known.includes(word)) return;
  throw new EngineError("person", `an unknown ${name}`, `known: ${known.join(", ")}`);
}
