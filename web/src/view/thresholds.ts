/** The thresholds of the bundle: what each says of the photograph, and how often it is right. */

import type { Decision, Interval, Target, Threshold } from "../answer";
import { el } from "./dom";
import { bounds, percent, sentence } from "./phrases";

const disagree = ({ plural }: Target): string =>
  `The thresholds disagree: each weighs missed ${plural} against false alarms in its own way. ` +
  "What is said first is what the main one says.";

/** Build the list of thresholds, numbered as on the scale of probability. */
export function thresholds(decisions: readonly Decision[], target: Target): HTMLElement {
  const agree = new Set(decisions.map((one) => one.positive)).size < 2;
  return el(
    "div",
    {},
    list(decisions),
    agree ? null : el("p", { class: "hint" }, disagree(target)),
  );
}

function list(decisions: readonly Decision[]): HTMLElement {
  return el(
    "ol",
    { class: "thresholds" },
    ...decisions.map((one, index) => {
      const verdict = one.positive ? "suspicious" : "not suspicious";
      return el(
        "li",
        {},
        el("span", { class: "number", "aria-hidden": "true" }, String(index + 1)),
        el(
          "div",
          {},
          el(
            "p",
            {},
            el("strong", { class: one.positive ? "called" : "" }, sentence(verdict).slice(0, -1)),
            ` at ${percent(one.threshold)}, ${one.name}${index === 0 ? " (the main threshold)" : ""}`,
          ),
          el("p", { class: "hint" }, sentence(one.meaning)),
        ),
      );
    }),
  );
}

/** Build the table of how often each threshold was right on held-out photographs. */
export function rates(
  decisions: readonly Decision[],
  sealed: readonly Threshold[],
  { plural }: Target,
): HTMLElement {
  return el(
    "details",
    {},
    el("summary", {}, "How often each threshold is right"),
    el(
      "div",
      {
        class: "wide",
        tabindex: 0,
        role: "region",
        "aria-label": "How often each threshold is right",
      },
      el(
        "table",
        { class: "plain" },
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...[
              "Threshold",
              `Finds of ${plural}`,
              "Leaves alone of others",
              sentence(
                `${plural} among what it calls, if ${percent(sealed[0]?.prevalence ?? 0)} were ${plural}`,
              ).slice(0, -1),
            ].map((text) => el("th", { scope: "col" }, text)),
          ),
        ),
        el(
          "tbody",
          {},
          ...decisions.map((one) => {
            const ppv = sealed.find(({ key }) => key === one.key)?.ppv ?? null;
            return el(
              "tr",
              {},
              el("th", { scope: "row" }, one.name),
              ...[one.sensitivity, one.specificity, ppv].map((found) => el("td", {}, rate(found))),
            );
          }),
        ),
      ),
    ),
    el(
      "p",
      { class: "hint" },
      "On held-out photographs, with 95 % intervals; n counts patients or lesions.",
    ),
  );
}

function rate(found: Interval | null): string {
  return found === null ? "not measured" : `${percent(found.estimate)} (${bounds(found)})`;
}
