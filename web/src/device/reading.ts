/** Reading what a network said, as `inference/postprocess.py`: the sum, the gate, the decisions. */

import type { Answer, BundleInfo, Decision, EvidenceSum, Person } from "../answer";
import { logOdds, probability, type Scale } from "./calibrated";
import { halfEven } from "./format";
import { judge, judgeDistance, limitsOf, measure } from "./quality";
import { shares } from "./shares";

export const DISCLAIMER =
  "Research software, not a medical device: no diagnosis and no ground for one.";

/** A photograph as networks see it: the centred square, and the size of the whole, upright. */
export interface Decoded {
  readonly pixels: Uint8Array;
  readonly px: number;
  readonly width: number;
  readonly height: number;
}

/** What the network says of one photograph. */
export interface Seen {
  /** What each place adds, rows from top to bottom. */
  readonly places: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** Static evidence of each of the eight subsets, in the order of `shares.COALITIONS`. */
  readonly told: Float32Array;
  readonly logit: number;
  readonly distance: number;
}

/** Answer one photograph. Throws EngineError for a prevalence out of range. */
export function read(
  bundle: BundleInfo,
  seen: Seen,
  photograph: Decoded,
  person: Person,
  options: { readonly prevalence?: number | undefined; readonly force?: boolean | undefined },
): Answer {
  const { record } = bundle;
  const prevalence = options.prevalence ?? record.prevalence;
  const force = options.force ?? false;
  logOdds(prevalence); // refused before anything else is said
  const { pixels, px, width, height } = photograph;
  const quality = measure(pixels, px, width, height);
  const novelty = record.gate.distance["float32"]!;
  const far = judgeDistance(seen.distance, novelty.doubtful_above, novelty.refused_above);
  const concerns = judge(quality, limitsOf(record.gate.limits));
  if (far !== null) concerns.push(far);
  const refused = concerns.some((one) => one.severity === "refused");
  const answered = force || !refused;
  const { melanoma_logits: melanomas, other_logits: others } = record.heldout;
  return {
    status: !answered ? "refused" : concerns.length > 0 ? "doubtful" : "accepted",
    concerns,
    probability: answered ? probability(record.calibration, seen.logit, prevalence) : null,
    prevalence,
    decisions: answered ? decide(bundle, record.calibration, seen.logit, prevalence) : [],
    standing: answered
      ? {
          among_melanomas: shareBelow(seen.logit, melanomas),
          among_others: shareBelow(seen.logit, others),
        }
      : null,
    evidence: answered ? sumOf(seen) : null,
    person,
    quality,
    distance: seen.distance,
    network: record.network.label,
    simulated: record.data.simulated,
    forced: refused && force,
    disclaimer: DISCLAIMER,
    bundle: bundle.fingerprint,
  };
}

/** The rows of a map of evidence, to six decimals. */
export function placesOf(seen: Seen): number[][] {
  return Array.from({ length: seen.rows }, (_, row) =>
    Array.from(
      seen.places.subarray(row * seen.columns, (row + 1) * seen.columns),
      (value) => halfEven(value * 1e6) / 1e6,
    ),
  );
}

function decide(bundle: BundleInfo, scale: Scale, logit: number, prevalence: number): Decision[] {
  return bundle.record.thresholds.map((one) => ({
    key: one.key,
    name: one.name,
    meaning: one.meaning,
    threshold: probability(scale, one.logit, prevalence),
    positive: logit >= one.logit,
    sensitivity: one.sensitivity,
    specificity: one.specificity,
  }));
}

function sumOf(seen: Seen): EvidenceSum {
  const { unknown, ...parts } = shares(seen.told);
  const photograph = seen.places.reduce((sum, value) => sum + value, 0);
  // The head's bias is what the logit leaves over; so the sum is the logit itself.
  const bias = seen.logit - photograph - seen.told[0]! + unknown;
  const logit = photograph + parts.age + parts.sex + parts.site + bias;
  return { photograph, ...parts, bias, logit, places: placesOf(seen) };
}

/** Share of held-out photographs below a logit, between quantiles at even steps of 0..1. */
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
