/** The page: takes a photograph, has it answered on the device or the server, shows the answer. */

import "./style/base.css";
import "./style/controls.css";
import "./style/form.css";
import "./style/answer.css";
import "./style/scale.css";
import "./style/evidence.css";
import "./style/tables.css";
import "./style/wide.css";
import type { Answer, BundleInfo } from "./answer";
import { openDevice } from "./device/device";
import { keepOffline } from "./device/offline";
import { type Engine, EngineError, type ErrorKind } from "./engine";
import { openServer, type Server } from "./server";
import { answerSections } from "./view/answer";
import { byId, inputOf } from "./view/dom";
import { type ChosenImage, ImageField } from "./view/image_field";
import { licence, markdown } from "./view/model_card";
import { PatientFields } from "./view/patient_fields";
import { headline, madeFrom } from "./view/phrases";
import { type Place, PlaceSwitch, showKept, showSize } from "./view/place_switch";
import { clearProblem, type Remedy, showProblem } from "./view/problem";
import { announce, showShare, showWork, unlessStopped } from "./view/progress";

const BASE = document.baseURI;
const REPLACED = "another photograph";
/** Kinds of errors that the server, or the device, may not have. */
const SERVER_MAY: ReadonlySet<ErrorKind> = new Set(["format", "device", "bundle", "internal"]);
const DEVICE_MAY: ReadonlySet<ErrorKind> = new Set(["large", "network", "busy", "internal"]);

class App {
  private photograph: ChosenImage | null = null;
  private bundle: BundleInfo | null = null;
  private server: Promise<Server> | null = null;
  private device: Promise<Engine> | null = null;
  private asking: AbortController | null = null;
  /** Whether something was changed since the answer was asked for. */
  private outdated = false;
  private life = new AbortController(); // of what the answer that is shown has set going
  private readonly field = new ImageField((image) => this.changePhotograph(image));
  private readonly patient = new PatientFields(() => this.markStale());
  private readonly where = new PlaceSwitch(() => this.markStale());

  start(): void {
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.ask(false);
    });
    byId("cancel").addEventListener("click", () => this.asking?.abort());
    for (const event of ["online", "offline"]) {
      window.addEventListener(event, () => {
        this.showConnection();
        if (this.bundle === null) void this.introduce();
      });
    }
    this.showConnection();
    void this.introduce();
    keepOffline(new URL("sw.js", BASE), {
      onKept: showKept,
      onUpdate: (apply) => {
        byId("renewed").hidden = false;
        byId("renew").addEventListener("click", apply, { once: true });
      },
    });
  }

  /** Show which network answers. */
  private async introduce(): Promise<void> {
    try {
      const { bundle } = await this.openServer();
      clearProblem();
      this.meet(bundle);
    } catch (error) {
      showProblem(error, [{ text: "Try again", go: () => void this.introduce() }]);
    }
  }

  private meet(bundle: BundleInfo): void {
    this.bundle = bundle;
    introduceBundle(bundle);
    this.patient.suit(bundle.record);
  }

  private changePhotograph(image: ChosenImage | null): void {
    this.asking?.abort(REPLACED);
    this.life.abort();
    this.photograph = image;
    clearProblem();
    byId("answer").hidden = true;
    byId("answer").replaceChildren();
    byId("stale").hidden = true;
    byId("before").hidden = false;
    if (image === null) return;
    announce("Photograph chosen.");
    // The network arrives while age, sex and site are being filled in.
    if (this.where.place === "device") this.openDevice().catch(() => undefined);
  }

  private markStale(): void {
    this.outdated = true;
    byId("stale").hidden = byId("answer").hidden;
  }

  private async ask(force: boolean): Promise<void> {
    if (this.asking !== null) return;
    await this.field.settled; // it may still be opening
    if (this.asking !== null) return;
    const { photograph } = this;
    if (photograph === null) {
      this.field.complain("Choose a photograph first.");
      inputOf("file").focus();
      return;
    }
    const patient = this.patient.read();
    if (patient === null) return;
    const asking = new AbortController();
    this.asking = asking;
    this.outdated = false;
    const where = this.where.place;
    clearProblem();
    showWork(where === "device" ? "Getting the network ready ..." : "Sending the photograph ...");
    try {
      const engine = await unlessStopped(this.engine(where), asking.signal);
      showWork(
        where === "device"
          ? "Looking at the photograph ..."
          : "The server is looking at the photograph ...",
      );
      const start = performance.now();
      const options = { force, signal: asking.signal };
      const answer = await engine.diagnose(photograph.file, patient, options);
      this.rest();
      this.show(answer, photograph, engine, (performance.now() - start) / 1000);
    } catch (error) {
      this.rest();
      if (!asking.signal.aborted) this.fail(error, where, force);
      else if (asking.signal.reason !== REPLACED) announce("Stopped.");
    }
  }

  private rest(): void {
    const stopped = document.activeElement === byId("cancel");
    this.asking = null;
    showWork(null);
    if (stopped) byId("submit").focus();
  }

  private engine(where: Place): Promise<Engine> {
    return where === "device" ? this.openDevice() : this.openServer();
  }

  private openServer(): Promise<Server> {
    if (this.server === null) {
      this.server = openServer(BASE);
      // What did not work may work the next time.
      this.server.catch(() => {
        this.server = null;
      });
    }
    return this.server;
  }

  private openDevice(): Promise<Engine> {
    if (this.device === null) {
      this.device = openDevice(BASE, { progress: showShare });
      this.device.catch(() => {
        this.device = null;
      });
    }
    return this.device;
  }

  private show(answer: Answer, photograph: ChosenImage, engine: Engine, seconds: number): void {
    this.life.abort();
    this.life = new AbortController();
    const { signal: life } = this.life;
    const sections = answerSections({
      answer,
      bundle: engine.bundle,
      place: engine.place,
      square: photograph.square,
      seconds,
      explain: (baseline, progress, control) => {
        life.addEventListener("abort", () => control.abort());
        const { signal } = control;
        return engine.explain(photograph.file, { method: "gradients", baseline, progress, signal });
      },
      force: () => void this.ask(true),
    });
    if (engine.bundle.fingerprint !== this.bundle?.fingerprint) this.meet(engine.bundle);
    byId("before").hidden = true;
    byId("stale").hidden = !this.outdated; // since it was asked for
    byId("answer").replaceChildren(...sections);
    byId("answer").hidden = false;
    announce(headline(answer, engine.bundle.record.target));
    const heading = byId("answer-heading");
    // Whoever is writing goes on writing.
    if (document.activeElement?.matches("#age, select")) return;
    heading.focus({ preventScroll: true });
    const { top } = heading.getBoundingClientRect();
    const visible = top > byId("notice").offsetHeight && top < innerHeight / 3;
    if (!visible) byId("answer").scrollIntoView({ block: "start" });
  }

  private fail(error: unknown, where: Place, force: boolean): void {
    const remedies: Remedy[] = [];
    const kind = error instanceof EngineError ? error.kind : "internal";
    if (kind === "device") this.device = null; // it may have broken down on the way
    if (kind === "photograph" || kind === "format" || kind === "large") {
      remedies.push({ text: "Choose another photograph", go: () => inputOf("file").click() });
    } else if (kind !== "patient") {
      remedies.push({ text: "Try again", go: () => void this.ask(force) });
    }
    const elsewhere = (to: Place, text: string): void =>
      void remedies.push({
        text,
        go: () => {
          this.where.choose(to);
          void this.ask(force);
        },
      });
    if (where === "device" && SERVER_MAY.has(kind) && navigator.onLine) {
      elsewhere("server", "Send the photograph to the server");
    }
    if (where === "server" && DEVICE_MAY.has(kind)) elsewhere("device", "Compute on this device");
    showProblem(error, remedies);
  }

  private showConnection(): void {
    byId("unconnected").hidden = navigator.onLine;
    byId("unconnected-text").textContent =
      "What this device has kept still answers; the server does not.";
  }
}

function introduceBundle({ record, card }: BundleInfo): void {
  const { network, data, metrics, target } = record;
  const auroc = metrics["auroc"];
  const text =
    `${network.label}, ${madeFrom(data)}, looks for ${target.condition}` +
    (auroc === undefined ? "." : `; AUROC ${auroc.estimate.toFixed(2)} on held-out ones.`);
  byId("asking").textContent = text;
  byId("asking").hidden = false;
  byId("simulated").hidden = !data.simulated;
  byId("dermoscopy").hidden = data.dermoscopy_only !== true;
  showSize(record);
  byId("card-text").replaceChildren(...markdown(card));
  byId("card").hidden = false;
  byId("licence-text").replaceChildren(...licence(record));
  byId("licence").hidden = false;
}

new App().start();
