/** Calibrated probabilities at a stated prevalence, as `inference/calibration.py` computes them. */

import { EngineError } from "../engine";

/** Temperature scaling: the temperature, above 0, and the share of positive lesions where it was fitted. */
export interface TemperatureScaling {
  readonly temperature: number;
  readonly prevalence: number;
}

/**
 * Return the calibrated probability of the target's condition, 0..1.
 *
 * @param logit - Logit of the network, before calibration.
 * @param stated - Prevalence that is assumed, 0..1.
 * @throws EngineError of kind "patient" for a prevalence that is not between 0 and 1.
 */
export function probability(
  calibration: TemperatureScaling,
  logit: number,
  stated: number,
): number {
  const z = logit / calibration.temperature + logOdds(stated) - logOdds(calibration.prevalence);
  // The form that cannot overflow, on either side.
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

/** Return the log odds of a share; throws EngineError of kind "patient" where it is not between 0 and 1. */
export function logOdds(share: number): number {
  if (!(share > 0 && share < 1)) {
    throw new EngineError(
      "patient",
      "the share that is assumed is not between 0 and 1",
      "state 1.8 % as 0.018",
    );
  }
  return Math.log(share / (1 - share));
}
