/**
 * The service worker: after the first visit page, runtime and network are at hand without a
 * connection. It keeps the page's own files and the bundle's sealed graphs, by name, and nothing
 * else; what is posted (photographs to the server) does not pass through it.
 *
 * The build puts a line before this script: `self.melanoscope = {build, files}`, so that a new
 * build is a new script. A new page waits until the old one is closed or says that it may go; a
 * new bundle is fetched beside the old one, which goes when the new one is whole.
 */

import type { BundleInfo, BundleManifest, GraphName } from "./answer";
import type { ToServiceWorker } from "./device/offline";

declare const self: ServiceWorkerGlobalScope & {
  readonly melanoscope: { readonly build: string; readonly files: readonly string[] };
};

const PAGE = "melanoscope-page-";
const BUNDLE = "melanoscope-bundle-";
const GRAPHS: readonly GraphName[] = ["model", "gradient"];
const PATIENCE = 4000; // milliseconds until a slow server counts as none

const { build, files } = self.melanoscope;
const scope = new URL(self.registration.scope);
const pageCache = PAGE + build;
const pageUrls = new Set(files.map((file) => new URL(file, scope).href));
const recordUrl = new URL("v1/bundle", scope).href;
const graphsUrl = new URL("v1/bundle/files/", scope).href;
const immutable = new URL("assets/", scope).href;

self.addEventListener("install", (event) => event.waitUntil(keepPage()));
self.addEventListener("activate", (event) =>
  event.waitUntil(
    (async () => {
      await forget(PAGE, pageCache);
      await self.clients.claim();
    })(),
  ),
);
self.addEventListener("message", (event) => {
  const message = event.data as ToServiceWorker;
  if (message === "go") event.waitUntil(self.skipWaiting());
  if (message !== "keep") return;
  const [port] = event.ports;
  event.waitUntil(
    keepBundle().then(
      (kept) => port?.postMessage(kept),
      () => port?.postMessage(false),
    ),
  );
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.hash = "";
  if (request.method !== "GET" || url.origin !== scope.origin) return;
  if (url.href === recordUrl) {
    event.respondWith(recordOr(event));
  } else if (url.href.startsWith(graphsUrl)) {
    event.respondWith(keptOr(request));
  } else {
    url.search = "";
    if (url.href === new URL("index.html", scope).href) url.href = scope.href;
    if (pageUrls.has(url.href)) event.respondWith(keptOr(request, url.href));
  }
});

/** Answer with what is kept, else with what the server has. */
async function keptOr(request: Request, href = request.url): Promise<Response> {
  const cache = pageUrls.has(href) ? await caches.open(pageCache) : caches;
  return (await cache.match(href, { ignoreVary: true })) ?? fetch(request);
}

/** Answer with the server's bundle, or with the kept one where there is no server. */
async function recordOr(event: FetchEvent): Promise<Response> {
  try {
    const response = await fetch(recordUrl, {
      cache: "no-cache",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!response.ok) throw new Error(String(response.status));
    const copy = response.clone();
    event.waitUntil(replaceBundle(copy).catch(() => false));
    return response;
  } catch (error) {
    const kept = await keptRecord();
    if (kept === undefined) throw error;
    return kept;
  }
}

async function keepPage(): Promise<void> {
  const cache = await caches.open(pageCache);
  const wanted = [...pageUrls].map(
    // Names with a hash in them never change; the others are asked for anew.
    (url) => new Request(url, { cache: url.startsWith(immutable) ? "default" : "reload" }),
  );
  await cache.addAll(wanted);
}

/** Keep the server's bundle; return whether a whole one is kept. */
async function keepBundle(): Promise<boolean> {
  try {
    const response = await fetch(recordUrl, { cache: "no-cache" });
    if (response.ok && (await keep(response))) return true;
  } catch {
    // No connection: what is kept may do.
  }
  return (await keptRecord()) !== undefined;
}

/** Keep a new bundle only where one is kept already: who never asked for one is not sent it. */
async function replaceBundle(response: Response): Promise<boolean> {
  return (await bundleCaches()).length > 0 && keep(response);
}

async function keep(response: Response): Promise<boolean> {
  const content = response.clone();
  const { fingerprint, record } = (await response.json()) as BundleInfo;
  const name = BUNDLE + fingerprint;
  const cache = await caches.open(name);
  if ((await cache.match(recordUrl)) === undefined) {
    for (const graph of GRAPHS) {
      if (!(await keepGraph(cache, record, graph))) {
        await caches.delete(name);
        return false;
      }
    }
    // Last, so that a bundle with a record is a whole one.
    await cache.put(recordUrl, content);
  }
  await forget(BUNDLE, name);
  return true;
}

/** Keep one graph; return false where it could not be kept, true where the bundle has none. */
async function keepGraph(cache: Cache, record: BundleManifest, graph: GraphName): Promise<boolean> {
  const file = record.graphs[graph]?.file ?? undefined;
  const known = file === undefined ? undefined : record.files[file];
  if (file === undefined || known === undefined) return true;
  const url = new URL(encodeURIComponent(file), graphsUrl);
  url.searchParams.set("v", known.sha256);
  // A graph that the bundle before has too is taken over; it is parsePatient as any other.
  const response = (await caches.match(url.href)) ?? (await fetch(url));
  if (!response.ok) return false;
  const content = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== known.sha256) return false;
  await cache.put(url.href, new Response(content, { headers: response.headers }));
  return true;
}

async function keptRecord(): Promise<Response | undefined> {
  for (const name of await bundleCaches()) {
    const kept = await (await caches.open(name)).match(recordUrl);
    if (kept !== undefined) return kept;
  }
  return undefined;
}

async function bundleCaches(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(BUNDLE));
}

async function forget(prefix: string, kept: string): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(prefix) && name !== kept) await caches.delete(name);
  }
}
