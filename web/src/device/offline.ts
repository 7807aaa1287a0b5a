/** Keeping the page and the network for the time without a connection: the page's side of sw.ts. */

export type ToServiceWorker = "keep" | "go";

/**
 * - "unsupported": no service workers here (also: neither HTTPS nor localhost);
 * - "loading": page and network are being kept;
 * - "ready": all is there; the page works without a connection;
 * - "failed": could not be kept now; tried again at the next visit.
 */
export type Kept = "unsupported" | "loading" | "ready" | "failed";

export interface Offline {
  /** Told how far it is; first before this function returns. */
  readonly kept: (state: Kept) => void;
  /** Told that a new page is there; `apply` changes to it, which reloads the page. */
  readonly update: (apply: () => void) => void;
}

/** Keep all that the page takes, `script` being the address of sw.js. */
export function keepOffline(script: string | URL, told: Offline): void {
  if (!("serviceWorker" in navigator)) {
    told.kept("unsupported");
    return;
  }
  told.kept("loading");
  void keep(script, told).then(told.kept, () => told.kept("failed"));
}

async function keep(script: string | URL, told: Offline): Promise<Kept> {
  const registration = await navigator.serviceWorker.register(script);
  watch(registration, told);
  const ready = await navigator.serviceWorker.ready;
  return (await askToKeep(ready.active!)) ? "ready" : "failed";
}

function askToKeep(worker: ServiceWorker): Promise<boolean> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<boolean>) => done(data);
    worker.postMessage("keep" satisfies ToServiceWorker, [port2]);
  });
}

function watch(registration: ServiceWorkerRegistration, told: Offline): void {
  const offer = (waiting: ServiceWorker | null): void => {
    // The first worker of all replaces nothing.
    if (waiting === null || navigator.serviceWorker.controller === null) return;
    told.update(() => {
      // Another tab may have changed to it already.
      if (waiting.state !== "installed") location.reload();
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), {
        once: true,
      });
      waiting.postMessage("go" satisfies ToServiceWorker);
    });
  };
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => {
      if (coming.state === "installed") offer(coming);
    });
  });
}
