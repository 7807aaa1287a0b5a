/** Fetches a bundle from the service and checks it, as `inference/bundle.py` does. */

import type { BundleInfo, BundleManifest, GraphName } from "../answer";
import { EngineError } from "../engine";
import schema from "../generated/bundle.json";
import { FEATURE_NAMES } from "./patient";
import { checkLimits } from "./quality_gate";
import { type Schema, schemaFault } from "./schema";

/** Version of the form of bundle.json that this page reads. */
const SCHEMA = 2;

const AGAIN = "reload the page, or let the server compute";

/** Called with how many bytes of how many have arrived. */
export type OnProgress = (loaded: number, whole: number) => void;

/**
 * Fetch and check the manifest and the model card of a bundle.
 *
 * @param base - Address of the folder that `v1/` lies in.
 * @throws EngineError where the service does not answer, or the page does not understand it.
 */
export async function fetchBundle(base: string): Promise<BundleInfo> {
  const response = await get(new URL("v1/bundle", base), "no-cache");
  let info: BundleInfo;
  try {
    info = (await response.json()) as BundleInfo;
  } catch {
    throw new EngineError("bundle", "the server's bundle cannot be read", AGAIN);
  }
  checkManifest(info.record);
  return info;
}

/** Return the address of a graph; throws EngineError where the bundle has none. */
function graphUrl(record: BundleManifest, name: GraphName, base: string): URL {
  const entry = record.graphs[name];
  const file = entry?.file ?? undefined;
  const known = file === undefined ? undefined : record.files[file];
  if (file === undefined || known === undefined) {
    throw new EngineError("bundle", `this network has no ${name} graph`, entry?.why ?? "");
  }
  const url = new URL(`v1/bundle/files/${encodeURIComponent(file)}`, base);
  url.searchParams.set("v", known.sha256);
  return url;
}

/** Fetch a graph; throws EngineError unless every byte is as the manifest's sha256 has it. */
export async function fetchGraph(
  record: BundleManifest,
  name: GraphName,
  base: string,
  onProgress: OnProgress,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = graphUrl(record, name, base);
  const known = record.files[record.graphs[name]!.file!]!;
  const content = await readAll(await get(url, "default"), known.bytes, onProgress);
  if (content === null || (await sha256(content)) !== known.sha256) {
    throw new EngineError("bundle", "the network arrived changed", AGAIN);
  }
  return content;
}

/** The schema of bundle.json without its seal, which the service leaves out. */
const MANIFEST: Schema = { ...schema, required: schema.required.filter((key) => key !== "seal") };

/** Throw an EngineError of kind "bundle" for a manifest that this page does not understand. */
export function checkManifest(record: BundleManifest): void {
  if (record?.schema !== SCHEMA) {
    throw new EngineError(
      "bundle",
      `the bundle is of schema ${String(record?.schema)}, this page reads ${SCHEMA}`,
      AGAIN,
    );
  }
  const fault = schemaFault(record, MANIFEST, MANIFEST) || rankFault(record);
  if (fault !== "") throw new EngineError("bundle", `the bundle's record: ${fault}`, AGAIN);
  const features = record.static?.features;
  if (features !== undefined && features.join() !== FEATURE_NAMES.join()) {
    throw new EngineError("bundle", "the bundle knows other ages, sexes or sites", AGAIN);
  }
  if (record.gate.distance["float32"] === undefined) {
    throw new EngineError("bundle", "the bundle has no limits of distance", "make it anew");
  }
  checkLimits(record.gate.limits);
}

/** Name what of the numbers contradicts itself, which a schema cannot say. */
function rankFault({ heldout, gate }: BundleManifest): string {
  for (const name of ["positive_logits", "other_logits"] as const) {
    const quantiles: readonly number[] = heldout[name];
    if (quantiles.some((one, at) => at > 0 && one < quantiles[at - 1]!)) {
      return `$.heldout.${name} does not ascend`;
    }
  }
  const turned = Object.values(gate.distance).some((one) => one.doubtful_above > one.refused_above);
  return turned ? "$.gate.distance is refused before it is doubtful" : "";
}

async function get(url: URL, cache: RequestCache): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { cache, credentials: "same-origin" });
  } catch {
    throw new EngineError("network", "the server cannot be reached", "try again when online");
  }
  if (response.status === 404) {
    throw new EngineError("bundle", "the server has another network by now", AGAIN);
  }
  if (!response.ok) {
    throw new EngineError("network", `the server answered ${response.status}`, "try again later");
  }
  return response;
}

/** Read a body; null where it has not exactly `length` bytes. */
async function readAll(
  response: Response,
  length: number,
  onProgress: OnProgress,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const content = new Uint8Array(length);
  let loaded = 0;
  const reader = response.body!.getReader();
  for (;;) {
    let part: ReadableStreamReadResult<Uint8Array>;
    try {
      part = await reader.read();
    } catch {
      throw new EngineError("network", "the connection broke off", "try again when online");
    }
    if (part.done) return loaded === length ? content : null;
    if (loaded + part.value.length > length) {
      void reader.cancel();
      return null;
    }
    content.set(part.value, loaded);
    loaded += part.value.length;
    onProgress(loaded, length);
  }
}

async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
