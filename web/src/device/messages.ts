/** Messages between the page and its worker. Errors cross as plain values. */

import type { Answer, Baseline, BundleInfo, Explanation, Method, PatientInfo } from "../answer";
import { EngineError, type ErrorKind } from "../engine";

/** The calls of the worker: what each takes and returns. */
export interface Calls {
  readonly open: { readonly request: { readonly base: string }; readonly response: BundleInfo };
  readonly diagnose: {
    readonly request: {
      readonly file: Blob;
      readonly patient: PatientInfo;
      readonly prevalence: number | undefined;
      readonly force: boolean | undefined;
    };
    readonly response: Answer;
  };
  readonly explain: {
    readonly request: {
      readonly file: Blob;
      readonly method: Method;
      readonly baseline: Baseline;
      readonly steps: number;
    };
    readonly response: Explanation;
  };
}

export type Name = keyof Calls;

export type WorkerRequest =
  | {
      [N in Name]: { readonly id: number; readonly call: N; readonly request: Calls[N]["request"] };
    }[Name]
  | { readonly id: number; readonly call: "stop" };

export type WorkerReply =
  | { readonly id: number; readonly share: number }
  | { readonly id: number; readonly value: Calls[Name]["response"] }
  | { readonly id: number; readonly failed: Failure };

/** An EngineError as plain values. */
interface Failure {
  readonly kind: ErrorKind;
  readonly found: string;
  readonly mend: string;
}

/** Turn anything that was thrown into plain values. */
export function toFailure(error: unknown): Failure {
  if (error instanceof EngineError) {
    return { kind: error.kind, found: error.found, mend: error.mend };
  }
  const found = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: "internal", found, mend: "reload the page, or let the server compute" };
}

/** Turn plain values back into an error. */
export function toError({ kind, found, mend }: Failure): EngineError {
  return new EngineError(kind, found, mend);
}
