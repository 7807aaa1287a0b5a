/** The quality gate: limits of each measure and the issues beyond them (`inference/quality/gate.py`). */

import phrases from "../../../src/melanoscope/inference/text/phrases.json";
import type { Bounds, QualityIssue, QualityLimits, QualityMeasures } from "../answer";
import { EngineError } from "../engine";
import { fill, fixed, percent } from "./format";
import { type IssueKind, qualityIssue } from "./quality_issues";

type Measure = keyof QualityLimits;

interface Rule {
  readonly kind: IssueKind;
  /** Whether the measure has to stay above its limits or below them. */
  readonly limit: "lower" | "upper";
  /** Writes a value of the measure or one of its limits. */
  readonly format: (value: number) => string;
}

const hundredths = (value: number): string => fixed(value, 2);
const whole = (value: number): string => fixed(value, 0);
const share = (value: number): string => `${percent(value)}%`;

/** The rule of each measure, in the order in which issues are listed. */
const RULES: Readonly<Record<Measure, Rule>> = {
  scale: { kind: "too small", limit: "lower", format: hundredths },
  sharpness: { kind: "blurred", limit: "lower", format: hundredths },
  brightness: { kind: "too dark", limit: "lower", format: whole },
  dark_share: { kind: "too dark", limit: "upper", format: share },
  bright_share: { kind: "too bright", limit: "upper", format: share },
  flat_share: { kind: "drawn, not photographed", limit: "upper", format: share },
  strange_share: { kind: "colours unlike skin", limit: "upper", format: share },
  hue_agreement: { kind: "colours unlike skin", limit: "lower", format: hundredths },
  clutter: { kind: "no close-up of skin", limit: "upper", format: hundredths },
  lesion_contrast: { kind: "no lesion in frame", limit: "lower", format: hundredths },
};
const MEASURES = Object.keys(RULES) as Measure[];

/** Name what is wrong with a photograph, each kind of issue once and at its worst. */
export function findIssues(quality: QualityMeasures, limits: QualityLimits): QualityIssue[] {
  const issues = new Map<string, QualityIssue>();
  for (const name of MEASURES) {
    const issue = judgeMeasure(name, quality, limits[name]);
    if (issue !== null && (!issues.has(issue.kind) || issue.severity === "refused")) {
      issues.set(issue.kind, issue);
    }
  }
  return [...issues.values()];
}

/**
 * Name the issue of a photograph that is far from those of the training.
 *
 * @param distance - Distance in the space of the network's features; NaN counts as infinitely far.
 * @returns The issue, or null where the distance is small enough.
 */
export function findDistanceIssue(
  distance: number,
  doubtfulAbove: number,
  refusedAbove: number,
): QualityIssue | null {
  if (distance <= doubtfulAbove) return null;
  const refused = !(distance <= refusedAbove);
  const found = fill(phrases.found.distance, {
    value: whole(distance),
    limit: whole(refused ? refusedAbove : doubtfulAbove),
  });
  return qualityIssue("unlike the training photographs", refused ? "refused" : "doubtful", found);
}

/** Return a bundle's limits; throws EngineError of kind "bundle" where they make no sense. */
export function checkLimits(limits: QualityLimits): QualityLimits {
  for (const name of MEASURES) {
    const bounds: Bounds | undefined = limits[name];
    const sign = RULES[name].limit === "lower" ? 1 : -1;
    const sensible =
      bounds !== undefined &&
      Number.isFinite(bounds.doubtful) &&
      Number.isFinite(bounds.refused) &&
      sign * bounds.refused <= sign * bounds.doubtful;
    if (!sensible) {
      throw new EngineError("bundle", `the bundle has no limits of ${name}`, "make it anew");
    }
  }
  return limits;
}

function judgeMeasure(
  name: Measure,
  quality: QualityMeasures,
  bounds: Bounds,
): QualityIssue | null {
  const { kind, limit, format } = RULES[name];
  const value = quality[name];
  const sign = limit === "lower" ? 1 : -1;
  if (sign * value >= sign * bounds.doubtful) return null;
  const severity = sign * value >= sign * bounds.refused ? "doubtful" : "refused"; // NaN, too
  const found = fill(phrases.found[name], {
    value: format(value),
    limit: format(bounds[severity]),
    side: String(Math.min(quality.width, quality.height)),
  });
  return qualityIssue(kind, severity, found);
}
