/**
 * Answers computed on the device: the bundle's graph in the browser, in a thread of its own. The
 * photograph goes to that thread and nowhere else.
 */

import {
  type Answer,
  type BundleInfo,
  DEFAULT_BASELINE,
  type Explanation,
  type PatientInfo,
} from "../answer";
import { type DiagnoseOptions, type Engine, EngineError, type ExplainOptions } from "../engine";
import { type Calls, type Name, toError, type WorkerReply, type WorkerRequest } from "./messages";

/** How to open the device. */
interface OpenOptions {
  /** Called with the share of the network that has arrived, 0..1. */
  readonly progress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly done: (value: never) => void;
  readonly failed: (reason: unknown) => void;
  readonly progress: ((share: number) => void) | undefined;
}

/**
 * Fetch the bundle of the service at `base` (the address that `v1/` lies below) and make its
 * network ready. Throws EngineError.
 */
export async function openDevice(base: string, options: OpenOptions = {}): Promise<Device> {
  const thread = new Thread();
  try {
    const request = { base: new URL(base, location.href).href };
    const bundle = await thread.ask("open", request, options.progress, options.signal);
    return new Device(thread, bundle);
  } catch (error) {
    thread.close();
    throw error;
  }
}

/** An engine in the browser; made by `openDevice`. */
export class Device implements Engine {
  readonly place = "device";

  constructor(
    private readonly thread: Thread,
    readonly bundle: BundleInfo,
  ) {}

  diagnose(file: Blob, patient: PatientInfo, options: DiagnoseOptions = {}): Promise<Answer> {
    const { prevalence, force, signal } = options;
    return this.thread.ask("diagnose", { file, patient, prevalence, force }, undefined, signal);
  }

  explain(file: Blob, options: ExplainOptions = {}): Promise<Explanation> {
    const {
      method = "gradients",
      baseline = DEFAULT_BASELINE,
      steps = 64,
      progress,
      signal,
    } = options;
    return this.thread.ask("explain", { file, method, baseline, steps }, progress, signal);
  }

  close(): void {
    this.thread.close();
  }
}

/** Sends requests to the worker and hands its replies to whoever waits for them. */
class Thread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private ended: EngineError | null = null;

  constructor() {
    if (typeof Worker === "undefined") throw cannot();
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<WorkerReply>) =>
      this.hear(data),
    );
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end(cannot());
    });
  }

  ask<N extends Name>(
    call: N,
    request: Calls[N]["request"],
    progress?: (share: number) => void,
    signal?: AbortSignal,
  ): Promise<Calls[N]["response"]> {
    signal?.throwIfAborted();
    if (this.ended !== null) return Promise.reject(this.ended);
    const id = this.lastId++;
    return new Promise<Calls[N]["response"]>((done, failed) => {
      const stop = (): void => {
        this.waiting.delete(id);
        this.worker.postMessage({ id, call: "stop" } satisfies WorkerRequest);
        failed(signal?.reason);
      };
      const settle = (): void => signal?.removeEventListener("abort", stop);
      signal?.addEventListener("abort", stop, { once: true });
      this.waiting.set(id, {
        done: (value) => {
          settle();
          done(value);
        },
        failed: (reason) => {
          settle();
          failed(reason);
        },
        progress,
      });
      this.worker.postMessage({ id, call, request });
    });
  }

  close(): void {
    this.end(new EngineError("internal", "the engine was closed", ""));
  }

  private hear(reply: WorkerReply): void {
    const one = this.waiting.get(reply.id);
    if (one === undefined) return;
    if ("share" in reply) {
      one.progress?.(reply.share);
      return;
    }
    this.waiting.delete(reply.id);
    if ("failed" in reply) one.failed(toError(reply.failed));
    else one.done(reply.value as never);
  }

  private end(error: EngineError): void {
    this.worker.terminate();
    this.ended = error;
    for (const one of this.waiting.values()) one.failed(error);
    this.waiting.clear();
  }
}

function cannot(): EngineError {
  return new EngineError("device", "this browser cannot compute here", "let the server compute");
}
