/** Errors in plain words, with buttons for what can be done about them. */

import { EngineError, type ErrorKind } from "../engine";
import { byId, el } from "./dom";
import { sentence } from "./phrases";

const TITLES: Readonly<Record<ErrorKind, string>> = {
  photograph: "This photograph cannot be read",
  format: "This browser cannot open this photograph",
  large: "This photograph is too large",
  patient: "Something that was stated cannot be",
  bundle: "The network cannot be used",
  busy: "The server is busy",
  network: "No connection to the server",
  device: "This device cannot compute it",
  internal: "This did not work",
};

/** A button that may help: its text, and what it does. */
export interface Remedy {
  readonly text: string;
  readonly go: () => void;
}

/** Show an error, with a button for each remedy. */
export function showProblem(error: unknown, remedies: readonly Remedy[]): void {
  const known = error instanceof EngineError ? error : unexpected(error);
  const wait = known.retryAfter === null ? "" : `Try again in ${known.retryAfter} seconds.`;
  const heading = el("h2", { id: "problem-heading", tabindex: -1 }, TITLES[known.kind]);
  byId("problem").replaceChildren(
    el(
      "div",
      { class: "panel problem" },
      heading,
      el("p", {}, [sentence(known.found), sentence(known.mend), wait].filter(Boolean).join(" ")),
      remedies.length > 0
        ? el("p", { class: "buttons" }, ...remedies.map((remedy) => button(remedy)))
        : null,
    ),
  );
  byId("problem").scrollIntoView({ block: "nearest" });
}

/** Remove the error that is shown. */
export function clearProblem(): void {
  byId("problem").replaceChildren();
}

function button({ text, go }: Remedy): HTMLElement {
  const made = el("button", { type: "button" }, text);
  made.addEventListener("click", go);
  return made;
}

function unexpected(error: unknown): EngineError {
  const found = error instanceof Error ? error.message : String(error);
  return new EngineError("internal", `a mistake of ours: ${found}`, "reload the page");
}
