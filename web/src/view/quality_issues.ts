/** Quality issues, each with a picture of what to do better, and the table of all measures. */

import type { Answer, BundleManifest, QualityIssue, QualityLimits } from "../answer";
import type { IssueKind } from "../device/quality_issues";
import { el } from "./dom";
import { sentence } from "./phrases";

/** Kind of issue -> name of its picture, and the picture in words. */
const PICTURES: Readonly<Partial<Record<IssueKind, readonly [string, string]>>> = {
  "too small": ["too-small", "Crossed out: a thumbnail. Ticked: the whole photograph."],
  blurred: ["blurred", "Crossed out: a blurred spot. Ticked: the same spot, sharp."],
  "too dark": ["too-dark", "Crossed out: a spot in the dark. Ticked: the same spot in good light."],
  "too bright": [
    "too-bright",
    "Crossed out: glare over the spot. Ticked: the same spot in even light.",
  ],
  "drawn, not photographed": ["drawn", "Crossed out: a page on a screen. Ticked: the skin itself."],
  "colours unlike skin": [
    "unlike-skin",
    "Crossed out: a spot under a coloured filter. Ticked: the same spot in white light.",
  ],
  "no close-up of skin": [
    "cluttered",
    "Crossed out: a person in a room. Ticked: one spot from close by.",
  ],
  "no lesion in frame": ["no-lesion", "Crossed out: bare skin. Ticked: one spot in the middle."],
  "unlike the training photographs": [
    "unlike-training",
    "Crossed out: several spots from afar. Ticked: one spot that fills half of the picture.",
  ],
};

/** Build the list of issues with pictures and advice. */
export function issueList(issues: readonly QualityIssue[]): HTMLElement {
  return el("ul", { class: "advice" }, ...issues.map(item));
}

function item({ kind, severity, found, advice }: QualityIssue): HTMLElement {
  const [name, alt] = PICTURES[kind as IssueKind] ?? [null, ""];
  return el(
    "li",
    { "data-kind": kind },
    name === null
      ? null
      : el("img", { src: `./pictures/${name}.svg`, width: 240, height: 104, alt }),
    el(
      "div",
      {},
      el("h4", {}, sentence(kind).slice(0, -1)),
      el("p", {}, advice),
      el(
        "p",
        { class: "hint" },
        `${sentence(found)} ${severity === "refused" ? "Refused." : "Doubtful."}`,
      ),
    ),
  );
}

const MEASURES: readonly (readonly [keyof QualityLimits, string, "least" | "most"])[] = [
  ["scale", "short side by the network's", "least"],
  ["sharpness", "sharpness", "least"],
  ["brightness", "brightest parts, 0 to 255", "least"],
  ["dark_share", "share near-black", "most"],
  ["bright_share", "share overexposed", "most"],
  ["flat_share", "share without any texture", "most"],
  ["strange_share", "share green or grey", "most"],
  ["hue_agreement", "agreement of hues", "least"],
  ["clutter", "differences all over the picture", "most"],
  ["lesion_contrast", "contrast of the lesion to the skin around", "least"],
];

/** Build the table of all measures of the photograph with their limits. */
export function qualitySection(answer: Answer, record: BundleManifest): HTMLElement {
  const { quality, distance } = answer;
  const rows = MEASURES.map(([name, label, side]) => {
    const bounds = record.gate.limits[name];
    return bounds === undefined
      ? null
      : row(label, quality[name], bounds.doubtful, bounds.refused, side);
  });
  const limits = record.gate.distance["float32"];
  return el(
    "details",
    { class: "panel" },
    el("summary", {}, "What was measured of the photograph"),
    el("p", { class: "hint" }, `${quality.width} x ${quality.height} pixels, upright.`),
    el(
      "div",
      { class: "wide", tabindex: 0, role: "region", "aria-label": "Measures of the photograph" },
      el(
        "table",
        { class: "plain" },
        el("thead", {}, el("tr", {}, ...["Measure", "Here", "Doubtful", "Refused"].map(head))),
        el(
          "tbody",
          {},
          ...rows,
          limits === undefined || distance === null
            ? null
            : row(
                "distance from the training photographs",
                distance,
                limits.doubtful_above,
                limits.refused_above,
                "most",
              ),
        ),
      ),
    ),
  );
}

function head(text: string): HTMLElement {
  return el("th", { scope: "col" }, text);
}

function row(
  label: string,
  value: number,
  doubtful: number,
  refused: number,
  side: "least" | "most",
): HTMLElement {
  const sign = side === "least" ? -1 : 1;
  const bad =
    sign * value > sign * refused ? "refused" : sign * value > sign * doubtful ? "doubtful" : "";
  const word = side === "least" ? "below" : "above";
  return el(
    "tr",
    { class: bad && "bad" },
    el("th", { scope: "row" }, label),
    el("td", {}, plain(value), bad && ` (${bad})`),
    el("td", {}, `${word} ${plain(doubtful)}`),
    el("td", {}, `${word} ${plain(refused)}`),
  );
}

function plain(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "no number";
}
