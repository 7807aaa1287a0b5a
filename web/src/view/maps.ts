/** Maps of evidence and attributions prepared for drawing, as `inference/explain/overlays.py` does it. */

type Rows = readonly (readonly number[])[];

// Spread of the Gaussian over Integrated Gradients, as a share of the photograph's side: single
// pixels are seldom right (their gradients alternate), patches of this size are.
const BLUR = 0.012;
const CLIP = 0.99;

/**
 * The value that gets the strongest colour in a map of evidence: the largest magnitude, but no less
 * than would move the logit by 1 if all places spoke with one voice.
 */
export function evidenceScale(values: Rows): number {
  const all = values.flat();
  return Math.max(largest(all), 1 / all.length);
}

/**
 * Enlarge a map smoothly to side x side: the middle of each place keeps its value, and between two
 * middles runs half a cosine, so that no value leaves the range of its neighbours.
 */
export function interpolate(values: Rows, side: number): Float32Array {
  const columns = values[0]?.length ?? 0;
  const across = rise(columns, side);
  const along = rise(values.length, side);
  const wide = values.map((row) =>
    Float64Array.from({ length: side }, (_, x) => between(across[x]!, (column) => row[column]!)),
  );
  const out = new Float32Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      out[y * side + x] = between(along[y]!, (row) => wide[row]![x]!);
    }
  }
  return out;
}

interface Between {
  readonly low: number;
  readonly high: number;
  readonly share: number; // of `high`
}

function rise(n: number, length: number): readonly Between[] {
  return Array.from({ length }, (_, index) => {
    const place = Math.min(Math.max(((index + 0.5) * n) / length - 0.5, 0), n - 1);
    const low = Math.floor(place);
    const share = 0.5 - 0.5 * Math.cos(Math.PI * (place - low));
    return { low, high: Math.min(low + 1, n - 1), share };
  });
}

function between({ low, high, share }: Between, value: (index: number) => number): number {
  return value(low) * (1 - share) + value(high) * share;
}

/**
 * Clip and blur attributions for drawing.
 *
 * @returns Strength of each pixel, -1..1, row by row, and the attribution that strength 1 stands for.
 */
export function attributionStrength(values: Rows): {
  readonly strength: Float32Array;
  readonly scale: number;
} {
  const side = values.length;
  const limit = high(values.flat());
  const clipped = values.map((row) => row.map((one) => Math.min(Math.max(one, -limit), limit)));
  const smooth = blurred(clipped, side);
  const scale = high(smooth) || 1;
  return { strength: Float32Array.from(smooth, (one) => one / scale), scale };
}

/** Return the 99th percentile of magnitudes; the largest one where that is 0. */
function high(values: readonly number[] | Float64Array): number {
  const sizes = Float64Array.from(values, Math.abs).sort();
  const place = CLIP * (sizes.length - 1);
  const low = Math.floor(place);
  const top = sizes[Math.min(low + 1, sizes.length - 1)] ?? 0;
  const base = sizes[low] ?? 0;
  return base + (top - base) * (place - low) || largest(sizes);
}

function largest(values: ArrayLike<number>): number {
  let found = 0;
  for (let index = 0; index < values.length; index++) {
    found = Math.max(found, Math.abs(values[index]!));
  }
  return found;
}

/** Blur by a Gaussian, reflected at the borders so that the sum is kept. */
function blurred(values: Rows, side: number): Float64Array {
  const kernel = gaussian(BLUR * side);
  const rows = new Float64Array(side * side);
  const out = new Float64Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      rows[y * side + x] = weighed(kernel, x, side, (place) => values[y]![place]!);
    }
  }
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      out[y * side + x] = weighed(kernel, y, side, (place) => rows[place * side + x]!);
    }
  }
  return out;
}

function gaussian(sigma: number): Float64Array {
  const reach = Math.ceil(4 * sigma);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, index) =>
    Math.exp(-0.5 * ((index - reach) / sigma) ** 2),
  );
  const sum = kernel.reduce((before, one) => before + one, 0);
  return kernel.map((one) => one / sum);
}

function weighed(
  kernel: Float64Array,
  centre: number,
  side: number,
  value: (place: number) => number,
): number {
  const reach = (kernel.length - 1) / 2;
  let sum = 0;
  for (let step = -reach; step <= reach; step++) {
    const place = (((centre + step) % (2 * side)) + 2 * side) % (2 * side);
    sum += kernel[step + reach]! * value(place < side ? place : 2 * side - 1 - place);
  }
  return sum;
}

const NAMES = [
  ["top left", "top", "top right"],
  ["left", "middle", "right"],
  ["bottom left", "bottom", "bottom right"],
] as const;

/** Say in words where a map speaks most for and against a condition, for those who do not see it. */
export function describeMap(values: Rows, condition: string): string {
  const height = values.length;
  const width = values[0]?.length ?? 0;
  let [up, down] = [0, 0];
  let [upName, downName] = ["", ""];
  values.forEach((row, y) => {
    row.forEach((value, x) => {
      const name = NAMES[third(y, height)]![third(x, width)]!;
      if (value > up) [up, upName] = [value, name];
      if (value < down) [down, downName] = [value, name];
    });
  });
  const said = [
    upName && `Speaks most for ${condition}: ${upName}.`,
    downName && `Speaks most against it: ${downName}.`,
  ].filter(Boolean);
  return said.join(" ") || `Nothing in it speaks for or against ${condition}.`;
}

function third(index: number, length: number): 0 | 1 | 2 {
  return Math.min(2, Math.floor(((index + 0.5) * 3) / length)) as 0 | 1 | 2;
}
