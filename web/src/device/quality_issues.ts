/** What speaks against believing an answer, as `inference/quality/issues.py` has it. */

import phrases from "../../../src/melanoscope/inference/text/phrases.json";
import type { QualityIssue, Severity } from "../answer";
import { fill } from "./format";

/** Kind of issue -> what to do about it, in the order in which issues are listed. */
export const ADVICE = phrases.advice;
export type IssueKind = keyof typeof ADVICE;

/** The kind that nobody can override: the network gave no numbers. */
const NO_ANSWER: IssueKind = "no answer of the network";

/** Whether there is an answer to have all the same. */
export function canBeForced(issues: readonly QualityIssue[]): boolean {
  return issues.every((one) => one.kind !== NO_ANSWER);
}

/** Build the issue of a photograph of which outputs of the network are no finite numbers. */
export function noAnswerIssue(names: readonly string[]): QualityIssue {
  const found = fill(phrases.found.non_finite, { names: names.join(", ") });
  return qualityIssue(NO_ANSWER, "refused", found);
}

/**
 * Build an issue with its advice.
 *
 * @param found - One clause with the number that was found and the limit that it is beyond.
 */
export function qualityIssue(kind: IssueKind, severity: Severity, found: string): QualityIssue {
  return { kind, severity, found, advice: ADVICE[kind] };
}
