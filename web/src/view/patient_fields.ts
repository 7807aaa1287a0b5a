/** The form's fields of a patient: age, sex, and the site on a drawn body. */

import type { BundleManifest, PatientInfo } from "../answer";
import { MAX_AGE, parseAge, UNKNOWN } from "../device/patient";
import { byId, inputOf } from "./dom";

/** The fields; calls back with every change. */
export class PatientFields {
  private readonly choices = [
    ...document.querySelectorAll<HTMLInputElement>("input[name='place-on-body']"),
  ];
  private readonly regions = [...document.querySelectorAll<SVGGElement>("#body-drawing .region")];
  private readonly list = byId<HTMLSelectElement>("site");
  private needed = true;

  constructor(changed: () => void) {
    this.list.addEventListener("change", () => {
      this.choose(this.list.value);
      changed();
    });
    for (const choice of this.choices) {
      choice.addEventListener("change", () => {
        this.choose(choice.value);
        changed();
      });
      choice.addEventListener("focus", () => this.mark());
      choice.addEventListener("blur", () => this.mark());
    }
    for (const region of this.regions) {
      region.addEventListener("click", () => {
        const site = region.dataset["site"] ?? UNKNOWN;
        this.choose(site === this.list.value ? UNKNOWN : site);
        changed();
      });
    }
    inputOf("age").addEventListener("input", () => {
      if (statedAge() !== "no age") this.showAgeError(null);
      changed();
    });
    inputOf("age").addEventListener("change", () => this.showAgeError(statedAge()));
    for (const one of document.querySelectorAll("input[name='sex']")) {
      one.addEventListener("change", changed);
    }
    // Browsers restore forms, some of them after this.
    window.addEventListener("pageshow", () => this.choose(this.list.value));
  }

  /** Show the fields only where the network looks at them. */
  suit(record: BundleManifest): void {
    this.needed = record.network.with_static;
    byId("person").hidden = !this.needed;
    byId("no-person").hidden = this.needed;
  }

  /** Return the stated patient; where the age is none, show that, focus its field, return null. */
  read(): PatientInfo | null {
    if (!this.needed) return { age: null, sex: UNKNOWN, site: UNKNOWN };
    const age = statedAge();
    this.showAgeError(age);
    if (age === "no age") {
      inputOf("age").focus();
      return null;
    }
    const sex = document.querySelector<HTMLInputElement>("input[name='sex']:checked");
    return { age, sex: sex?.value ?? UNKNOWN, site: this.list.value };
  }

  private choose(site: string): void {
    this.list.value = site;
    for (const choice of this.choices) choice.checked = choice.value === site;
    this.mark();
  }

  private mark(): void {
    const focused = this.choices.find((choice) => choice.matches(":focus-visible"));
    for (const region of this.regions) {
      const site = region.dataset["site"];
      region.classList.toggle("chosen", site === this.list.value);
      region.classList.toggle("focused", site === focused?.value);
    }
    byId("body").classList.toggle("body-focused", focused !== undefined);
  }

  private showAgeError(age: StatedAge): void {
    const wrong = age === "no age";
    byId("age-error").textContent = wrong ? `Years from 0 to ${MAX_AGE}, or nothing.` : "";
    inputOf("age").setAttribute("aria-invalid", String(wrong));
  }
}

/** Years, or null where unknown. */
type StatedAge = number | null | "no age";

/** Read the age that stands in the form. */
function statedAge(): StatedAge {
  try {
    return parseAge(inputOf("age").value.replace(",", "."));
  } catch {
    return "no age";
  }
}
