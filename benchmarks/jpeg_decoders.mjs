// Decodes each JPEG of a folder with three decoders, in turn, and writes squares and times.
// Called by jpeg_decoders.py: node jpeg_decoders.mjs OURS.js CANDIDATES FOLDER SIDE ROUNDS
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [ours, candidates, folder, px, rounds] = process.argv.slice(2);
const side = Number(px);
const require = createRequire(join(candidates, "package.json"));
const { decodeJpeg, draftFactor, centredSquare, declaredSize } = await import(pathToFileURL(ours));

const mozjpegFolder = join(candidates, "node_modules/@jsquash/jpeg/codec/dec");
const mozjpeg = (await import(pathToFileURL(join(mozjpegFolder, "mozjpeg_dec.js")))).default;
const moz = await mozjpeg({
  wasmBinary: readFileSync(join(mozjpegFolder, "mozjpeg_dec.wasm")),
  noInitialRun: true,
});
globalThis.ImageData ??= class {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
const turbo = await require("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs")();

/** RGBA to RGB, for decoders that know no other. */
function rgb(data, width, height) {
  const plain = new Uint8Array(3 * width * height);
  for (let i = 0, j = 0; i < data.length; i += 4, j += 3) {
    plain[j] = data[i];
    plain[j + 1] = data[i + 1];
    plain[j + 2] = data[i + 2];
  }
  return { data: plain, width, height };
}

const decoders = {
  ours: (bytes) => decodeJpeg(bytes, draftFactor(declaredSize("JPEG", bytes), side)),
  "@jsquash/jpeg": (bytes) => {
    const { data, width, height } = moz.decode(bytes, false);
    return rgb(data, width, height);
  },
  "@cornerstonejs/codec-libjpeg-turbo-8bit": (bytes) => {
    const decoder = new turbo.JPEGDecoder();
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height } = decoder.getFrameInfo();
    const data = Uint8Array.from(decoder.getDecodedBuffer());
    decoder.delete();
    return { data, width, height };
  },
};

const ms = Object.fromEntries(Object.keys(decoders).map((name) => [name, []]));
for (const file of readdirSync(folder).filter((name) => name.endsWith(".jpg"))) {
  const bytes = new Uint8Array(readFileSync(join(folder, file)));
  for (let round = 0; round <= Number(rounds); round += 1) {
    for (const [name, decode] of Object.entries(decoders)) {
      const started = performance.now();
      const square = centredSquare(decode(bytes), side);
      if (round > 0) ms[name].push(performance.now() - started);
      const place = `${file}.${Object.keys(decoders).indexOf(name)}.rgb`;
      if (round === 0) writeFileSync(join(folder, place), square);
    }
  }
}
console.log(JSON.stringify(ms));
