/** Age, sex and the site on a drawn body: what is known of a person. */

import type { BundleRecord, Person } from "../answer";
import { MAX_AGE, UNKNOWN } from "../device/static";
import { byId, inputOf } from "./dom";

export class PersonFields {
  private readonly choices = [
    ...document.querySelectorAll<HTMLInputElement>("input[name='place-on-body']"),
  ];
  private readonly regions = [...document.querySelectorAll<SVGGElement>("#body-drawing .region")];
  private readonly list = byId<HTMLSelectElement>("site");
  private asked = true;

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
      if (this.ageError() === "") this.showAgeError("");
      changed();
    });
    inputOf("age").addEventListener("change", () => this.showAgeError(this.ageError()));
    for (const one of document.querySelectorAll("input[name='sex']")) {
      one.addEventListener("change", changed);
    }
    // Browsers restore forms, some of them after this.
    window.addEventListener("pageshow", () => this.choose(this.list.value));
  }

  /** Ask for nothing that the network does not look at. */
  suit(record: BundleRecord): void {
    this.asked = record.network.with_static;
    byId("person").hidden = !this.asked;
    byId("no-person").hidden = this.asked;
  }

  /** What is known, or null when something cannot be; then the field says so and has the focus. */
  read(): Person | null {
    if (!this.asked) return { age: null, sex: UNKNOWN, site: UNKNOWN };
    const error = this.ageError();
    this.showAgeError(error);
    if (error !== "") {
      inputOf("age").focus();
      return null;
    }
    const sex = document.querySelector<HTMLInputElement>("input[name='sex']:checked");
    return { age: years(), sex: sex?.value ?? UNKNOWN, site: this.list.value };
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

  private ageError(): string {
    const age = years();
    if (age === null || (age >= 0 && age <= MAX_AGE)) return "";
    return `Years from 0 to ${MAX_AGE}, or nothing.`;
  }

  private showAgeError(text: string): void {
    byId("age-error").textContent = text;
    inputOf("age").setAttribute("aria-invalid", String(text !== ""));
  }
}

/** Null where nothing is written; not a number where it is none. */
function years(): number | null {
  const text = inputOf("age").value.trim().replace(",", ".");
  if (text === "" || text.toLowerCase() === UNKNOWN) return null;
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
