/**
 * Age, sex and anatomical site of a patient, read and encoded as `melanoscope/patient.py` does. The
 * words come from the same file.
 */

import words from "../../../src/melanoscope/patient_words.json";
import type { PatientInfo } from "../answer";
import { EngineError } from "../engine";

export const UNKNOWN = "unknown";
export const SEXES: readonly string[] = [...new Set(Object.values(words.sexes))];
export const SITES: readonly string[] = [...new Set(Object.values(words.sites))];
export const MAX_AGE = words.max_age;
/** Names of the columns that `encode` fills. */
export const FEATURE_NAMES: readonly string[] = [
  "age",
  "age unknown",
  ...SEXES.map((sex) => `sex ${sex}`),
  ...SITES.map((site) => `site ${site}`),
];
export const WIDTH = FEATURE_NAMES.length;

/** A number, and the "+" of ages that archives cap: 85+. */
const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*\+?$/i;

const MISSING: ReadonlySet<string> = new Set(words.missing);
const SPELLINGS = { sex: spellings(words.sexes), site: spellings(words.sites) };

function spellings(known: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(known).map(([word, meant]) => [joined(word), meant]));
}

/** A patient as forms and other programs state one; null and every word for "missing" is unknown. */
export interface StatedPatient {
  readonly age: number | string | null;
  readonly sex: string | null;
  readonly site: string | null;
}

/**
 * Read a patient from anybody's words.
 *
 * @param stated - Age in years, and sex and site in any known word, in any case.
 * @returns The patient in words of `SEXES` and `SITES`.
 * @throws EngineError of kind "patient" for an age out of range or an unknown word.
 */
export function parsePatient({ age, sex, site }: StatedPatient): PatientInfo {
  return {
    age: parseAge(age),
    sex: parseWord("sex", sex, words.sexes),
    site: parseWord("site", site, words.sites),
  };
}

/**
 * Read an age. Ages 0 and -1 are missing, too: archives write them where no age is known, so that no
 * network has learnt what they mean.
 *
 * @param stated - Years, as a number or as text (45, "45,5", "85+"); null, NaN and words for
 *   "missing" are unknown.
 * @returns Years above 0 and up to `MAX_AGE`, or null where unknown.
 * @throws EngineError of kind "patient" for anything else.
 */
export function parseAge(stated: number | string | null): number | null {
  if (stated === null || (typeof stated === "string" && isMissing(stated))) return null;
  const years = typeof stated === "string" ? toNumber(stated) : stated;
  if (Number.isNaN(years) || years === 0 || years === -1) return null;
  if (years >= 0 && years <= MAX_AGE) return years;
  throw new EngineError(
    "patient",
    `the age is not between 0 and ${MAX_AGE}`,
    "give years or leave it out",
  );
}

/**
 * Encode patients as numbers.
 *
 * @returns One row of `WIDTH` for each: (years - 50) / 25 or a flag for an unknown age, then one
 *   column for each sex and each site.
 */
export function encode(patients: readonly PatientInfo[]): Float32Array {
  const vector = new Float32Array(patients.length * WIDTH);
  patients.forEach(({ age, sex, site }, row) => {
    const start = row * WIDTH;
    if (age === null) vector[start + 1] = 1;
    else vector[start] = (age - 50) / 25;
    vector[start + 2 + SEXES.indexOf(sex)] = 1;
    vector[start + 2 + SEXES.length + SITES.indexOf(site)] = 1;
  });
  return vector;
}

function parseWord(
  name: keyof typeof SPELLINGS,
  stated: string | null,
  known: Readonly<Record<string, string>>,
): string {
  if (stated === null || isMissing(stated)) return UNKNOWN;
  const meant = SPELLINGS[name].get(joined(stated));
  if (meant !== undefined) return meant;
  const values = [...new Set(Object.values(known))];
  throw new EngineError("patient", `an unknown ${name}`, `known: ${values.join(", ")}`);
}

function isMissing(text: string): boolean {
  return MISSING.has(plain(text)) || MISSING.has(plain(text.replaceAll("_", " ")));
}

/** Lower case and composed letters, with single spaces between words and none around them. */
function plain(text: string): string {
  return text.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean).join(" ");
}

/** A word without the signs that people put between its parts. */
function joined(text: string): string {
  return plain(text.replaceAll(/[_/\\,.&+()-]+/g, " "));
}

/** The number that a text is; infinity, which no age is, where it is none. */
function toNumber(text: string): number {
  const found = NUMBER.exec(text.trim().replaceAll(",", "."));
  return found ? Number(found[1]) : Number.POSITIVE_INFINITY;
}
