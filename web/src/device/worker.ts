/** The device's own thread: decodes, asks the network and reads it, one question at a time. */

import type { Answer, Attribution, BundleInfo } from "../answer";
import { EngineError } from "../engine";
import { integratedGradients } from "./attribution";
import { fetchBundle, fetchGraph, type Told } from "./bundle";
import { decode } from "./decode";
import { type Calls, type Question, type Reply, toFailure } from "./messages";
import { gradientOf, openGraph, type Session, see } from "./network";
import { placesOf, read } from "./reading";
import { checked } from "./static";

const NOBODY = { age: null, sex: "unknown", site: "unknown" };
const BATCH = 4; // images of the gradient's graph at once: some 50 MB for MobileNetV2 at 128 pixels

interface Opened {
  readonly base: string;
  readonly bundle: BundleInfo;
  readonly model: Session;
  gradient?: Session;
}

type Share = (share: number) => void;

let opened: Opened | null = null;
let last: Promise<void> = Promise.resolve();
const stopped = new Set<number>();

self.addEventListener("message", ({ data }: MessageEvent<Question>) => {
  if (data.call === "stop") {
    stopped.add(data.id);
    return;
  }
  last = last.then(() => answer(data));
});

async function answer(question: Exclude<Question, { call: "stop" }>): Promise<void> {
  const { id } = question;
  const told: Share = (share) => {
    if (stopped.has(id)) throw new EngineError("internal", "stopped", "");
    reply({ id, share });
  };
  try {
    if (!stopped.has(id)) reply({ id, value: await dispatch(question, told) });
  } catch (error) {
    reply({ id, failed: toFailure(error) });
  } finally {
    stopped.delete(id);
  }
}

function reply(message: Reply): void {
  self.postMessage(message);
}

function dispatch(
  question: Exclude<Question, { call: "stop" }>,
  told: Share,
): Promise<BundleInfo | Answer | Attribution> {
  switch (question.call) {
    case "open":
      return open(question.asked, told);
    case "diagnose":
      return diagnose(question.asked);
    case "explain":
      return explain(question.asked, told);
  }
}

async function open({ base }: Calls["open"]["asked"], told: Share): Promise<BundleInfo> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new EngineError(
      "device",
      "browsers compute for pages only over HTTPS or on localhost",
      "let the server compute",
    );
  }
  const bundle = await fetchBundle(base);
  const model = await openGraph(await fetchGraph(bundle.record, "model", base, toShare(told)));
  opened = { base, bundle, model };
  return bundle;
}

async function diagnose(asked: Calls["diagnose"]["asked"]): Promise<Answer> {
  const { bundle, model } = ready();
  const person = checked(asked.person);
  const photograph = await decode(asked.file, bundle.record.network.size);
  return read(bundle, await see(model, photograph, person), photograph, person, asked);
}

async function explain(asked: Calls["explain"]["asked"], told: Share): Promise<Attribution> {
  const device = ready();
  const side = device.bundle.record.network.size;
  const photograph = await decode(asked.file, side);
  if (asked.method === "evidence") {
    const seen = await see(device.model, photograph, NOBODY);
    const difference = seen.places.reduce((sum, value) => sum + value, 0);
    const values = placesOf(seen);
    return { method: "evidence", values, difference, ...NO_STEPS };
  }
  const { baseline, steps } = asked;
  device.gradient ??= await openGraph(
    await fetchGraph(device.bundle.record, "gradient", device.base, () => told(0)),
  );
  const run = gradientOf(device.gradient, side);
  const course = { baseline, steps, batch: BATCH, told };
  const found = await integratedGradients(run, photograph.pixels, side, course);
  return {
    method: "gradients",
    values: Array.from({ length: side }, (_, row) =>
      Array.from(found.pixels.subarray(row * side, (row + 1) * side)),
    ),
    baseline,
    steps: found.steps,
    difference: found.difference,
    completeness_error: found.completenessError,
  };
}

const NO_STEPS = { baseline: null, steps: null, completeness_error: null } as const;

function ready(): Opened {
  if (opened === null) throw new EngineError("internal", "asked before it was opened", "");
  return opened;
}

function toShare(told: Share): Told {
  return (loaded, whole) => told(loaded / whole);
}
