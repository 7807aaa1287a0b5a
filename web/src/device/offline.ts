/** Has page and network kept for the time without a connection: the page's side of sw.ts. */

/** Messages to the service worker: keep the bundle, or take over from the one before. */
export type ToServiceWorker = "keep" | "go";

/**
 * - "unsupported": no service workers here (also: neither HTTPS nor localhost);
 * - "loading": page and network are being kept;
 * - "ready": all is there; the page works without a connection;
 * - "failed": could not be kept now; tried again at the next visit.
 */
export type Kept = "unsupported" | "loading" | "ready" | "failed";

/** What is called when something changes. */
interface OfflineListener {
  /** Called with how far it is, for the first time before `keepOffline` returns. */
  readonly onKept: (state: Kept) => void;
  /** Called when a new page is there; `apply` changes to it, which reloads the page. */
  readonly onUpdate: (apply: () => void) => void;
}

/**
 * Keep page and network on this device.
 *
 * @param script - Address of sw.js.
 */
export function keepOffline(script: string | URL, listener: OfflineListener): void {
  if (!("serviceWorker" in navigator)) {
    listener.onKept("unsupported");
    return;
  }
  listener.onKept("loading");
  void keep(script, listener).then(listener.onKept, () => listener.onKept("failed"));
}

async function keep(script: string | URL, listener: OfflineListener): Promise<Kept> {
  const registration = await navigator.serviceWorker.register(script);
  watch(registration, listener);
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

function watch(registration: ServiceWorkerRegistration, listener: OfflineListener): void {
  const offer = (waiting: ServiceWorker | null): void => {
    // The first worker of all replaces nothing.
    if (waiting === null || navigator.serviceWorker.controller === null) return;
    listener.onUpdate(() => {
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
