/**
 * `vite build` writes the page into the Python package, which serves it. `--mode harness` builds
 * the bare page of the browser tests (`--outDir` says where to) with the same worker and engine.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { gzipSync } from "node:zlib";
import { defaultClientConditions, type Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = import.meta.dirname;

export default defineConfig(({ mode }) => {
  const root = mode === "harness" ? join(here, "test", "harness") : here;
  return {
    root,
    base: "./",
    plugins: [listForServiceWorker(), compress()],
    // ONNX Runtime's loader stays a file of its own: its threads start from it.
    resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] },
    worker: { format: "es" },
    build: {
      target: "es2022",
      outDir: resolve(here, "../src/melanoscope/service/page"),
      emptyOutDir: true,
      // No data: addresses and no inline scripts: the Content-Security-Policy forbids them.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rollupOptions: {
        input: { index: join(root, "index.html"), sw: join(here, "src", "sw.ts") },
        output: {
          entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        },
      },
    },
    test: { root: here, include: ["test/*.test.ts"] },
  };
});

/** Tell the service worker what there is to keep, and under which name of the build. */
function listForServiceWorker(): Plugin {
  let folder = "";
  return {
    name: "list-for-service-worker",
    apply: "build",
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    closeBundle() {
      const script = join(folder, "sw.js");
      const names = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".gz"))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .filter((name) => name !== "sw.js")
        .sort();
      const digest = createHash("sha256").update(readFileSync(script));
      for (const name of names) digest.update(name).update(readFileSync(join(folder, name)));
      const build = digest.digest("hex").slice(0, 16);
      // The page itself is asked for by its folder.
      const files = names.map((name) => (name === "index.html" ? "./" : name));
      const line = `self.melanoscope = ${JSON.stringify({ build, files })};\n`;
      writeFileSync(script, line + readFileSync(script, "utf8"));
    },
  };
}

/** Lay a compressed copy beside what shrinks by it: the runtime from 14 to 4 MB. */
function compress(): Plugin {
  let folder = "";
  return {
    name: "compress",
    apply: "build",
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    closeBundle: {
      order: "post",
      sequential: true,
      handler() {
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
          if (!/\.(css|html|js|mjs|svg|wasm|webmanifest)$/.test(entry.name)) continue;
          const path = join(entry.parentPath, entry.name);
          const whole = readFileSync(path);
          const small = gzipSync(whole, { level: 9 });
          if (small.length < 0.9 * whole.length) writeFileSync(`${path}.gz`, small);
        }
      },
    },
  };
}
