/**
 * One colour scale for signed evidence, as `inference/explain/colormap.py` has it: red speaks for the target,
 * blue of the same lightness against it, mixed in OKLab (Ottosson 2020), where equal steps look
 * equally large.
 */

type Rgb = readonly [number, number, number];

const FOR: Rgb = [238, 51, 56];
const AGAINST: Rgb = [0, 139, 227];

/** Three values for each pixel, one pixel after the other. */
export type Triples = Float32Array;

const LINEAR = Float32Array.from({ length: 256 }, (_, byte) => {
  const step = byte / 255;
  return step <= 0.04045 ? step / 12.92 : ((step + 0.055) / 1.055) ** 2.4;
});

// Linear light 0..1 in fine steps, to bytes: a power for every pixel would be slow.
const FINE = 4096;
const BYTES = Uint8Array.from({ length: FINE + 1 }, (_, step) => {
  const value = step / FINE;
  return Math.round(
    255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055),
  );
});

/** Convert RGBA bytes to OKLab: lightness 0..1, green to red, blue to yellow. */
export function toOklab(rgba: ArrayLike<number>): Triples {
  const out = new Float32Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const r = LINEAR[rgba[from]!]!;
    const g = LINEAR[rgba[from + 1]!]!;
    const b = LINEAR[rgba[from + 2]!]!;
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    out[to] = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
    out[to + 1] = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
    out[to + 2] = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  }
  return out;
}

const HUES = toOklab([...AGAINST, 255, ...FOR, 255]);

/**
 * Mix pixels (OKLab) with the hue of their evidence into RGBA bytes. `strength` is -1 (all
 * `AGAINST`) over 0 (the pixel unchanged) to 1 (all `FOR`); `opacity`, 0..1, multiplies it.
 */
export function tint(
  lab: Triples,
  strength: ArrayLike<number>,
  opacity: number,
  out: Uint8ClampedArray,
): void {
  for (let pixel = 0; pixel < strength.length; pixel++) {
    const signed = Math.min(Math.max(strength[pixel]!, -1), 1) * opacity;
    const share = Math.abs(signed);
    const hue = signed < 0 ? 0 : 3;
    const place = 3 * pixel;
    fromOklab(
      lab[place]! * (1 - share) + HUES[hue]! * share,
      lab[place + 1]! * (1 - share) + HUES[hue + 1]! * share,
      lab[place + 2]! * (1 - share) + HUES[hue + 2]! * share,
      out,
      4 * pixel,
    );
  }
}

/** Write one colour as RGBA bytes; what no screen can show is clipped. */
function fromOklab(l: number, a: number, b: number, out: Uint8ClampedArray, place: number): void {
  const x = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const y = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const z = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  out[place] = toByte(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z);
  out[place + 1] = toByte(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z);
  out[place + 2] = toByte(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z);
  out[place + 3] = 255;
}

function toByte(linear: number): number {
  return BYTES[Math.round(Math.min(Math.max(linear, 0), 1) * FINE)]!;
}
