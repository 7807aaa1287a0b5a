/** From the network's outputs to an answer: the sum, the gate, the decisions (`inference/postprocess.py`). */

import phrases from "../../../src/melanoscope/inference/text/phrases.json";
import type { Answer, BundleInfo, Decision, Evidence, PatientInfo } from "../answer";
import { logOdds, probability, type TemperatureScaling } from "./calibration";
import { halfEven } from "./format";
import { measureQuality } from "./pixel_measures";
import { checkLimits, findDistanceIssue, findIssues } from "./quality_gate";
import { canBeForced, noAnswerIssue } from "./quality_issues";
import { shapleyValues } from "./shapley";

export const DISCLAIMER = phrases.disclaimer;

/** A decoded photograph: its centred square, `imageSize` x `imageSize` RGB, and the size of the whole. */
export interface DecodedImage {
  readonly pixels: Uint8Array;
  readonly imageSize: number;
  readonly width: number;
  readonly height: number;
}

/** Raw outputs of the network for one photograph. */
export interface ModelOutput {
  /** What each place of the photograph adds to the logit, `rows` x `columns`, from the top row. */
  readonly evidenceMap: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** What age, sex and site add for each of the eight subsets of them, in the order of `COALITIONS`. */
  readonly staticLogits: Float32Array;
  /** Logit of the target, before calibration. */
  readonly logit: number;
  /** Distance from the training photographs, in the space of the network's features. */
  readonly distance: number;
}

/**
 * Turn the network's outputs into an answer.
 *
 * @param options - Prevalence to assume, 0..1 (the bundle's where absent), and whether to answer
 *   what the gate refuses, too.
 * @throws EngineError of kind "patient" for a prevalence out of range.
 */
export function toAnswer(
  bundle: BundleInfo,
  output: ModelOutput,
  image: DecodedImage,
  patient: PatientInfo,
  options: { readonly prevalence?: number | undefined; readonly force?: boolean | undefined },
): Answer {
  const { record } = bundle;
  const prevalence = options.prevalence ?? record.prevalence;
  const force = options.force ?? false;
  logOdds(prevalence); // refused before anything else is said
  const { pixels, imageSize, width, height } = image;
  const quality = measureQuality(pixels, imageSize, width, height);
  const limits = record.gate.distance["float32"]!;
  const concerns = findIssues(quality, checkLimits(record.gate.limits));
  // What is no number is neither near nor far, neither suspicious nor not.
  const wrong = nonFinite(output);
  const further =
    wrong.length > 0
      ? noAnswerIssue(wrong)
      : findDistanceIssue(output.distance, limits.doubtful_above, limits.refused_above);
  if (further !== null) concerns.push(further);
  const refused = concerns.some((one) => one.severity === "refused");
  const forced = force && refused && canBeForced(concerns);
  const answered = forced || !refused;
  const { positive_logits: positives, other_logits: others } = record.heldout;
  return {
    status: !answered ? "refused" : concerns.length > 0 ? "doubtful" : "accepted",
    concerns,
    probability: answered ? probability(record.calibration, output.logit, prevalence) : null,
    prevalence,
    decisions: answered ? decide(bundle, record.calibration, output.logit, prevalence) : [],
    standing: answered
      ? {
          among_positives: shareBelow(output.logit, positives),
          among_others: shareBelow(output.logit, others),
        }
      : null,
    evidence: answered ? toEvidence(output) : null,
    person: patient,
    quality,
    distance: Number.isFinite(output.distance) ? output.distance : null,
    target: record.target.name,
    network: record.network.label,
    simulated: record.data.simulated,
    forced,
    disclaimer: DISCLAIMER,
    bundle: bundle.fingerprint,
  };
}

/** Name the outputs that are NaN or infinite, wholly or in part. */
function nonFinite(output: ModelOutput): string[] {
  const outputs: readonly (readonly [string, ArrayLike<number>])[] = [
    ["logit", [output.logit]],
    ["distance", [output.distance]],
    ["evidence of the photograph", output.evidenceMap],
    ["evidence of age, sex and site", output.staticLogits],
  ];
  return outputs
    .filter(([, values]) => !Array.from(values).every(Number.isFinite))
    .map(([name]) => name);
}

/** Return the evidence map as rows, rounded to six decimals. */
export function evidenceRows(output: ModelOutput): number[][] {
  return Array.from({ length: output.rows }, (_, row) =>
    Array.from(
      output.evidenceMap.subarray(row * output.columns, (row + 1) * output.columns),
      (value) => halfEven(value * 1e6) / 1e6,
    ),
  );
}

function decide(
  bundle: BundleInfo,
  calibration: TemperatureScaling,
  logit: number,
  prevalence: number,
): Decision[] {
  return bundle.record.thresholds.map((one) => ({
    key: one.key,
    name: one.name,
    meaning: one.meaning,
    threshold: probability(calibration, one.logit, prevalence),
    positive: logit >= one.logit,
    sensitivity: one.sensitivity,
    specificity: one.specificity,
  }));
}

function toEvidence(output: ModelOutput): Evidence {
  const { unknown, ...parts } = shapleyValues(output.staticLogits);
  const photograph = output.evidenceMap.reduce((sum, value) => sum + value, 0);
  // The head's bias is what the logit leaves over; so the sum is the logit itself.
  const bias = output.logit - photograph - output.staticLogits[0]! + unknown;
  const logit = photograph + parts.age + parts.sex + parts.site + bias;
  return { photograph, ...parts, bias, logit, places: evidenceRows(output) };
}

/**
 * Return the share of held-out photographs with a lower logit.
 *
 * @param quantiles - Their logits at even steps from the 0th to the 100th per cent.
 */
export function shareBelow(logit: number, quantiles: readonly number[]): number {
  const last = quantiles.length - 1;
  if (!(logit < quantiles[last]!)) return 1;
  if (logit < quantiles[0]!) return 0;
  // The last quantile that is not above; of equal ones the last, as numpy's interp has it.
  let low = 0;
  for (let high = last; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (quantiles[middle]! <= logit) low = middle;
    else high = middle;
  }
  const step = (logit - quantiles[low]!) / (quantiles[low + 1]! - quantiles[low]!);
  return (low + step) / last;
}
