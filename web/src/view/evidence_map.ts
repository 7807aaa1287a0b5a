/** The section of an answer that shows where in the photograph it comes from. */

import type { BundleInfo, Evidence } from "../answer";
import { el } from "./dom";
import { type Explain, GradientsFigure } from "./gradients";
import { SIDE } from "./image_field";
import { describeMap, evidenceScale, interpolate } from "./maps";
import { backdrop, Opacity, Overlay } from "./overlay";
import { signed, twoDigits } from "./phrases";

/** Build the section with the evidence map and, on request, Integrated Gradients. */
export function evidenceMapSection(
  evidence: Evidence,
  square: ImageData | null,
  bundle: BundleInfo,
  explain: Explain,
): HTMLElement {
  const opacity = new Opacity();
  const scale = evidenceScale(evidence.places);
  const { condition } = bundle.record.target;
  const words = describeMap(evidence.places, condition);
  const heat = new Overlay("evidence-picture", backdrop(square), words);
  heat.show(interpolate(evidence.places, SIDE).map((one) => one / scale));
  opacity.follow(heat);
  const [rows, columns] = [evidence.places.length, evidence.places[0]?.length ?? 0];
  return el(
    "section",
    { class: "panel", "aria-labelledby": "heat-heading" },
    el("h3", { id: "heat-heading" }, "Where in the photograph it comes from"),
    square === null
      ? el(
          "p",
          { class: "hint" },
          "This browser cannot show the photograph; the map lies over grey.",
        )
      : null,
    legend(scale, condition),
    opacity.element,
    el(
      "div",
      { class: "pictures" },
      el(
        "figure",
        {},
        el("figcaption", {}, el("strong", {}, "Evidence of each place")),
        heat.canvas,
        el(
          "p",
          { class: "hint" },
          `What each of ${rows} x ${columns} places adds to the logit, together ` +
            `${signed(evidence.photograph, 2)}. ${words}`,
        ),
      ),
      new GradientsFigure(square, opacity, bundle, explain).element,
    ),
    el(
      "p",
      { class: "hint" },
      "An explanation says what the network responded to. It does not say that the network was right to.",
    ),
  );
}

function legend(scale: number, condition: string): HTMLElement {
  const number = twoDigits(scale);
  return el(
    "div",
    { class: "legend" },
    el("span", {}, `against ${condition}`),
    el("span", { class: "legend-ramp" }),
    el("span", {}, `for ${condition}`),
    el(
      "span",
      { class: "legend-ends hint" },
      el("span", {}, `\u2212${number}`),
      el("span", {}, "0"),
      el("span", {}, `+${number} per place`),
    ),
  );
}
