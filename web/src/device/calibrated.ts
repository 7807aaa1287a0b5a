/** From a logit to a calibrated probability at a stated prevalence: `inference/calibration.py`. */

import { EngineError } from "../engine";

/** Temperature, above 0, and the share of melanomas where it was fitted. */
export interface Scale {
  readonly temperature: number;
  readonly prevalence: number;
}

/** The probability of melanoma, 0..1; throws EngineError for a prevalence out of range. */
export function probability(scale: Scale, logit: number, stated: number): number {
  const z = logit / scale.temperature + logOdds(stated) - logOdds(scale.prevalence);
  // The form that cannot overflow, on either side.
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

export function logOdds(share: number): number {
  if (!(share > 0 && share < 1)) {
    throw new EngineError(
      "person",
      "the share of melanomas is not between 0 and 1",
      "state 1.8 % as 0.018",
    );
  }
  return Math.log(share / (1 - share));
}
