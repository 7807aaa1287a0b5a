/** What `tests/page/golden.py` wrote into the folder that MELANOSCOPE_GOLDEN names. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

export function golden<T>(name: string): T {
  const folder = process.env["MELANOSCOPE_GOLDEN"];
  if (folder === undefined) {
    throw new Error(
      "MELANOSCOPE_GOLDEN names no folder; python -m tests.page.golden FOLDER fills one",
    );
  }
  return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as T;
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

/** Largest difference, or infinity where the lengths differ. */
export function apart(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let most = 0;
  for (let at = 0; at < found.length; at++) {
    const difference = Math.abs(found[at]! - expected[at]!);
    most = difference > most || Number.isNaN(difference) ? difference : most;
  }
  return most;
}
