/** The engine that has the server compute: sends forms to its API and turns its problems into errors. */

import {
  type Answer,
  type BundleInfo,
  DEFAULT_BASELINE,
  type Explanation,
  type PatientInfo,
  type Problem,
} from "./answer";
import {
  type DiagnoseOptions,
  type Engine,
  EngineError,
  type ErrorKind,
  type ExplainOptions,
} from "./engine";

const SPACE = "urn:melanoscope:problem:";
const KINDS: Readonly<Record<string, ErrorKind>> = {
  "unreadable-photograph": "photograph",
  "refused-photograph": "photograph",
  "too-large": "large",
  "invalid-field": "patient",
  "no-gradients": "bundle",
  "no-such-file": "bundle",
  "other-bundle": "bundle",
  "slow-upload": "network",
  "broken-request": "network",
  busy: "busy",
  "not-ready": "busy",
  "took-too-long": "busy",
};
// Proxies on the way have statuses of their own, and no problem documents.
const STATUSES: Readonly<Record<number, ErrorKind>> = {
  408: "network",
  413: "large",
  429: "busy",
  502: "network",
  503: "busy",
  504: "busy",
};

/**
 * Connect to the service.
 *
 * @param base - Address of the folder that `v1/` lies in.
 * @throws EngineError where it does not answer.
 */
export async function openServer(base: string, signal?: AbortSignal): Promise<Server> {
  const root = new URL(base, location.href);
  const response = await send(new URL("v1/bundle", root), { signal: signal ?? null });
  return new Server(root, await readJson<BundleInfo>(response));
}

/** An engine on the server; made by `openServer`. */
export class Server implements Engine {
  readonly place = "server";

  constructor(
    private readonly root: URL,
    private current: BundleInfo,
  ) {}

  get bundle(): BundleInfo {
    return this.current;
  }

  async diagnose(file: Blob, patient: PatientInfo, options: DiagnoseOptions = {}): Promise<Answer> {
    const { prevalence, force, signal } = options;
    const fields = { ...patient, prevalence, force };
    const answer = await this.post<Answer>("v1/diagnoses", file, fields, signal);
    if (answer.bundle !== this.current.fingerprint) {
      // Another network by now, with thresholds and held-out photographs of its own.
      this.current = (await openServer(this.root.href, signal)).bundle;
      this.refuseOther(answer.bundle);
    }
    return answer;
  }

  async explain(file: Blob, options: ExplainOptions = {}): Promise<Explanation> {
    const { method = "gradients", baseline = DEFAULT_BASELINE, steps = 64, signal } = options;
    // Whoever asks has an answer, forced or not: there is nothing left to refuse.
    const fields = { method, baseline, steps, force: true };
    const explanation = await this.post<Explanation>("v1/explanations", file, fields, signal);
    this.refuseOther(explanation.bundle);
    return explanation;
  }

  private refuseOther(fingerprint: string | undefined): void {
    if (fingerprint === this.current.fingerprint) return;
    throw new EngineError("bundle", "the server has changed its network", "ask again");
  }

  close(): void {
    // Nothing is held.
  }

  private async post<T>(
    path: string,
    file: Blob,
    fields: Readonly<Record<string, string | number | boolean | null | undefined>>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      if (value !== null && value !== undefined) form.set(name, String(value));
    }
    // The file's own name may say more about a person than the photograph does.
    form.set("photograph", file, "photograph");
    const headers = { Accept: "application/json" };
    const request = { method: "POST", body: form, headers, signal: signal ?? null };
    return readJson<T>(await send(new URL(path, this.root), request));
  }
}

async function send(url: URL, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...request, credentials: "same-origin" });
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    if (!(error instanceof TypeError)) throw error;
    throw new EngineError("network", "the server cannot be reached", "check the connection");
  }
  if (!response.ok) throw await toError(response);
  return response;
}

async function readJson<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException) throw error; // stopped
    throw new EngineError("network", "the server's answer broke off", "try again");
  }
}

async function toError(response: Response): Promise<EngineError> {
  const problem = await problemOf(response);
  const name = problem.type?.startsWith(SPACE) ? problem.type.slice(SPACE.length) : "";
  const kind = KINDS[name] ?? STATUSES[response.status] ?? "internal";
  const found =
    problem.expected && problem.found
      ? `expected ${problem.expected}; found ${problem.found}`
      : (problem.detail ?? problem.title ?? `the server answered ${response.status}`);
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new EngineError(kind, found, problem.mend ?? "", seconds > 0 ? seconds : null);
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  if (!(response.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) {
    return {};
  }
  try {
    return (await response.json()) as Problem;
  } catch {
    return {};
  }
}
