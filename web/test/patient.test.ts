import { describe, expect, test } from "vitest";
import type { PatientInfo } from "../src/answer";
import {
  FEATURE_NAMES,
  MAX_AGE,
  parsePatient,
  SEXES,
  SITES,
  type StatedPatient,
} from "../src/device/patient";
import { coalitionRows, shapleyValues } from "../src/device/shapley";
import { EngineError } from "../src/engine";
import { apart, golden } from "./golden";

interface Patients {
  readonly features: string[];
  readonly vocabulary: { sexes: string[]; sites: string[]; max_age: number };
  readonly stated: { stated: StatedPatient; patient: PatientInfo | null }[];
  readonly encoded: { patient: PatientInfo; rows: number[] }[];
  readonly shapley: { static_logits: number[]; values: Record<string, number>; unknown: number }[];
}

const patients = golden<Patients>("patients");

test("the vocabulary is the package's", () => {
  expect(FEATURE_NAMES).toEqual(patients.features);
  expect({ sexes: SEXES, sites: SITES, max_age: MAX_AGE }).toEqual(patients.vocabulary);
});

test.each(patients.stated)("$stated is read alike", ({ stated, patient }) => {
  if (patient === null) expect(() => parsePatient(stated)).toThrow(EngineError);
  else expect(parsePatient(stated)).toEqual(patient);
});

test.each(patients.encoded)("$patient is encoded alike", ({ patient, rows }) => {
  expect(apart(coalitionRows(patient), rows)).toBe(0);
});

test.each(patients.shapley)("Shapley values, case %#", ({ static_logits, values, unknown }) => {
  const found = shapleyValues(static_logits);
  expect(found.unknown).toBe(unknown);
  for (const [name, value] of Object.entries(values)) {
    expect(Math.abs(found[name as "age"] - value)).toBeLessThan(1e-12);
  }
  const sum = found.age + found.sex + found.site + found.unknown;
  expect(Math.abs(sum - static_logits[0]!)).toBeLessThan(1e-12);
});

describe("what cannot be is refused", () => {
  const unknown: StatedPatient = { age: null, sex: null, site: null };

  test.each([-2, 121, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "an age of %s",
    (age) => {
      expect(() => parsePatient({ ...unknown, age })).toThrow("the age is not between 0 and 120");
    },
  );

  test("an unknown sex or site, also one that every object has", () => {
    expect(() => parsePatient({ ...unknown, sex: "x" })).toThrow("known: female, male, unknown");
    expect(() => parsePatient({ ...unknown, site: "tail" })).toThrow("an unknown site");
    expect(() => parsePatient({ ...unknown, sex: "constructor" })).toThrow("an unknown sex");
  });

  test("the ends are let in; ages 0 and -1 are unknown, as NaN is", () => {
    expect(parsePatient({ ...unknown, age: 120 }).age).toBe(120);
    expect(parsePatient({ ...unknown, age: 0 }).age).toBeNull();
    expect(parsePatient({ ...unknown, age: -1 }).age).toBeNull();
    expect(parsePatient({ ...unknown, age: Number.NaN }).age).toBeNull();
  });
});
