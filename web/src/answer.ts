/**
 * The answer to one photograph and what the service says of its bundle, as plain values. The types
 * are generated from the service's OpenAPI document and from the schema of bundle.json
 * (`npm run generate`), where each key is described.
 */

import type * as bundle from "./generated/bundle";
import type * as service from "./generated/service";

export type {
  Bounds,
  QualityLimits,
  Target,
  Threshold,
} from "./generated/bundle";
export type {
  Decision,
  Evidence,
  Explanation,
  Problem,
  QualityIssue,
  QualityMeasures,
  Standing,
} from "./generated/service";

/** A number measured on held-out photographs, with its confidence interval. */
export type Interval = service.IntervalModel;

/** What is known of a patient; sex and site are words of `device/patient.ts`. */
export type PatientInfo = Required<service.PatientInfo>;

/** What a bundle says of one photograph; probability, standing and evidence are null if refused. */
export type Answer = Omit<service.Answer, "person"> & { person: PatientInfo };

/** The content of bundle.json without its seal. */
export type BundleManifest = Omit<bundle.BundleManifest, "seal">;

/** What the service says of its bundle: `record` is the manifest, `card` the model card. */
export type BundleInfo = Omit<service.BundleInfo, "record"> & { record: BundleManifest };

/** An ONNX graph of a bundle: "model", "gradient" or "int8". */
export type GraphName = keyof BundleManifest["graphs"];

/** "doubtful": answered, with a warning; "refused": not answered unless forced. */
export type Severity = service.QualityIssue["severity"];

/** What an explanation is of: each place ("evidence") or each pixel (Integrated "gradients"). */
export type Method = service.Explanation["method"];

/** What Integrated Gradients count as a photograph that says nothing. */
export type Baseline = NonNullable<service.Explanation["baseline"]>;
export const BASELINES: readonly Baseline[] = ["black", "blurred", "mean skin"];
/** The baseline whose attributions err least in completeness. */
export const DEFAULT_BASELINE: Baseline = "mean skin";
