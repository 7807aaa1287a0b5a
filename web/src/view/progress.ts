/** The progress of an answer: a text and a bar in the form, announced to screen readers. */

import { byId } from "./dom";
import { sentence } from "./phrases";

/** Show what is being done; null removes it. */
export function showWork(text: string | null): void {
  const busy = text !== null;
  byId("submit").setAttribute("aria-disabled", String(busy));
  byId("ask").setAttribute("aria-busy", String(busy));
  byId("working").hidden = byId("cancel").hidden = !busy;
  byId("working-text").textContent = text ?? "";
  byId("working-share").removeAttribute("value");
  if (busy) announce(text);
}

/** Show the share that is done, 0..1; from 1 on the bar has no share. */
export function showShare(share: number): void {
  const bar = byId<HTMLProgressElement>("working-share");
  if (share < 1) bar.value = share;
  else bar.removeAttribute("value");
}

/** Announce a text to screen readers. */
export function announce(text: string): void {
  byId("announced").textContent = sentence(text);
}

/** Return a promise that is rejected as soon as `signal` is aborted. */
export function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    signal.addEventListener("abort", () => failed(signal.reason), { once: true });
    promise.then(done, failed);
  });
}
