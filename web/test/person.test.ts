import { describe, expect, test } from "vitest";
import type { Person } from "../src/answer";
import { coalitionRows, shares } from "../src/device/shares";
import { checked, FEATURE_NAMES } from "../src/device/static";
import { apart, golden } from "./golden";

interface Persons {
  readonly features: string[];
  readonly people: { person: Person; rows: number[] }[];
  readonly shares: { answers: number[]; parts: Record<string, number>; unknown: number }[];
}

const persons = golden<Persons>("persons");

test("the vocabulary is the package's", () => {
  expect(FEATURE_NAMES).toEqual(persons.features);
});

test.each(persons.people)("$person is encoded alike", ({ person, rows }) => {
  expect(apart(coalitionRows(person), rows)).toBe(0);
});

test.each(persons.shares)("shares, case %#", ({ answers, parts, unknown }) => {
  const found = shares(answers);
  expect(found.unknown).toBe(unknown);
  for (const [name, share] of Object.entries(parts)) {
    expect(Math.abs(found[name as "age"] - share)).toBeLessThan(1e-12);
  }
  const sum = found.age + found.sex + found.site + found.unknown;
  expect(Math.abs(sum - answers[0]!)).toBeLessThan(1e-12);
});

describe("what cannot be is refused", () => {
  const nobody: Person = { age: null, sex: "unknown", site: "unknown" };

  test.each([-1, 121, NaN, Infinity])("an age of %s", (age) => {
    expect(() => checked({ ...nobody, age })).toThrow("the age is not between 0 and 120");
  });

  test("an unknown sex or site", () => {
    expect(() => checked({ ...nobody, sex: "m" })).toThrow("known: female, male, unknown");
    expect(() => checked({ ...nobody, site: "trunk" })).toThrow("an unknown site");
  });

  test("the ends are let in", () => {
    expect(checked({ ...nobody, age: 0 }).age).toBe(0);
    expect(checked({ ...nobody, age: 120 }).age).toBe(120);
  });
});
