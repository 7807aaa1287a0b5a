/** Where in the photograph the answer comes from: evidence of each place, Integrated Gradients. */

import type { BundleInfo, EvidenceSum } from "../answer";
import { el } from "./dom";
import { type Explain, GradientsFigure } from "./gradients";
import { evidenceScale, inWords, spread } from "./maps";
import { backdrop, Opacity, Picture } from "./overlay";
import { SIDE } from "./photograph";
import { signed, small } from "./wording";

export function heatSection(
  evidence: EvidenceSum,
  square: ImageData | null,
  bundle: BundleInfo,
  explain: Explain,
): HTMLElement {
  const opacity = new Opacity();
  const scale = evidenceScale(evidence.places);
  const heat = new Picture("evidence-picture", backdrop(square), inWords(evidence.places));
  heat.show(spread(evidence.places, SIDE).map((one) => one / scale));
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
    legend(scale),
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
            `${signed(evidence.photograph, 2)}. ${inWords(evidence.places)}`,
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

function legend(scale: number): HTMLElement {
  const number = small(scale);
  return el(
    "div",
    { class: "legend" },
    el("span", {}, "against melanoma"),
    el("span", { class: "legend-ramp" }),
    el("span", {}, "for melanoma"),
    el(
      "span",
      { class: "legend-ends hint" },
      el("span", {}, `\u2212${number}`),
      el("span", {}, "0"),
      el("span", {}, `+${number} per place`),
    ),
  );
}
