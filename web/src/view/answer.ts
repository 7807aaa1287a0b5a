/** The whole answer on the page: plain words first, then what lies behind them. */

import type { Answer, BundleInfo } from "../answer";
import { canBeForced } from "../device/quality_issues";
import { el } from "./dom";
import { evidenceMapSection } from "./evidence_map";
import { evidenceSumSection } from "./evidence_sum";
import type { Explain } from "./gradients";
import {
  caution,
  DERMOSCOPY,
  describePatient,
  FORCED,
  headline,
  madeFrom,
  percent,
  SIMULATED,
  sentence,
  WHATEVER,
} from "./phrases";
import { scaleSection } from "./probability_scale";
import { issueList, qualitySection } from "./quality_issues";

/** An answer with what it takes to show it. */
interface AnswerView {
  readonly answer: Answer;
  readonly bundle: BundleInfo;
  readonly place: "device" | "server";
  readonly square: ImageData | null;
  readonly seconds: number;
  readonly explain: Explain;
  /** Ask again, overriding the quality gate. */
  readonly force: () => void;
}

/** Build the sections of an answer. */
export function answerSections(view: AnswerView): HTMLElement[] {
  const { answer, bundle, square, explain } = view;
  const { evidence, person: patient } = answer;
  return [
    answer.probability === null ? whyRefused(view) : verdict(view),
    scaleSection(answer, bundle.record),
    evidence === null ? null : evidenceMapSection(evidence, square, bundle, explain),
    evidence === null
      ? null
      : evidenceSumSection(evidence, patient, bundle.record.target, mainLogit(view)),
    qualitySection(answer, bundle.record),
  ].filter((one) => one !== null);
}

/** Return the logit of the main threshold; null where the bundle does not have it. */
function mainLogit({ answer, bundle }: AnswerView): number | null {
  const key = answer.decisions[0]?.key;
  return bundle.record.thresholds.find((one) => one.key === key)?.logit ?? null;
}

function verdict(view: AnswerView): HTMLElement {
  const { answer } = view;
  const [main] = answer.decisions;
  return el(
    "div",
    { class: `panel verdict ${main?.positive ? "verdict-called" : ""}` },
    heading(view),
    answer.simulated ? el("p", { class: "warning" }, SIMULATED) : null,
    view.bundle.record.data.dermoscopy_only === true
      ? el("p", { class: "warning" }, DERMOSCOPY)
      : null,
    warning(answer),
    el(
      "dl",
      {},
      el("dt", {}, "What it is"),
      el("dd", {}, whatItIs(view)),
      el("dt", {}, "What it is not"),
      el("dd", {}, caution(answer, view.bundle.record.target)),
      el("dt", {}, "What to do"),
      el("dd", {}, el("strong", {}, WHATEVER)),
    ),
    provenance(view),
  );
}

function heading({ answer, bundle }: AnswerView): HTMLElement {
  const text = headline(answer, bundle.record.target);
  return el("h2", { id: "answer-heading", tabindex: -1 }, text);
}

function whatItIs({ answer, bundle }: AnswerView): string {
  const { probability, prevalence, decisions, network } = answer;
  if (probability === null) return "";
  const [main] = decisions;
  const { condition, plural } = bundle.record.target;
  const read =
    `${network}, a network ${madeFrom(bundle.record.data)}, gives this photograph a probability ` +
    `of ${condition} of ${percent(probability)}, assuming that ${percent(prevalence)} of such ` +
    `photographs show ${condition}.`;
  if (main === undefined) return read;
  const side = main.positive ? "at or above" : "below";
  const few =
    main.positive && probability < prevalence
      ? ` It is less than the assumed share: the main threshold is set to miss few ${plural}, and calls many other lesions.`
      : "";
  return `${read} That is ${side} its main threshold of ${percent(main.threshold)}.${few}`;
}

function warning(answer: Answer): HTMLElement | null {
  if (answer.concerns.length === 0) return null;
  return el(
    "section",
    { class: "warned", "aria-labelledby": "warned-heading" },
    el(
      "h3",
      { id: "warned-heading" },
      answer.forced ? "The photograph was refused" : "The photograph is doubtful",
    ),
    el(
      "p",
      {},
      answer.forced ? FORCED : "Answered, but a better photograph would be answered better.",
    ),
    issueList(answer.concerns),
  );
}

function whyRefused(view: AnswerView): HTMLElement {
  const { answer } = view;
  const again = el(
    "button",
    { type: "button", class: "button-strong" },
    "Choose another photograph",
  );
  again.addEventListener("click", () => document.getElementById("file")?.click());
  const force = el("button", { type: "button", id: "force" }, "Answer it anyway");
  force.addEventListener("click", view.force);
  return el(
    "div",
    { class: "panel verdict verdict-refused" },
    heading(view),
    el("p", {}, caution(answer, view.bundle.record.target)),
    answer.simulated ? el("p", { class: "warning" }, SIMULATED) : null,
    el("h3", {}, "What to do better"),
    issueList(answer.concerns),
    el("p", { class: "buttons" }, again, canBeForced(answer.concerns) ? force : null),
    el("p", {}, el("strong", {}, WHATEVER)),
    provenance(view),
  );
}

function provenance({ answer, place, seconds }: AnswerView): HTMLElement {
  const { age, sex, site } = describePatient(answer.person);
  const where =
    place === "device"
      ? "Computed on this device; the photograph has not left it."
      : "Computed on the server, which has kept nothing of the photograph.";
  return el(
    "p",
    { class: "hint" },
    `${where} It took ${duration(seconds)}. ${sentence(`known: ${age}, ${sex}, ${site}`)} `,
    answer.forced ? "Photograph refused; that was overridden." : `Photograph ${answer.status}.`,
  );
}

function duration(seconds: number): string {
  if (seconds < 0.15) return "0.1 seconds or less";
  return `${seconds.toFixed(seconds < 9.5 ? 1 : 0)} seconds`;
}
