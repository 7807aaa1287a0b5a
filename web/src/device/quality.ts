/** The quality gate: what is measured, and what speaks against it, as `inference/quality/measures.py` and `gate.py`. */

import type { Bounds, Concern, Quality } from "../answer";
import { EngineError } from "../engine";
import {
  BLURRED,
  CLUTTERED,
  concern,
  DRAWN,
  NO_LESION,
  TOO_BRIGHT,
  TOO_DARK,
  TOO_SMALL,
  UNLIKE_SKIN,
  UNLIKE_TRAINING,
} from "./concern";
import { fixed, percent } from "./format";
import { measures } from "./pixel_measures";

type Measure = Exclude<keyof Quality, "width" | "height">;
export type Limits = Readonly<Record<Measure, Bounds>>;

interface Rule {
  readonly kind: string;
  /** -1 where the measure is to be low, 1 where it is to be high. */
  readonly sign: 1 | -1;
  readonly words: (value: number, limit: number, quality: Quality) => string;
}

/** What is judged, in the order in which it is told. */
const RULES: Readonly<Record<Measure, Rule>> = {
  scale: {
    kind: TOO_SMALL,
    sign: 1,
    words: (value, limit, { width, height }) =>
      `a short side of ${Math.min(width, height)} pixels, ${fixed(value, 2)} of the network's, ` +
      `below ${fixed(limit, 2)}`,
  },
  sharpness: high(BLURRED, (value, limit) => `sharpness ${value}, below ${limit}`),
  brightness: {
    kind: TOO_DARK,
    sign: 1,
    words: (value, limit) =>
      `${fixed(value, 0)} of 255 in the brightest parts, below ${fixed(limit, 0)}`,
  },
  dark_share: low(TOO_DARK, "near-black"),
  bright_share: low(TOO_BRIGHT, "overexposed"),
  flat_share: low(DRAWN, "without any texture"),
  strange_share: low(UNLIKE_SKIN, "green or grey"),
  hue_agreement: high(UNLIKE_SKIN, (value, limit) => `agreement of hues ${value}, below ${limit}`),
  clutter: {
    kind: CLUTTERED,
    sign: -1,
    words: (value, limit) =>
      `differences all over the picture, ${fixed(value, 2)}, above ${fixed(limit, 2)}`,
  },
  lesion_contrast: high(
    NO_LESION,
    (value, limit) => `contrast to the skin around ${value}, below ${limit}`,
  ),
};
const MEASURES = Object.keys(RULES) as Measure[];

/** Measure a decoded square; width and height are those of the whole, upright, in pixels. */
export function measure(pixels: Uint8Array, side: number, width: number, height: number): Quality {
  const scale = Math.min(width, height) / side;
  return { width, height, scale, ...measures(pixels, side) };
}

/** Name what is wrong with a photograph, each kind once and at its worst. */
export function judge(quality: Quality, limits: Limits): Concern[] {
  const found = new Map<string, Concern>();
  for (const name of MEASURES) {
    const one = judgeMeasure(name, quality, limits[name]);
    if (one !== null && (!found.has(one.kind) || one.severity === "refused")) {
      found.set(one.kind, one);
    }
  }
  return [...found.values()];
}

/** Name the concern of a photograph far from those of the training, or null. */
export function judgeDistance(
  distance: number,
  doubtfulAbove: number,
  refusedAbove: number,
): Concern | null {
  // A distance that is no number is as far away as can be.
  if (distance <= doubtfulAbove) return null;
  const beyond = !(distance <= refusedAbove);
  const limit = beyond ? refusedAbove : doubtfulAbove;
  return concern(
    UNLIKE_TRAINING,
    beyond ? "refused" : "doubtful",
    `distance ${fixed(distance, 0)}, above ${fixed(limit, 0)}`,
  );
}

/** Read a bundle's limits; throws EngineError of kind "bundle" where they make no sense. */
export function limitsOf(record: Readonly<Record<string, Bounds>>): Limits {
  for (const name of MEASURES) {
    const bounds = record[name];
    const sign = RULES[name].sign;
    const whole =
      bounds !== undefined &&
      Number.isFinite(bounds.doubtful) &&
      Number.isFinite(bounds.refused) &&
      sign * bounds.refused <= sign * bounds.doubtful;
    if (!whole) {
      throw new EngineError("bundle", `the bundle has no limits of ${name}`, "make it anew");
    }
  }
  return record as Limits;
}

function judgeMeasure(name: Measure, quality: Quality, bounds: Bounds): Concern | null {
  const { kind, sign, words } = RULES[name];
  const value = quality[name];
  if (!(sign * value < sign * bounds.doubtful)) return null;
  const refused = sign * value < sign * bounds.refused;
  const limit = refused ? bounds.refused : bounds.doubtful;
  return concern(kind, refused ? "refused" : "doubtful", words(value, limit, quality));
}

function low(kind: string, what: string): Rule {
  const words = (value: number, limit: number): string =>
    `${percent(value)}% ${what}, above ${percent(limit)}%`;
  return { kind, sign: -1, words };
}

function high(kind: string, write: (value: string, limit: string) => string): Rule {
  return { kind, sign: 1, words: (value, limit) => write(fixed(value, 2), fixed(limit, 2)) };
}
