/** ONNX graphs, run by ONNX Runtime Web in WebAssembly from files of the page's own origin. */

import loaderUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";
import type { PatientInfo } from "../answer";
import { EngineError } from "../engine";
import type { ValueAndGradient } from "./integrated_gradients";
import { WIDTH } from "./patient";
import type { DecodedImage, ModelOutput } from "./postprocess";
import { COALITIONS, coalitionRows } from "./shapley";

const MAX_THREADS = 4;

ort.env.wasm.wasmPaths = {
  mjs: new URL(loaderUrl, import.meta.url).href,
  wasm: new URL(wasmUrl, import.meta.url).href,
};
// Threads share memory, which browsers allow only to pages that are isolated from others.
ort.env.wasm.numThreads = globalThis.crossOriginIsolated
  ? Math.min(navigator.hardwareConcurrency || 1, MAX_THREADS)
  : 1;
ort.env.logLevel = "error";

/** An ONNX graph that is ready to run. */
export type OnnxModel = ort.InferenceSession;

/** Make a graph ready to run; throws EngineError of kind "device" where the browser cannot. */
export async function openModel(content: Uint8Array): Promise<OnnxModel> {
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

/** Run the network on one photograph, once for each subset of what is known of the patient. */
export async function forward(
  model: OnnxModel,
  image: DecodedImage,
  patient: PatientInfo,
): Promise<ModelOutput> {
  const { pixels, imageSize } = image;
  const rows = COALITIONS.length;
  const outputs = await model.run({
    pixels: new ort.Tensor("uint8", pixels, [1, imageSize, imageSize, 3]),
    static: new ort.Tensor("float32", coalitionRows(patient), [1, rows, WIDTH]),
  });
  const evidence = outputs["evidence"]!;
  return {
    evidenceMap: evidence.data as Float32Array,
    rows: evidence.dims[1]!,
    columns: evidence.dims[2]!,
    staticLogits: outputs["static_evidence"]!.data as Float32Array,
    logit: (outputs["logit"]!.data as Float32Array)[0]!,
    distance: (outputs["distance"]!.data as Float32Array)[0]!,
  };
}

/** Return the gradient graph as a function of images, `imageSize` x `imageSize`. */
export function gradientFunction(model: OnnxModel, imageSize: number): ValueAndGradient {
  return async (images, count) => {
    const input = new ort.Tensor("float32", images, [count, 3, imageSize, imageSize]);
    const outputs = await model.run({ images: input });
    return {
      values: outputs["photograph_evidence"]!.data as Float32Array,
      gradients: outputs["gradient"]!.data as Float32Array,
    };
  };
}
