/**
 * The probability on a drawn scale, in log odds, where prevalence only shifts the numbers: this
 * photograph, the thresholds, and the held-out photographs of both kinds.
 */

import type { Answer, BundleManifest, Decision, Target } from "../answer";
import { logOdds, probability as toProbability } from "../device/calibration";
import { el, placed, svg } from "./dom";
import { FORCED, percent, standing } from "./phrases";
import { rates, thresholds } from "./thresholds";

const TICKS = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999, 0.9999];
const [RAREST, COMMONEST] = [0.001, 0.5];

/** Build the section of the probability; null where the answer has none. */
export function scaleSection(answer: Answer, record: BundleManifest): HTMLElement | null {
  const { probability, prevalence } = answer;
  if (probability === null) return null;
  const shifted = el("div", { class: "scale-holder" });
  const draw = (stated: number): void => {
    shifted.replaceChildren(...drawn(restated(answer, probability, stated), record));
  };
  draw(prevalence);
  return el(
    "section",
    { class: "panel", "aria-labelledby": "probability-heading" },
    el("h3", { id: "probability-heading" }, `Probability of ${record.target.condition}`),
    shifted,
    answer.standing === null
      ? null
      : el(
          "p",
          {},
          el("strong", {}, "Among held-out photographs. "),
          standing(answer.standing, record.target),
        ),
    whatIf(prevalence, record, draw),
    rates(answer.decisions, record.thresholds, record.target),
  );
}

function inNumbers({ probability, prevalence }: Stated, { condition }: Target): string {
  const many = 1000 * probability;
  const count = many < 0.95 ? "fewer than 1" : Math.round(many).toString();
  return `If ${percent(prevalence)} of such photographs show ${condition}, so do ${count} of 1,000 that score like this one.`;
}

interface Stated {
  readonly forced: boolean;
  readonly probability: number;
  readonly prevalence: number;
  readonly decisions: readonly Decision[];
}

/** Move the probability and the thresholds of an answer to another prevalence, by Bayes' rule. */
function restated(answer: Answer, probability: number, stated: number): Stated {
  const { prevalence, decisions } = answer;
  const move = (one: number): number =>
    stated === prevalence || one <= 0 || one >= 1
      ? one
      : 1 / (1 + Math.exp(logOdds(prevalence) - logOdds(stated) - logOdds(one)));
  return {
    forced: answer.forced,
    probability: move(probability),
    prevalence: stated,
    decisions: decisions.map((one) => ({ ...one, threshold: move(one.threshold) })),
  };
}

function drawn(stated: Stated, record: BundleManifest): HTMLElement[] {
  return [
    el(
      "p",
      { class: "figures" },
      el("strong", { class: "large", id: "probability" }, percent(stated.probability)),
      stated.forced ? ` ${FORCED}` : ` ${inNumbers(stated, record.target)}`,
    ),
    picture(stated, record),
    thresholds(stated.decisions, record.target),
  ];
}

function picture(stated: Stated, record: BundleManifest): HTMLElement {
  const { calibration, heldout, target } = record;
  const odds = (logits: readonly number[]): number[] =>
    logits.map((logit) => safe(toProbability(calibration, logit, stated.prevalence)));
  const positives = odds(heldout.positive_logits);
  const others = odds(heldout.other_logits);
  const here = safe(stated.probability);
  const cuts = stated.decisions.map((one) => safe(one.threshold));
  // Extremes of the held-out photographs would leave little room for the rest.
  const all = [here, ...cuts, ...inner(positives), ...inner(others)];
  const [low, high] = [Math.min(...all) - 0.2, Math.max(...all) + 0.2];
  const at = (value: number): number =>
    100 * Math.min(Math.max((value - low) / (high - low), 0), 1);
  const visible = (values: readonly number[]): number[] =>
    values.filter((value) => value >= low && value <= high).map(at);
  const ticks = TICKS.map((share) => [share, logOdds(share)] as const).filter(
    ([, value]) => value > low && value < high,
  );
  const kept: number[] = [];
  const labelled = ticks.filter(([, value]) => {
    // Labels need room on the narrowest screen.
    const clear = kept.every((other) => Math.abs(at(other) - at(value)) > 13);
    if (clear) kept.push(value);
    return clear;
  });
  return el(
    "div",
    { class: "scale", role: "img", "aria-label": spoken(stated, target) },
    el(
      "div",
      { class: "scale-here" },
      held("span", at(here), `this photograph, ${percent(stated.probability)}`),
    ),
    el(
      "div",
      { class: "scale-field" },
      row(target.plural, strip(visible(positives), "strip-for")),
      row(target.negative_plural, strip(visible(others), "strip-against")),
      ...cuts.map((cut) => placed(el("i", { class: "scale-cut" }), { left: `${at(cut)}%` })),
      placed(el("i", { class: "scale-mark" }), { left: `${at(here)}%` }),
    ),
    el("div", { class: "scale-cuts" }, ...numbers(cuts.map(at))),
    el(
      "div",
      { class: "scale-axis" },
      ...labelled.map(([share, value]) => held("span", at(value), short(share))),
    ),
  );
}

function inner(quantiles: readonly number[]): number[] {
  const end = quantiles.length - 1;
  return [quantiles[Math.round(0.02 * end)] ?? 0, quantiles[Math.round(0.98 * end)] ?? 0];
}

/** Return log odds, kept finite at 0 and 1. */
function safe(share: number): number {
  return logOdds(Math.min(Math.max(share, 1e-9), 1 - 1e-9));
}

function row(name: string, picture: SVGElement): HTMLElement {
  return el("div", { class: "scale-row" }, el("span", { class: "scale-name" }, name), picture);
}

/** Draw a line for every hundredth of the held-out photographs. */
function strip(places: readonly number[], name: string): SVGElement {
  const path = places.map((place) => `M${place.toFixed(2)} 0V1`).join("");
  return svg(
    "svg",
    { class: "strip", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: name, d: path, "vector-effect": "non-scaling-stroke" }),
  );
}

/** Draw the numbers of the thresholds; one that would lie on another goes one row down. */
function numbers(places: readonly number[]): HTMLElement[] {
  const rows: number[][] = [];
  return places.map((place, index) => {
    let level = rows.findIndex((row) => row.every((other) => Math.abs(other - place) > 8));
    if (level < 0) level = rows.push([]) - 1;
    rows[level]?.push(place);
    const mark = el("span", { class: `number level-${level}` }, String(index + 1));
    return placed(mark, { left: `${place}%` });
  });
}

/** Draw a label, shifted so that it never leaves its line. */
function held(tag: "span", place: number, text: string): HTMLElement {
  return placed(el(tag, {}, text), {
    left: `${place}%`,
    transform: `translateX(-${place}%)`,
  });
}

function short(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}

function spoken({ probability, decisions }: Stated, target: Target): string {
  const cuts = decisions.map((one) => `${one.name} at ${percent(one.threshold)}`);
  return (
    `Scale of probability. This photograph: ${percent(probability)}. ` +
    `Thresholds: ${cuts.join(", ") || "none"}. ` +
    `Behind them, where held-out ${target.plural} and ${target.negative_plural} score.`
  );
}

function whatIf(
  prevalence: number,
  record: BundleManifest,
  draw: (stated: number) => void,
): HTMLElement {
  const { condition } = record.target;
  const note = record.prevalence_note;
  const range = el("input", {
    type: "range",
    id: "prevalence",
    min: logOdds(RAREST),
    max: logOdds(COMMONEST),
    step: 0.01,
    value: logOdds(Math.min(Math.max(prevalence, RAREST), COMMONEST)),
    "aria-describedby": "prevalence-hint",
  });
  const said = el("output", { for: "prevalence" }, percent(prevalence));
  const back = el("button", { type: "button", hidden: true }, `Back to ${percent(prevalence)}`);
  const show = (stated: number): void => {
    said.textContent = percent(stated);
    range.setAttribute("aria-valuetext", percent(stated));
    back.hidden = stated === prevalence;
    draw(stated);
  };
  range.setAttribute("aria-valuetext", percent(prevalence));
  range.addEventListener("input", () => show(1 / (1 + Math.exp(-range.valueAsNumber))));
  back.addEventListener("click", () => {
    range.valueAsNumber = logOdds(Math.min(Math.max(prevalence, RAREST), COMMONEST));
    show(prevalence);
    range.focus();
  });
  return el(
    "div",
    { class: "slider" },
    el("label", { for: "prevalence" }, `What if ${condition} were rarer or more common? `),
    el("div", { class: "slider-line" }, range, said, back),
    el(
      "p",
      { class: "hint", id: "prevalence-hint" },
      `Share of such photographs that show ${condition}. It moves every probability and no decision.`,
      note ? ` ${percent(record.prevalence)} is ${note}.` : null,
    ),
  );
}
