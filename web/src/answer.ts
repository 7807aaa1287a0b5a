/**
 * The answer to one photograph, as plain values: `Diagnosis.to_record()` of the Python package,
 * and what the service says of its bundle. Whoever computes them, on the server or on the device,
 * gives the same; the page shows nothing else. Names and units are those of the Python package.
 */

export type Status = "accepted" | "doubtful" | "refused";

/** "doubtful": answered, with a warning; "refused": not answered unless forced. */
export type Severity = "doubtful" | "refused";

/** What counts as a photograph that says nothing, for Integrated Gradients. */
export type Baseline = "black" | "blurred" | "mean skin";
export const BASELINES: readonly Baseline[] = ["black", "blurred", "mean skin"];
/** Which errs least in completeness. */
export const DEFAULT_BASELINE: Baseline = "mean skin";

/** Age in years, 0 to 120, or null where unknown; sex and site are words of `device/static.ts`. */
export interface PatientInfo {
  readonly age: number | null;
  readonly sex: string;
  readonly site: string;
}

/** A number measured on held-out photographs, with its confidence interval; `n` counts groups. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly standard_error: number | null;
  readonly n: number;
  readonly unit: string;
  readonly method: string;
  readonly confidence: number;
}

/** What one threshold says; `threshold` is a probability at the answer's prevalence. */
export interface Decision {
  readonly key: string;
  readonly name: string;
  readonly meaning: string;
  readonly threshold: number;
  readonly positive: boolean;
  readonly sensitivity: Interval | null;
  readonly specificity: Interval | null;
}

/** One thing that is wrong with a photograph; `kind` is a key of `ADVICE` in device/concern.ts. */
export interface QualityIssue {
  readonly kind: string;
  readonly severity: Severity;
  readonly found: string;
  readonly advice: string;
}

/** Shares (0..1) of held-out melanomas and other lesions with a lower logit. */
export interface Standing {
  readonly among_melanomas: number;
  readonly among_others: number;
}

/**
 * photograph + age + sex + site + bias = logit. `places[row][column]` is what each place of the
 * centred square adds, row 0 at the top; above 0 speaks for melanoma.
 */
export interface Evidence {
  readonly photograph: number;
  readonly age: number;
  readonly sex: number;
  readonly site: number;
  readonly bias: number;
  readonly logit: number;
  readonly places: readonly (readonly number[])[];
}

/** What the gate measured; meanings in `melanoscope.diagnosis.quality`. */
export interface QualityMeasures {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly sharpness: number;
  readonly brightness: number;
  readonly dark_share: number;
  readonly bright_share: number;
  readonly flat_share: number;
  readonly strange_share: number;
  readonly hue_agreement: number;
  readonly clutter: number;
  readonly lesion_contrast: number;
}

/** What a bundle says of one photograph. Refused: probability, standing, evidence are null. */
export interface Answer {
  readonly status: Status;
  readonly concerns: readonly QualityIssue[];
  /** Of melanoma, calibrated, at `prevalence`; 0..1. */
  readonly probability: number | null;
  /** Share of melanomas that the probability assumes, 0..1. */
  readonly prevalence: number;
  /** At each threshold of the bundle, the main one first; empty where refused. */
  readonly decisions: readonly Decision[];
  readonly standing: Standing | null;
  readonly evidence: Evidence | null;
  readonly person: PatientInfo;
  readonly quality: QualityMeasures;
  /** From the training photographs, in the space of the network's features. */
  readonly distance: number;
  /** Name of the network for readers. */
  readonly network: string;
  /** Whether the network learnt from simulated lesions and knows nothing of skin. */
  readonly simulated: boolean;
  /** Whether a refusal was overridden. */
  readonly forced: boolean;
  readonly disclaimer: string;
  /** Fingerprint of the bundle that answered. */
  readonly bundle: string;
}

/**
 * What each place ("evidence") or each pixel ("gradients") of the centred square adds to the
 * logit. `baseline`, `steps` and `completeness_error` are those of Integrated Gradients, null for
 * "evidence"; `difference` is what `values` should sum to.
 */
export interface Explanation {
  readonly method: "evidence" | "gradients";
  readonly values: readonly (readonly number[])[];
  readonly baseline: Baseline | null;
  readonly steps: number | null;
  readonly difference: number;
  readonly completeness_error: number | null;
  readonly bundle: string;
}

/** GET /v1/bundle. */
export interface BundleInfo {
  /** sha256 of bundle.json. */
  readonly fingerprint: string;
  readonly record: BundleManifest;
  /** MODEL_CARD.md. */
  readonly card: string;
  /** Whether Integrated Gradients can be had (the bundle has a gradient graph). */
  readonly explains: boolean;
}

/** A threshold as bundles hold it; `logit` is before calibration. */
export interface Threshold {
  readonly key: string;
  readonly name: string;
  readonly meaning: string;
  readonly logit: number;
  readonly sensitivity: Interval | null;
  readonly specificity: Interval | null;
  readonly ppv: Interval | null;
  readonly npv: Interval | null;
  readonly prevalence: number;
}

/** From where on a measure is doubtful, and from where on it is refused. */
export interface Bounds {
  readonly doubtful: number;
  readonly refused: number;
}

/** A level of a subgroup variable, measured at the main threshold. */
export interface SubgroupLevel {
  readonly level: string;
  readonly n: number;
  readonly melanomas: number;
  readonly groups: number;
  readonly too_small: boolean;
  readonly auroc: Interval | null;
  readonly sensitivity: Interval | null;
  readonly specificity: Interval | null;
}

/** Where a graph is, or why there is none; int8 has its comparison beside it. */
export interface GraphEntry {
  readonly file?: string;
  readonly why?: string;
}

/** Content of bundle.json that reading and showing an answer takes. */
export interface BundleManifest {
  readonly schema: number;
  readonly melanoscope: string;
  readonly created: string;
  readonly name: string;
  readonly task: {
    readonly question: string;
    readonly labels: readonly string[];
    readonly positive: string;
  };
  readonly network: {
    readonly backbone: string;
    readonly label: string;
    readonly transfer: string;
    readonly with_static: boolean;
    readonly size: number;
    readonly parameters: number;
  };
  readonly static: {
    readonly features: readonly string[];
    readonly sexes: readonly string[];
    readonly sites: readonly string[];
    readonly max_age: number;
  } | null;
  readonly data: {
    readonly fingerprint: string;
    readonly photographs: number;
    readonly melanomas: number;
    readonly groups: number;
    readonly simulated: boolean;
    /** Of bundles made before it was said: absent. */
    readonly dermoscopy_only?: boolean;
  };
  readonly licence: {
    readonly terms: readonly string[];
    readonly non_commercial: boolean;
    readonly notice: string;
    readonly attribution: readonly string[];
  };
  readonly disclaimer: string;
  readonly calibration: { readonly temperature: number; readonly prevalence: number };
  readonly prevalence: number;
  readonly thresholds: readonly Threshold[];
  readonly metrics: Readonly<Record<string, Interval>>;
  readonly subgroups: readonly {
    readonly name: string;
    readonly levels: readonly SubgroupLevel[];
  }[];
  readonly heldout: {
    readonly photographs: number;
    readonly melanomas: number;
    readonly groups: number;
    /** Quantiles of logits, from the 0th to the 100th per cent. */
    readonly melanoma_logits: readonly number[];
    readonly other_logits: readonly number[];
  };
  readonly gate: {
    readonly limits: Readonly<Record<string, Bounds>>;
    readonly distance: Readonly<
      Record<string, { readonly doubtful_above: number; readonly refused_above: number }>
    >;
  };
  readonly graphs: Readonly<Record<string, GraphEntry>>;
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}
