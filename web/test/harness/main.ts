/** A bare page through which the browser tests reach the engine. */

import type { Answer, Explanation, PatientInfo } from "../../src/answer";
import { decode } from "../../src/device/decode";
import { type Device, openDevice } from "../../src/device/device";
import { type Kept, keepOffline } from "../../src/device/offline";
import { type DiagnoseOptions, EngineError, type ExplainOptions } from "../../src/engine";

interface Named {
  readonly content: string; // base64
  readonly patient?: PatientInfo;
}

const NOBODY: PatientInfo = { age: null, sex: "unknown", site: "unknown" };

let device: Promise<Device> | null = null;
let kept: Kept | null = null;
let apply: (() => void) | null = null;

const harness = {
  open: async (): Promise<unknown> => (await engine()).bundle,
  diagnose: async ({ content, patient }: Named, options?: DiagnoseOptions): Promise<Answer> =>
    (await engine()).diagnose(toBlob(content), patient ?? NOBODY, options),
  explain: async ({ content }: Named, options?: ExplainOptions): Promise<Explanation> => {
    const shares: number[] = [];
    const progress = (share: number): void => void shares.push(share);
    const found = await (await engine()).explain(toBlob(content), { ...options, progress });
    return { ...found, shares } as Explanation;
  },
  /** The square as the network would see it, base64, and the size of the whole. */
  decode: async (content: string, imageSize: number): Promise<unknown> => {
    const { pixels, width, height } = await decode(toBlob(content), imageSize);
    const letters = Array.from(pixels, (one) => String.fromCharCode(one));
    return { pixels: btoa(letters.join("")), width, height };
  },
  /** What kind of error comes of it; null for none. */
  errorOf: async (named: Named, options?: DiagnoseOptions): Promise<unknown> => {
    try {
      await harness.diagnose(named, options);
      return null;
    } catch (error) {
      if (error instanceof EngineError) return { kind: error.kind, message: error.message };
      return { kind: (error as Error).name, message: String(error) };
    }
  },
  /** Milliseconds of answers, decoding included, and of the longest pause of the page meanwhile. */
  time: async (named: Named, times: number): Promise<{ answers: number[]; pause: number }> => {
    const ready = await engine();
    const blob = toBlob(named.content);
    const answers: number[] = [];
    let [pause, before] = [0, performance.now()];
    const clock = setInterval(() => {
      const now = performance.now();
      pause = Math.max(pause, now - before);
      before = now;
    }, 5);
    for (let turn = 0; turn < times; turn++) {
      const start = performance.now();
      await ready.diagnose(blob, named.patient ?? NOBODY, { force: true });
      answers.push(performance.now() - start);
    }
    clearInterval(clock);
    return { answers, pause };
  },
  abort: async (named: Named, steps: number): Promise<string> => {
    const control = new AbortController();
    const ready = await engine();
    const asked = ready.explain(toBlob(named.content), {
      steps,
      signal: control.signal,
      progress: (share) => {
        if (share > 0) control.abort();
      },
    });
    return asked.then(
      () => "done",
      (error: Error) => error.name,
    );
  },
  close: async (): Promise<void> => {
    (await device)?.close();
    device = null;
  },
  isolated: (): boolean => crossOriginIsolated,
  kept: (): Kept | null => kept,
  update: (): boolean => apply !== null,
  apply: (): void => apply?.(),
};

export type Harness = typeof harness;

function engine(): Promise<Device> {
  device ??= openDevice(document.baseURI);
  return device;
}

function toBlob(content: string): Blob {
  return new Blob([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))]);
}

keepOffline(new URL("sw.js", document.baseURI), {
  onKept: (state) => {
    kept = state;
    document.querySelector("#state")!.textContent = state;
  },
  onUpdate: (offered) => {
    apply = offered;
  },
});

(window as unknown as { harness: Harness }).harness = harness;
