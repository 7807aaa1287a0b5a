/** What speaks against believing an answer, as `inference/quality/issues.py` words it. */

import type { Concern, Severity } from "../answer";

export const TOO_SMALL = "too small";
export const BLURRED = "blurred";
export const TOO_DARK = "too dark";
export const TOO_BRIGHT = "too bright";
export const DRAWN = "drawn, not photographed";
export const UNLIKE_SKIN = "colours unlike skin";
export const CLUTTERED = "no close-up of skin";
export const NO_LESION = "no lesion in frame";
export const UNLIKE_TRAINING = "unlike the training photographs";

/** Kind of concern -> what to do about it, in the order in which they are told. */
export const ADVICE: Readonly<Record<string, string>> = {
  [TOO_SMALL]: "Send the photograph as the camera took it, not a thumbnail or a cut-out of it.",
  [BLURRED]: "Hold the camera still, wait until it has focused, and wipe the lens.",
  [TOO_DARK]: "Use more light, or the flash, and keep fingers and shadows out of the picture.",
  [TOO_BRIGHT]: "Use less light: turn away from lamp, sun and flash, or focus on the skin again.",
  [DRAWN]: "Photograph the skin itself, not a screen, and no drawing or page of text.",
  [UNLIKE_SKIN]: "Photograph the skin from close by in white light, in colour, without a filter.",
  [CLUTTERED]: "Go closer, until lesion and skin fill the picture and nothing else is in it.",
  [NO_LESION]: "Put one lesion in the middle of the picture, with some skin around it.",
  [UNLIKE_TRAINING]:
    "Take the photograph as the training photographs were taken: one lesion, sharp, filling " +
    "about half of the picture, through a dermoscope if those were.",
};

export function concern(kind: string, severity: Severity, found: string): Concern {
  return { kind, severity, found, advice: ADVICE[kind] ?? "" };
}
