/** An answer in plain words, as `inference/text/phrases.py` says it to terminals and in pictures. */

import type {
  Answer,
  BundleRecord,
  Decision,
  EvidenceSum,
  Interval,
  Person,
  Standing,
} from "../answer";
import { fixed, halfEven } from "../device/format";

export const WHATEVER =
  "Whatever the answer: have a doctor look at any spot that changes or worries you.";
export const SIMULATED =
  "Simulated: this network learnt from drawn lesions and says nothing about skin.";
export const FORCED =
  "The gate refused this photograph; it was answered only because that was overridden.";
export const DERMOSCOPY =
  "For dermoscopy: this network learnt from photographs taken through a dermatoscope. Of one taken without, its answer is worth little.";
export const ROUNDED = "Rounded, the parts do not add up to the last digit; unrounded they do.";

/**
 * Spell out characters that could act instead of being read: control characters, changes of
 * direction, line ends, and what Unicode does not know.
 */
export function literal(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => {
    const code = one.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A share in per cent, with a decimal near the ends and never a false 0 or 100. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "below 0.1 %";
  if (share > 0.999 && share < 1) return "above 99.9 %";
  const whole = share === 0 || share === 1 || (share >= 0.0995 && share < 0.99);
  return `${fixed(100 * share, whole ? 0 : 1)} %`;
}

export function interval({ low, high, n }: Interval): string {
  return `${fixed(100 * low, 1)} to ${fixed(100 * high, 1)} %; n ${n}`;
}

/** "finds 95.2 % of held-out melanomas (93.0 to 97.0 %; n 471)" */
export function measured(verb: string, found: Interval, of: string): string {
  return `${verb} ${fixed(100 * found.estimate, 1)} % of held-out ${of} (${interval(found)})`;
}

export function known({ age, sex, site }: Person): Record<"age" | "sex" | "site", string> {
  return { age: `age ${age ?? "unknown"}`, sex: `sex ${sex}`, site: `site ${site}` };
}

/** The addends of the logit with their names for readers. */
export function parts(
  evidence: EvidenceSum,
  person: Person,
): readonly (readonly [string, number])[] {
  const names = known(person);
  return [
    ["photograph", evidence.photograph],
    [names.age, evidence.age],
    [names.sex, evidence.sex],
    [names.site, evidence.site],
    ["bias", evidence.bias],
  ];
}

/** Decimals at which rounded addends sum to their rounded total, and whether there are such. */
export function digits(addends: readonly number[], total: number): readonly [number, boolean] {
  for (const decimals of [2, 3, 4]) {
    const unit = 10 ** decimals;
    const sum = addends.reduce((before, one) => before + halfEven(one * unit), 0);
    if (sum === halfEven(total * unit)) return [decimals, true];
  }
  return [2, false];
}

/** A number with its sign, the same rounding as `digits`, and no negative zero. */
export function signed(value: number, decimals: number): string {
  const rounded = halfEven(value * 10 ** decimals) / 10 ** decimals;
  return `${rounded < 0 ? "\u2212" : "+"}${Math.abs(rounded).toFixed(decimals)}`;
}

/** The ends of a colour scale: two digits that count, no exponent. */
export function small(value: number): string {
  const decimals = value > 0 ? 1 - Math.floor(Math.log10(value)) : 0;
  return value.toFixed(Math.min(Math.max(decimals, 0), 12));
}

/** What the network says at its main threshold. */
export function headline({ probability, decisions }: Answer): string {
  if (probability === null) return "No answer: this photograph was refused.";
  const [main] = decisions;
  if (main === undefined) {
    return "The network gives a probability and has no threshold to judge it by.";
  }
  return main.positive
    ? "The network calls this lesion suspicious of melanoma."
    : "The network does not call this lesion suspicious of melanoma.";
}

/** How often the main decision was wrong on held-out photographs, and what it is not. */
export function caution({ probability, decisions }: Answer): string {
  if (probability === null) {
    return "What the network says of a photograph like this could not be trusted.";
  }
  const notThis = "This is not a diagnosis.";
  const [main] = decisions;
  if (main === undefined) return notThis;
  if (main.positive) {
    if (main.specificity === null) return notThis;
    const wrong = percent(1 - main.specificity.estimate);
    return `${notThis} It also calls ${wrong} of other held-out lesions suspicious.`;
  }
  if (main.sensitivity === null) return `${notThis} Nor is it an all-clear.`;
  const wrong = percent(1 - main.sensitivity.estimate);
  return `${notThis} Nor is it an all-clear: it misses ${wrong} of held-out melanomas.`;
}

export function decision(one: Decision): string {
  const called = one.positive ? "suspicious" : "not suspicious";
  return `${one.name}: ${called} (threshold ${percent(one.threshold)})`;
}

export function standing(found: Standing): string {
  return (
    `Scores higher than ${percent(found.among_melanomas)} of held-out melanomas and ` +
    `${percent(found.among_others)} of others.`
  );
}

/** "a network made from 3,377 archived photographs", or from drawn ones. */
export function madeFrom({ photographs, simulated }: BundleRecord["data"]): string {
  const number = photographs.toLocaleString("en-GB");
  return `made from ${number} ${simulated ? "drawings of lesions" : "archived photographs"}`;
}

/** A clause as a sentence. */
export function sentence(clause: string): string {
  const text = clause.trim();
  if (!text) return "";
  const end = /[.!?]$/.test(text) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}

/** "3.2 MB", as much as a reader wants to know before a download. */
export function megabytes(bytes: number): string {
  if (bytes < 1e5) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
