/** Graphs run by ONNX Runtime Web, in WebAssembly, on files of the page's own origin. */

import loaderUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";
import type { Person } from "../answer";
import { EngineError } from "../engine";
import type { Run } from "./attribution";
import type { Decoded, Seen } from "./reading";
import { COALITIONS, coalitionRows } from "./shares";
import { WIDTH } from "./static";

const MOST_THREADS = 4;

ort.env.wasm.wasmPaths = {
  mjs: new URL(loaderUrl, import.meta.url).href,
  wasm: new URL(wasmUrl, import.meta.url).href,
};
// Threads share memory, which browsers allow only to pages that are isolated from others.
ort.env.wasm.numThreads = globalThis.crossOriginIsolated
  ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS)
  : 1;
ort.env.logLevel = "error";

export type Session = ort.InferenceSession;

/** Make a graph ready to run; throws EngineError of kind "device" where the browser cannot. */
export async function openGraph(content: Uint8Array): Promise<Session> {
  try {
    return await ort.InferenceSession.create(content, {
      executionProviders: ["wasm"],
      logSeverityLevel: 3,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new EngineError(
      "device",
      `this browser cannot run the network (${reason})`,
      "let the server compute",
    );
  }
}

/** Ask about one photograph. */
export async function see(session: Session, photograph: Decoded, person: Person): Promise<Seen> {
  const { pixels, px } = photograph;
  const rows = COALITIONS.length;
  const found = await session.run({
    pixels: new ort.Tensor("uint8", pixels, [1, px, px, 3]),
    static: new ort.Tensor("float32", coalitionRows(person), [1, rows, WIDTH]),
  });
  const evidence = found["evidence"]!;
  return {
    places: evidence.data as Float32Array,
    rows: evidence.dims[1]!,
    columns: evidence.dims[2]!,
    told: found["static_evidence"]!.data as Float32Array,
    logit: (found["logit"]!.data as Float32Array)[0]!,
    distance: (found["distance"]!.data as Float32Array)[0]!,
  };
}

/** The gradient graph as a function of images of px by px. */
export function gradientOf(session: Session, px: number): Run {
  return async (images, count) => {
    const asked = new ort.Tensor("float32", images, [count, 3, px, px]);
    const found = await session.run({ images: asked });
    return {
      values: found["photograph_evidence"]!.data as Float32Array,
      gradients: found["gradient"]!.data as Float32Array,
    };
  };
}
