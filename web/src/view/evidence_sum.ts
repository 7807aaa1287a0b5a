/** The section of an answer that shows the logit as a sum: a bar and a number for each addend. */

import type { Evidence, PatientInfo, Target } from "../answer";
import { el, placed } from "./dom";
import { decimalsOfSum, evidenceRows, ROUNDED, sentence, signed } from "./phrases";

const MEANINGS: readonly string[] = [
  "all its places together",
  "",
  "",
  "",
  "before anything is known",
];

/**
 * Build the section of the sum.
 *
 * @param main - Logit from which on the main threshold calls a lesion suspicious; null if unknown.
 */
export function evidenceSumSection(
  evidence: Evidence,
  patient: PatientInfo,
  { condition }: Target,
  main: number | null,
): HTMLElement {
  const addends = evidenceRows(evidence, patient);
  const values = addends.map(([, value]) => value);
  const [decimals, holds] = decimalsOfSum(values, evidence.logit);
  const scale = Math.max(...[...values, evidence.logit].map(Math.abs)) || 1;
  return el(
    "section",
    { class: "panel", "aria-labelledby": "sum-heading" },
    el("h3", { id: "sum-heading" }, "The whole sum"),
    el(
      "p",
      { class: "hint", id: "sum-hint" },
      `The network's score (logit) is exactly this sum: what is above 0 speaks for ${condition}, what is below against it.`,
      main === null
        ? null
        : ` The main threshold calls a lesion suspicious from ${signed(main, 2)} on.`,
    ),
    el(
      "table",
      { class: "sum", "aria-labelledby": "sum-heading", "aria-describedby": "sum-hint" },
      el("thead", { class: "unseen-head" }, el("tr", {}, head("Part"), head("Adds"), el("td", {}))),
      el(
        "tbody",
        {},
        ...addends.map(([name, value], index) =>
          line(name, value, MEANINGS[index] ?? "", decimals, scale),
        ),
      ),
      el("tfoot", {}, line("logit", evidence.logit, "the sum", decimals, scale)),
    ),
    holds ? null : el("p", { class: "hint" }, ROUNDED),
  );
}

function head(text: string): HTMLElement {
  return el("th", { scope: "col" }, text);
}

function line(
  name: string,
  value: number,
  meaning: string,
  decimals: number,
  scale: number,
): HTMLElement {
  const share = (50 * Math.abs(value)) / scale;
  const bar = placed(el("i", { class: value < 0 ? "bar bar-against" : "bar bar-for" }), {
    width: `${share}%`,
    left: `${value < 0 ? 50 - share : 50}%`,
  });
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      sentence(name).slice(0, -1),
      meaning ? el("span", { class: "hint" }, meaning) : null,
    ),
    el("td", { class: "amount" }, signed(value, decimals)),
    el("td", { class: "bar-cell" }, el("div", { class: "bar-line", "aria-hidden": "true" }, bar)),
  );
}
