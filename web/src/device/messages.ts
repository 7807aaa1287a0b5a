/** What the page and the worker say to each other. Errors cross as plain values. */

import type { Answer, Attribution, Baseline, BundleInfo, Person } from "../answer";
import { EngineError, type ErrorKind } from "../engine";

export interface Calls {
  readonly open: { readonly asked: { readonly base: string }; readonly told: BundleInfo };
  readonly diagnose: {
    readonly asked: {
      readonly file: Blob;
      readonly person: Person;
      readonly prevalence: number | undefined;
      readonly force: boolean | undefined;
    };
    readonly told: Answer;
  };
  readonly explain: {
    readonly asked: {
      readonly file: Blob;
      readonly method: "evidence" | "gradients";
      readonly baseline: Baseline;
      readonly steps: number;
    };
    readonly told: Attribution;
  };
}

export type Name = keyof Calls;

export type Question =
  | {
      [N in Name]: { readonly id: number; readonly call: N; readonly asked: Calls[N]["asked"] };
    }[Name]
  | { readonly id: number; readonly call: "stop" };

export type Reply =
  | { readonly id: number; readonly share: number }
  | { readonly id: number; readonly value: Calls[Name]["told"] }
  | { readonly id: number; readonly failed: Failure };

export interface Failure {
  readonly kind: ErrorKind;
  readonly found: string;
  readonly mend: string;
}

export function toFailure(error: unknown): Failure {
  if (error instanceof EngineError) {
    return { kind: error.kind, found: error.found, mend: error.mend };
  }
  const found = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: "internal", found, mend: "reload the page, or let the server compute" };
}

export function toError({ kind, found, mend }: Failure): EngineError {
  return new EngineError(kind, found, mend);
}
