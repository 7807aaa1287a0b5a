/** What is being done, said in the form, drawn as a bar and announced. */

import { byId } from "./dom";
import { sentence } from "./phrases";

/** Say what is being done; null when nothing is. */
export function showWork(text: string | null): void {
  const busy = text !== null;
  byId("submit").setAttribute("aria-disabled", String(busy));
  byId("ask").setAttribute("aria-busy", String(busy));
  byId("working").hidden = byId("cancel").hidden = !busy;
  byId("working-text").textContent = text ?? "";
  byId("working-share").removeAttribute("value");
  if (busy) announce(text);
}

/** Draw the share that is done, 0..1; at 1 something else goes on. */
export function showShare(share: number): void {
  const bar = byId<HTMLProgressElement>("working-share");
  if (share < 1) bar.value = share;
  else bar.removeAttribute("value");
}

/** Tell screen readers. */
export function announce(text: string): void {
  byId("announced").textContent = sentence(text);
}

/** A promise that is given up when a signal says so. */
export function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    signal.addEventListener("abort", () => failed(signal.reason), { once: true });
    promise.then(done, failed);
  });
}
