/**
 * From a JPEG's coefficients to pixels at 1/2, 1/4 or 1/8 of its size, with the integer arithmetic
 * of libjpeg (Loeffler, Ligtenberg & Moschytz 1989; for the smaller ones the means of neighbouring
 * outputs, which leaves some coefficients out).
 */

const BITS = 13; // of the constants' fixed point
const EXTRA = 2; // kept between the two passes

const fix = (value: number): number => Math.round(value * 2 ** BITS);
const F0211 = fix(0.211164243);
const F0298 = fix(0.298631336);
const F0390 = fix(0.390180644);
const F0509 = fix(0.509795579);
const F0541 = fix(0.5411961);
const F0601 = fix(0.601344887);
const F0720 = fix(0.720959822);
const F0765 = fix(0.765366865);
const F0850 = fix(0.850430095);
const F0899 = fix(0.899976223);
const F1061 = fix(1.061594337);
const F1175 = fix(1.175875602);
const F1272 = fix(1.27275858);
const F1451 = fix(1.451774981);
const F1501 = fix(1.50132111);
const F1847 = fix(1.847759065);
const F1961 = fix(1.96157056);
const F2053 = fix(2.053119869);
const F2172 = fix(2.172734803);
const F2562 = fix(2.562915447);
const F3072 = fix(3.072711026);
const F3624 = fix(3.624509785);

/** Transforms 8 values, `step` apart, to as many as the side, not yet shifted down. */
type Transform = (from: Int32Array, at: number, step: number, to: Int32Array) => void;

const two: Transform = (from, at, step, to) => {
  const even = from[at]! << (BITS + 2);
  const odd =
    -F0720 * from[at + 7 * step]! +
    F0850 * from[at + 5 * step]! -
    F1272 * from[at + 3 * step]! +
    F3624 * from[at + step]!;
  to[0] = even + odd;
  to[1] = even - odd;
};

const four: Transform = (from, at, step, to) => {
  const one = from[at + step]!;
  const three = from[at + 3 * step]!;
  const five = from[at + 5 * step]!;
  const seven = from[at + 7 * step]!;
  const middle = from[at]! << (BITS + 1);
  const slope = F1847 * from[at + 2 * step]! - F0765 * from[at + 6 * step]!;
  const inner = -F0211 * seven + F1451 * five - F2172 * three + F1061 * one;
  const outer = -F0509 * seven - F0601 * five + F0899 * three + F2562 * one;
  to[0] = middle + slope + outer;
  to[1] = middle - slope + inner;
  to[2] = middle - slope - inner;
  to[3] = middle + slope - outer;
};

const eight: Transform = (from, at, step, to) => {
  const one = from[at + step]!;
  const three = from[at + 3 * step]!;
  const five = from[at + 5 * step]!;
  const seven = from[at + 7 * step]!;
  const two = from[at + 2 * step]!;
  const six = from[at + 6 * step]!;
  const shared = F0541 * (two + six);
  const low = shared - F1847 * six;
  const high = shared + F0765 * two;
  const sum = (from[at]! + from[at + 4 * step]!) << BITS;
  const difference = (from[at]! - from[at + 4 * step]!) << BITS;
  const turn = F1175 * (seven + three + five + one);
  const a = -F0899 * (seven + one);
  const b = -F2562 * (five + three);
  const c = turn - F1961 * (seven + three);
  const d = turn - F0390 * (five + one);
  const odd0 = F1501 * one + a + d;
  const odd1 = F3072 * three + b + c;
  const odd2 = F2053 * five + b + d;
  const odd3 = F0298 * seven + a + c;
  to[0] = sum + high + odd0;
  to[1] = difference + low + odd1;
  to[2] = difference - low + odd2;
  to[3] = sum - high + odd3;
  to[4] = sum - high - odd3;
  to[5] = difference - low - odd2;
  to[6] = difference + low - odd1;
  to[7] = sum + high - odd0;
};

const TRANSFORMS: Readonly<Record<number, { transform: Transform; shift: number }>> = {
  2: { transform: two, shift: 2 },
  4: { transform: four, shift: 1 },
  8: { transform: eight, shift: 0 },
};

/** Samples of a component, one byte each. */
export interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
}

/** Turn blocks of 64 coefficients into squares of `side` (1, 2, 4 or 8) samples. */
export function samples(
  coefficients: Int16Array,
  quantization: Uint16Array,
  across: number,
  side: number,
): Plane {
  const stride = across * side;
  const data = new Uint8Array((coefficients.length / 64) * side * side);
  const values = new Int32Array(64);
  const put = side === 1 ? putMean : putSquare(side);
  for (let block = 0, at = 0; at < coefficients.length; block++, at += 64) {
    const [row, column] = [Math.trunc(block / across), block % across];
    for (let place = 0; place < 64; place++) {
      values[place] = coefficients[at + place]! * quantization[place]!;
    }
    put(values, data, row * side * stride + column * side, stride);
  }
  return { data, stride };
}

type Put = (values: Int32Array, data: Uint8Array, at: number, stride: number) => void;

const putMean: Put = (values, data, at) => {
  data[at] = level(shiftDown(values[0]!, 3));
};

function putSquare(side: number): Put {
  const { transform, shift } = TRANSFORMS[side]!;
  const columns = new Int32Array(8 * side);
  const out = new Int32Array(side);
  return (values, data, at, stride) => {
    for (let column = 0; column < 8; column++) {
      transform(values, column, 8, out);
      for (let row = 0; row < side; row++) {
        columns[8 * row + column] = shiftDown(out[row]!, BITS - EXTRA + shift);
      }
    }
    for (let row = 0; row < side; row++) {
      transform(columns, 8 * row, 1, out);
      for (let column = 0; column < side; column++) {
        data[at + row * stride + column] = level(shiftDown(out[column]!, BITS + EXTRA + 3 + shift));
      }
    }
  };
}

function shiftDown(value: number, bits: number): number {
  return (value + (1 << (bits - 1))) >> bits;
}

function level(value: number): number {
  const shifted = value + 128;
  return shifted < 0 ? 0 : Math.min(shifted, 255);
}
