/** The entropy-coded part of a JPEG: bits to coefficients (ITU-T T.81, annexes F and G). */

import {
  type Component,
  Cut,
  type Huffman,
  type Scan,
  SHORT,
  Unsupported,
  ZIGZAG,
} from "./jpeg_head";

/** Decode a scan whose data begins at `start`; returns where its data ends. */
export function decodeScan(
  bytes: Uint8Array,
  start: number,
  scan: Scan,
  progressive: boolean,
  mcus: { readonly across: number; readonly down: number },
): number {
  const bits = new Bits(bytes, start);
  const blocks = new Blocks(bits, scan);
  const decode = !progressive
    ? blocks.whole
    : scan.first === 0
      ? scan.high === 0
        ? blocks.firstDc
        : blocks.laterDc
      : scan.high === 0
        ? blocks.firstAc
        : blocks.laterAc;
  const only = scan.components.length === 1 ? scan.components[0]!.component : null;
  const across = only?.blocksAcross ?? mcus.across;
  const count = across * (only?.blocksDown ?? mcus.down);
  for (let unit = 0; unit < count; unit++) {
    if (scan.restart > 0 && unit > 0 && unit % scan.restart === 0) {
      bits.restart((unit / scan.restart - 1) % 8);
      blocks.reset();
    }
    const [row, column] = [Math.trunc(unit / across), unit % across];
    if (only !== null) {
      decode.call(blocks, 0, only, 64 * (row * only.storedAcross + column));
      continue;
    }
    scan.components.forEach(({ component }, index) => {
      const { h, v, storedAcross } = component;
      for (let y = row * v; y < (row + 1) * v; y++) {
        for (let x = column * h; x < (column + 1) * h; x++) {
          decode.call(blocks, index, component, 64 * (y * storedAcross + x));
        }
      }
    });
  }
  return bits.end();
}

/** Decodes the blocks of one scan, and holds what runs from block to block. */
class Blocks {
  private readonly before: Int32Array;
  private zeros = 0; // blocks that have no further coefficients, this one included

  constructor(
    private readonly bits: Bits,
    private readonly scan: Scan,
  ) {
    this.before = new Int32Array(scan.components.length);
  }

  reset(): void {
    this.before.fill(0);
    this.zeros = 0;
  }

  whole(index: number, { coefficients }: Component, at: number): void {
    coefficients[at] = this.nextDc(index);
    const { ac } = this.scan.components[index]!;
    for (let place = 1; place < 64; place++) {
      const code = this.bits.symbol(ac);
      const size = code & 15;
      const run = code >> 4;
      if (size === 0) {
        if (run < 15) return;
        place += 15;
        continue;
      }
      place += run;
      if (place > 63) throw new Unsupported("run");
      coefficients[at + ZIGZAG[place]!] = this.bits.signed(size);
    }
  }

  firstDc(index: number, { coefficients }: Component, at: number): void {
    coefficients[at] = this.nextDc(index) << this.scan.low;
  }

  laterDc(_: number, { coefficients }: Component, at: number): void {
    if (this.bits.take(1) === 1) coefficients[at]! |= 1 << this.scan.low;
  }

  firstAc(_: number, { coefficients }: Component, at: number): void {
    if (this.zeros > 0) {
      this.zeros--;
      return;
    }
    const { components, first, last, low } = this.scan;
    for (let place = first; place <= last; place++) {
      const code = this.bits.symbol(components[0]!.ac);
      const size = code & 15;
      const run = code >> 4;
      if (size > 0) {
        place += run;
        if (place > 63) throw new Unsupported("run");
        coefficients[at + ZIGZAG[place]!] = this.bits.signed(size) << low;
      } else if (run === 15) {
        place += 15;
      } else {
        this.zeros = (1 << run) + this.bits.take(run) - 1;
        return;
      }
    }
  }

  laterAc(_: number, { coefficients }: Component, at: number): void {
    const { components, first, last, low } = this.scan;
    let place = first;
    if (this.zeros === 0) {
      for (; place <= last; place++) {
        const code = this.bits.symbol(components[0]!.ac);
        const size = code & 15;
        const run = code >> 4;
        let value = 0;
        if (size > 0) {
          if (size > 1) throw new Unsupported("refinement");
          value = this.bits.take(1) === 1 ? 1 << low : -1 << low;
        } else if (run < 15) {
          this.zeros = (1 << run) + this.bits.take(run);
          break;
        }
        place = this.refine(coefficients, at, place, run);
        if (value !== 0) {
          if (place > last) throw new Unsupported("run");
          coefficients[at + ZIGZAG[place]!] = value;
        }
      }
    }
    if (this.zeros > 0) {
      this.refine(coefficients, at, place, 64);
      this.zeros--;
    }
  }

  /** Give one more bit to what is not 0, up to the coefficient after `run` that are. */
  private refine(coefficients: Int16Array, at: number, from: number, run: number): number {
    const { last, low } = this.scan;
    let left = run;
    for (let place = from; place <= last; place++) {
      const where = at + ZIGZAG[place]!;
      const value = coefficients[where]!;
      if (value === 0) {
        if (left-- === 0) return place;
      } else if (this.bits.take(1) === 1 && (Math.abs(value) & (1 << low)) === 0) {
        coefficients[where] = value + (value > 0 ? 1 << low : -1 << low);
      }
    }
    return last + 1;
  }

  private nextDc(index: number): number {
    const size = this.bits.symbol(this.scan.components[index]!.dc);
    if (size > 15) throw new Unsupported("difference");
    this.before[index]! += size === 0 ? 0 : this.bits.signed(size);
    return this.before[index]!;
  }
}

/** Reads the bits of a scan, from the highest on, up to a marker. */
class Bits {
  private held = 0;
  private count = 0;
  private borrowed = 0; // bits beyond the marker, which are 0 and must not be used

  constructor(
    private readonly bytes: Uint8Array,
    private place: number,
  ) {}

  /** Read up to 16 bits as a number. */
  take(length: number): number {
    if (length === 0) return 0;
    this.fill();
    this.count -= length;
    if (this.count < this.borrowed) throw new Cut();
    return (this.held >>> this.count) & ((1 << length) - 1);
  }

  /** Read a number of `size` bits, the upper half of whose range is positive. */
  signed(size: number): number {
    const value = this.take(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  symbol(table: Huffman): number {
    this.fill();
    const next = (this.held >>> (this.count - 16)) & 0xffff;
    const known = table.short[next >> (16 - SHORT)]!;
    if (known !== 0) {
      this.count -= known & 15;
      if (this.count < this.borrowed) throw new Cut();
      return known >> 4;
    }
    for (let length = SHORT + 1; length <= 16; length++) {
      if (next >= table.limit[length]!) continue;
      this.count -= length;
      if (this.count < this.borrowed) throw new Cut();
      return table.values[table.offset[length]! + (next >> (16 - length))]!;
    }
    throw new Unsupported("no such code");
  }

  /** Go behind the restart marker of a `number`. */
  restart(number: number): void {
    this.place = this.end();
    if (this.bytes[this.place + 1] !== 0xd0 + number) throw new Unsupported("restart");
    this.place += 2;
    this.held = this.count = this.borrowed = 0;
  }

  /** Return where the marker behind these bits is. */
  end(): number {
    for (let place = this.place; place < this.bytes.length; place++) {
      const follows = this.bytes[place + 1];
      if (this.bytes[place] === 0xff && follows !== 0 && follows !== 0xff) return place;
    }
    throw new Unsupported("truncated");
  }

  /** Hold 16 bits or more. */
  private fill(): void {
    while (this.count <= 16) {
      let byte = this.bytes[this.place] ?? 0;
      if (this.place >= this.bytes.length || (byte === 0xff && this.bytes[this.place + 1] !== 0)) {
        byte = 0;
        this.borrowed += 8;
      } else {
        this.place += byte === 0xff ? 2 : 1;
      }
      this.held = (this.held << 8) | byte;
      this.count += 8;
    }
  }
}
