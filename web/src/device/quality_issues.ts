/** What speaks against believing an answer, as `inference/quality/issues.py` has it. */

import phrases from "../../../src/melanoscope/inference/text/phrases.json";
import type { QualityIssue, Severity } from "../answer";

/** Kind of issue -> what to do about it, in the order in which issues are listed. */
export const ADVICE = phrases.advice;
export type IssueKind = keyof typeof ADVICE;

/**
 * Build an issue with its advice.
 *
 * @param found - One clause with the number that was found and the limit that it is beyond.
 */
export function qualityIssue(kind: IssueKind, severity: Severity, found: string): QualityIssue {
  return { kind, severity, found, advice: ADVICE[kind] };
}
