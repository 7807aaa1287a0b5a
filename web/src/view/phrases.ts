/**
 * An answer in plain words. Sentences that terminals and pictures say too are taken from the file
 * that `inference/text/phrases.py` reads.
 */

import phrases from "../../../src/melanoscope/inference/text/phrases.json";
import type {
  Answer,
  BundleManifest,
  Evidence,
  Interval,
  PatientInfo,
  Standing,
  Target,
} from "../answer";
import { fill, fixed, halfEven } from "../device/format";

export const WHATEVER =
  "Whatever the answer: have a doctor look at any spot that changes or worries you.";
export const SIMULATED = phrases.simulated;
export const FORCED = phrases.forced;
export const DERMOSCOPY = phrases.dermoscopy;
export const ROUNDED = phrases.rounded;

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

/** Write a share in per cent, with a decimal near the ends and never a false 0 or 100. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return phrases.percent.nearly_none;
  if (share > 0.999 && share < 1) return phrases.percent.nearly_all;
  const whole = share === 0 || share === 1 || (share >= 0.0995 && share < 0.99);
  return `${fixed(100 * share, whole ? 0 : 1)} %`;
}

/** Write the bounds of an interval of shares, and on how many groups it rests. */
export function bounds({ low, high, n }: Interval): string {
  return `${fixed(100 * low, 1)} to ${fixed(100 * high, 1)} %; n ${n}`;
}

/** Describe what is known of a patient. */
export function describePatient({
  age,
  sex,
  site,
}: PatientInfo): Record<"age" | "sex" | "site", string> {
  const { parts } = phrases;
  return {
    age: fill(parts.age, { value: String(age ?? "unknown") }),
    sex: fill(parts.sex, { value: sex }),
    site: fill(parts.site, { value: site }),
  };
}

/** Return name and value of each addend of the logit. */
export function evidenceRows(
  evidence: Evidence,
  patient: PatientInfo,
): readonly (readonly [string, number])[] {
  const names = describePatient(patient);
  return [
    [phrases.parts.photograph, evidence.photograph],
    [names.age, evidence.age],
    [names.sex, evidence.sex],
    [names.site, evidence.site],
    [phrases.parts.bias, evidence.bias],
  ];
}

/**
 * Find the decimals at which rounded addends sum to their rounded total.
 *
 * @returns Decimals from 2 to 4, and whether the sum holds; 2 and false where it does at none.
 */
export function decimalsOfSum(
  addends: readonly number[],
  total: number,
): readonly [number, boolean] {
  for (const decimals of [2, 3, 4]) {
    const unit = 10 ** decimals;
    const sum = addends.reduce((before, one) => before + halfEven(one * unit), 0);
    if (sum === halfEven(total * unit)) return [decimals, true];
  }
  return [2, false];
}

/** Write a number with its sign, rounded as by `decimalsOfSum`, and no negative zero. */
export function signed(value: number, decimals: number): string {
  const rounded = halfEven(value * 10 ** decimals) / 10 ** decimals;
  return `${rounded < 0 ? "\u2212" : "+"}${Math.abs(rounded).toFixed(decimals)}`;
}

/** Write a number of 0 or more with two significant digits and no exponent. */
export function twoDigits(value: number): string {
  const decimals = value > 0 ? 1 - Math.floor(Math.log10(value)) : 0;
  return value.toFixed(Math.min(Math.max(decimals, 0), 12));
}

/** Say in one sentence what the network says at its main threshold. */
export function headline(answer: Answer, target: Target): string {
  return worded(phrases.headline[outcome(answer)], target);
}

/** Say how often the main decision was wrong on held-out photographs, and what it is not. */
export function caution(answer: Answer, target: Target): string {
  const said = outcome(answer);
  const { caution: sentences } = phrases;
  if (said === "refused" || said === "no_threshold") return sentences[said];
  const main = answer.decisions[0]!;
  const measured = said === "positive" ? main.specificity : main.sensitivity;
  if (measured === null) return sentences[said];
  return worded(sentences[`${said}_measured`], target, { share: percent(1 - measured.estimate) });
}

/** Say where a photograph stands among the held-out ones. */
export function standing({ among_positives, among_others }: Standing, target: Target): string {
  return worded(phrases.standing, target, {
    among_positives: percent(among_positives),
    among_others: percent(among_others),
  });
}

/** Say what a network was made from, "made from 3,377 archived photographs" for example. */
export function madeFrom({ photographs, simulated }: BundleManifest["data"]): string {
  const number = photographs.toLocaleString("en-GB");
  return `made from ${number} ${simulated ? "drawings of lesions" : "archived photographs"}`;
}

/** Turn a clause into a sentence. */
export function sentence(clause: string): string {
  const text = clause.trim();
  if (!text) return "";
  const end = /[.!?]$/.test(text) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}

/** Write a size in megabytes as coarsely as it matters before a download, "3.2 MB" for example. */
export function megabytes(bytes: number): string {
  if (bytes < 1e5) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** Fill a sentence with the target's words and with values by name. */
function worded(
  sentence: string,
  { condition, plural }: Target,
  values: Readonly<Record<string, string>> = {},
): string {
  return fill(sentence, { condition, plural, ...values });
}

function outcome({ probability, decisions }: Answer): keyof typeof phrases.headline {
  if (probability === null) return "refused";
  const [main] = decisions;
  if (main === undefined) return "no_threshold";
  return main.positive ? "positive" : "negative";
}
