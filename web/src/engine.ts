/** What computes answers: the server or the device. Both give the same for the same file. */

import type { Answer, Baseline, BundleInfo, Explanation, Method, PatientInfo } from "./answer";

/** How to answer. */
export interface DiagnoseOptions {
  /** Share of positive lesions to assume, between 0 and 1; the bundle's where absent. */
  readonly prevalence?: number | undefined;
  /** Whether to answer what the quality gate refuses, too. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How to explain. */
export interface ExplainOptions {
  readonly method?: Method | undefined; // "gradients" where absent
  readonly baseline?: Baseline | undefined; // DEFAULT_BASELINE where absent
  /** Points to begin with, 1 or more, doubled until their sum is complete; 64 where absent. */
  readonly steps?: number | undefined;
  /** Called with the share that is done, 0..1; may never be called. */
  readonly progress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What computes answers. */
export interface Engine {
  readonly place: "server" | "device";
  readonly bundle: BundleInfo;
  /** Answer a photograph. Throws EngineError; an abort throws the signal's reason. */
  diagnose(file: Blob, patient: PatientInfo, options?: DiagnoseOptions): Promise<Answer>;
  /** Explain an answer. Throws as `diagnose`, of kind "bundle" without a gradient graph. */
  explain(file: Blob, options?: ExplainOptions): Promise<Explanation>;
  /** Give back memory and threads; the engine is of no use afterwards. */
  close(): void;
}

/**
 * What a person can mend:
 * - "photograph": the file cannot be read;
 * - "format": not by this browser;
 * - "large": too large for where it was asked;
 * - "patient": age, sex, site or prevalence out of range;
 * - "bundle": no whole bundle of a known version, or without what is asked of it;
 * - "busy": try again in `retryAfter` seconds;
 * - "network": no connection to the server;
 * - "device": this browser cannot compute;
 * - "internal": a mistake of ours.
 */
export type ErrorKind =
  | "photograph"
  | "format"
  | "large"
  | "patient"
  | "bundle"
  | "busy"
  | "network"
  | "device"
  | "internal";

/** An error for people: what is wrong, and how to mend it. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly kind: ErrorKind,
    /** What is wrong, a clause in plain words, for people. */
    readonly found: string,
    /** How to mend it, a sentence for people; may be empty. */
    readonly mend: string,
    readonly retryAfter: number | null = null,
  ) {
    super(mend ? `${found}; ${mend}` : found);
  }
}
