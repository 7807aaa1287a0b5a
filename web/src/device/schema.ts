/**
 * Holds plain values against a JSON Schema: as much of draft 2020-12 as the schema of bundle.json
 * uses. A keyword that is not known here throws, so that no range goes unchecked.
 */

/** A JSON Schema, or a part of one. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

type Check = (value: unknown, rule: never, schema: Schema) => string;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  number: (value) => Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
};

/** Number keywords hold for numbers alone, and so on: `type` says what must be there. */
const CHECKS: Readonly<Record<string, Check>> = {
  type: (value, type: string) => (TYPES[type]!(value) ? "" : `no ${type}`),
  enum: (value, known: readonly unknown[]) =>
    known.includes(value) ? "" : `none of ${known.join(", ")}`,
  const: (value, known: unknown) => (value === known ? "" : `not ${String(known)}`),
  minimum: (value, least: number) => below(value, least, false),
  maximum: (value, most: number) => above(value, most, false),
  exclusiveMinimum: (value, least: number) => below(value, least, true),
  exclusiveMaximum: (value, most: number) => above(value, most, true),
  minLength: (value, least: number) =>
    typeof value === "string" && value.length < least ? "too short" : "",
  maxLength: (value, most: number) =>
    typeof value === "string" && value.length > most ? "too long" : "",
  pattern: (value, pattern: string) =>
    typeof value === "string" && !new RegExp(pattern, "u").test(value) ? "of another form" : "",
  minItems: (value, least: number) =>
    Array.isArray(value) && value.length < least ? "too few" : "",
  maxItems: (value, most: number) =>
    Array.isArray(value) && value.length > most ? "too many" : "",
  required: (value, names: readonly string[]) => {
    const missing = isObject(value) ? names.find((name) => !Object.hasOwn(value, name)) : undefined;
    return missing === undefined ? "" : `without ${missing}`;
  },
};

function below(value: unknown, least: number, exclusive: boolean): string {
  if (typeof value !== "number" || (exclusive ? value > least : value >= least)) return "";
  return `not ${exclusive ? "above" : "at least"} ${least}`;
}

function above(value: unknown, most: number, exclusive: boolean): string {
  if (typeof value !== "number" || (exclusive ? value < most : value <= most)) return "";
  return `not ${exclusive ? "below" : "at most"} ${most}`;
}

/** Keywords that say nothing of a value, and those that lead to its parts. */
const NOTES = new Set(["title", "description", "default", "$defs", "$schema"]);
const PARTS = new Set(["$ref", "anyOf", "properties", "additionalProperties", "items"]);

/**
 * Return the place and the fault of the first value that a schema forbids, or "".
 *
 * @param root - The whole schema, whose "$defs" references point into.
 * @throws Error for a keyword that is not known here.
 */
export function schemaFault(value: unknown, schema: Schema, root: Schema, place = "$"): string {
  for (const [keyword, rule] of Object.entries(schema)) {
    if (NOTES.has(keyword)) continue;
    if (!PARTS.has(keyword)) {
      const check = CHECKS[keyword];
      if (check === undefined) throw new Error(`the schema's keyword ${keyword} is not known`);
      const fault = check(value, rule as never, schema);
      if (fault !== "") return `${place} is ${fault}`;
    }
  }
  const { $ref: ref, anyOf } = schema as { $ref?: string; anyOf?: readonly Schema[] };
  if (ref !== undefined) {
    const fault = schemaFault(value, definition(ref, root), root, place);
    if (fault !== "") return fault;
  }
  if (anyOf !== undefined) {
    const faults = anyOf.map((one) => schemaFault(value, one, root, place));
    if (!faults.includes("")) return faults[0]!;
  }
  return partFault(value, schema, root, place);
}

function definition(ref: string, root: Schema): Schema {
  const found = (root["$defs"] as Record<string, Schema>)[ref.replace("#/$defs/", "")];
  if (found === undefined) throw new Error(`the schema has no ${ref}`);
  return found;
}

/** Hold the parts of an object or of an array against their own schemas. */
function partFault(value: unknown, schema: Schema, root: Schema, place: string): string {
  const {
    properties = {},
    additionalProperties = true,
    items,
  } = schema as {
    properties?: Record<string, Schema>;
    additionalProperties?: boolean | Schema;
    items?: Schema | boolean;
  };
  if (Array.isArray(value) && typeof items === "object") {
    for (const [at, one] of value.entries()) {
      const fault = schemaFault(one, items, root, `${place}[${at}]`);
      if (fault !== "") return fault;
    }
  }
  if (!isObject(value)) return "";
  for (const [name, one] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name]! : additionalProperties;
    if (known === false) return `${place}.${name} is not known`;
    const fault = known === true ? "" : schemaFault(one, known, root, `${place}.${name}`);
    if (fault !== "") return fault;
  }
  return "";
}
