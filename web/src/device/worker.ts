/** The worker of the device: decodes, runs the network and answers, one request after the other. */

import type { Answer, BundleInfo, Explanation } from "../answer";
import { EngineError } from "../engine";
import { fetchBundle, fetchGraph, type OnProgress } from "./bundle";
import { decode } from "./decode";
import { integratedGradients } from "./integrated_gradients";
import { type Calls, toFailure, type WorkerReply, type WorkerRequest } from "./messages";
import { forward, gradientFunction, type OnnxModel, openModel } from "./onnx_model";
import { parsePatient } from "./patient";
import { evidenceRows, toAnswer } from "./postprocess";

const NOBODY = { age: null, sex: "unknown", site: "unknown" };
const BATCH = 4; // images of the gradient's graph at once: some 50 MB for MobileNetV2 at 128 pixels

interface Opened {
  readonly base: string;
  readonly bundle: BundleInfo;
  readonly model: OnnxModel;
  gradient?: OnnxModel;
}

type OnShare = (share: number) => void;

let opened: Opened | null = null;
let last: Promise<void> = Promise.resolve();
const stopped = new Set<number>();

self.addEventListener("message", ({ data }: MessageEvent<WorkerRequest>) => {
  if (data.call === "stop") {
    stopped.add(data.id);
    return;
  }
  last = last.then(() => answer(data));
});

async function answer(request: Exclude<WorkerRequest, { call: "stop" }>): Promise<void> {
  const { id } = request;
  const onProgress: OnShare = (share) => {
    if (stopped.has(id)) throw new EngineError("internal", "stopped", "");
    reply({ id, share });
  };
  try {
    if (!stopped.has(id)) reply({ id, value: await dispatch(request, onProgress) });
  } catch (error) {
    reply({ id, failed: toFailure(error) });
  } finally {
    stopped.delete(id);
  }
}

function reply(message: WorkerReply): void {
  self.postMessage(message);
}

function dispatch(
  request: Exclude<WorkerRequest, { call: "stop" }>,
  onProgress: OnShare,
): Promise<BundleInfo | Answer | Explanation> {
  switch (request.call) {
    case "open":
      return open(request.request, onProgress);
    case "diagnose":
      return diagnose(request.request);
    case "explain":
      return explain(request.request, onProgress);
  }
}

async function open({ base }: Calls["open"]["request"], onProgress: OnShare): Promise<BundleInfo> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new EngineError(
      "device",
      "browsers compute for pages only over HTTPS or on localhost",
      "let the server compute",
    );
  }
  const bundle = await fetchBundle(base);
  const model = await openModel(
    await fetchGraph(bundle.record, "model", base, toOnProgress(onProgress)),
  );
  opened = { base, bundle, model };
  return bundle;
}

async function diagnose(request: Calls["diagnose"]["request"]): Promise<Answer> {
  const { bundle, model } = ready();
  const patient = parsePatient(request.patient);
  const image = await decode(request.file, bundle.record.network.size);
  return toAnswer(bundle, await forward(model, image, patient), image, patient, request);
}

async function explain(
  request: Calls["explain"]["request"],
  onProgress: OnShare,
): Promise<Explanation> {
  const device = ready();
  const { fingerprint } = device.bundle;
  const side = device.bundle.record.network.size;
  const image = await decode(request.file, side);
  if (request.method === "evidence") {
    const output = await forward(device.model, image, NOBODY);
    const difference = output.evidenceMap.reduce((sum, value) => sum + value, 0);
    const values = evidenceRows(output);
    return { method: "evidence", values, difference, ...NO_STEPS, bundle: fingerprint };
  }
  const { baseline, steps } = request;
  device.gradient ??= await openModel(
    await fetchGraph(device.bundle.record, "gradient", device.base, () => onProgress(0)),
  );
  const run = gradientFunction(device.gradient, side);
  const options = { baseline, steps, batch: BATCH, onProgress };
  const attribution = await integratedGradients(run, image.pixels, side, options);
  return {
    method: "gradients",
    values: Array.from({ length: side }, (_, row) =>
      Array.from(attribution.pixels.subarray(row * side, (row + 1) * side)),
    ),
    baseline,
    steps: attribution.steps,
    difference: attribution.difference,
    completeness_error: attribution.completenessError,
    bundle: fingerprint,
  };
}

const NO_STEPS = { baseline: null, steps: null, completeness_error: null } as const;

function ready(): Opened {
  if (opened === null) throw new EngineError("internal", "asked before it was opened", "");
  return opened;
}

function toOnProgress(onProgress: OnShare): OnProgress {
  return (loaded, whole) => onProgress(loaded / whole);
}
