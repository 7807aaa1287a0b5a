/**
 * The model card, from its markdown: headings, paragraphs, lists, quotes, tables, code. Everything
 * becomes elements with text in them; whatever is not known here is shown as it is written.
 */

import type { BundleManifest } from "../answer";
import { type Child, el } from "./dom";
import { sentence } from "./phrases";

const HEADINGS = ["h3", "h4", "h5", "h6"] as const;

/** Turn markdown into elements. */
export function markdown(text: string): HTMLElement[] {
  const lines = text.split(/\r?\n/);
  const out: HTMLElement[] = [];
  for (let at = 0; at < lines.length; ) {
    const [block, next] = blockAt(lines, at);
    if (block !== null) out.push(block);
    at = next;
  }
  return out;
}

type Block = readonly [HTMLElement | null, number];

function blockAt(lines: readonly string[], at: number): Block {
  const line = lines[at] ?? "";
  if (line.trim() === "") return [null, at + 1];
  const fence = /^(`{3,})/.exec(line)?.[1];
  if (fence !== undefined) return codeAt(lines, at, fence);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading !== null) {
    const name = HEADINGS[Math.min((heading[1] ?? "").length, HEADINGS.length) - 1] ?? "h6";
    return [el(name, {}, ...inline(heading[2] ?? "")), at + 1];
  }
  if (line.startsWith(">")) {
    const [part, next] = taken(lines, at, (one) => one.startsWith(">"));
    return [
      el("blockquote", {}, ...markdown(part.map((one) => one.replace(/^> ?/, "")).join("\n"))),
      next,
    ];
  }
  if (isTable(lines, at)) return tableAt(lines, at);
  if (/^[-*] /.test(line)) return listAt(lines, at);
  const [part, next] = taken(lines, at, (one, place) => place === at || !begins(lines, place, one));
  return [el("p", {}, ...inline(part.join(" "))), next];
}

function codeAt(lines: readonly string[], at: number, fence: string): Block {
  const [part, end] = taken(lines, at + 1, (one) => !one.startsWith(fence), true);
  const code = el(
    "pre",
    { tabindex: 0, role: "region", "aria-label": "Code" },
    el("code", {}, part.join("\n")),
  );
  return [code, end + 1];
}

function listAt(lines: readonly string[], at: number): Block {
  const [part, next] = taken(
    lines,
    at,
    (one, place) =>
      /^[-*] /.test(one) || /^\s+\S/.test(one) || (place !== at && !begins(lines, place, one)),
  );
  const items: string[] = [];
  for (const one of part) {
    if (/^[-*] /.test(one)) items.push(one.slice(2));
    else items.push(`${items.pop() ?? ""} ${one.trim()}`);
  }
  return [el("ul", {}, ...items.map((one) => el("li", {}, ...inline(one)))), next];
}

function isTable(lines: readonly string[], at: number): boolean {
  return (
    /^\|.*\|\s*$/.test(lines[at] ?? "") && /^\|(\s*:?-+:?\s*\|)+\s*$/.test(lines[at + 1] ?? "")
  );
}

function tableAt(lines: readonly string[], at: number): Block {
  const [part, next] = taken(lines, at, (one) => /^\|.*\|\s*$/.test(one));
  const [first, rule, ...rest] = part.map(cells);
  const right = (rule ?? []).map((one) => one.endsWith(":"));
  const named = (first ?? []).some((one) => one !== "");
  const table = el(
    "table",
    { class: "plain" },
    named
      ? el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...(first ?? []).map((one) =>
              one === "" ? el("td", {}) : el("th", { scope: "col" }, ...inline(one)),
            ),
          ),
        )
      : null,
    el(
      "tbody",
      {},
      ...rest.map((row) =>
        el(
          "tr",
          {},
          ...row.map((one, column) =>
            column === 0
              ? el("th", { scope: "row" }, ...inline(one))
              : el("td", { class: right[column] ? "right" : undefined }, ...inline(one)),
          ),
        ),
      ),
    ),
  );
  const label = named ? (first ?? []).filter(Boolean).join(", ") : "Table";
  return [
    el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": label }, table),
    next,
  ];
}

function cells(line: string): string[] {
  return line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((one) => one.trim().replaceAll("\\|", "|"));
}

function begins(lines: readonly string[], place: number, line: string): boolean {
  return /^(#{1,6}\s|>|[-*] |`{3,})/.test(line) || isTable(lines, place);
}

/** Return the lines from `at` on that belong to a block; an empty line ends it unless `blank`. */
function taken(
  lines: readonly string[],
  at: number,
  belongs: (line: string, place: number) => boolean,
  blank = false,
): readonly [string[], number] {
  let end = at;
  while (
    end < lines.length &&
    (blank || lines[end]?.trim() !== "") &&
    belongs(lines[end] ?? "", end)
  )
    end++;
  return [lines.slice(at, end), end];
}

function inline(text: string): Child[] {
  return text.split(/(`[^`]+`|\*\*.+?\*\*|\*[^*\s][^*]*\*)/).map((part) => {
    if (/^`[^`]+`$/.test(part)) return el("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return el("strong", {}, ...inline(part.slice(2, -2)));
    if (/^\*[^*]+\*$/.test(part)) return el("em", {}, part.slice(1, -1));
    return part.replace(/\\([\\`*_{}[\]()#+.!|<>-])/g, "$1");
  });
}

/** Build what says from whose photographs a network learnt, and on which terms. */
export function licence(record: BundleManifest): HTMLElement[] {
  const { notice, terms, attribution } = record.licence;
  const { photographs, positives } = record.data;
  const share = ((100 * positives) / Math.max(photographs, 1)).toFixed(0);
  return [
    el(
      "p",
      {},
      `${photographs.toLocaleString("en-GB")} photographs, ${positives.toLocaleString("en-GB")} of them ${record.target.plural} (${share} %). `,
      el("strong", {}, `${terms.join(", ")}. `),
      sentence(notice),
    ),
    el("ul", {}, ...attribution.map((one) => el("li", {}, one))),
  ];
}
