/** Tables over the values of a net, of which some cannot occur: which bits matter, and what stands where nothing does. */

/** A function of the bits of a net. */
export interface Table {
  /** Bits of the net, lowest first. */
  readonly bits: ReadonlyArray<number>;
  /** By these bits. */
  readonly values: Int32Array;
  /** 1 where the value can occur; elsewhere any will do. */
  readonly care: Uint8Array;
}

/** The same function without bit `j` of its bits; undefined where that bit makes a difference. */
const withoutBit = ({ bits, values, care }: Table, j: number): Table | undefined => {
  const half = values.length / 2;
  const low = 2 ** j;
  const left = new Int32Array(half);
  const cared = new Uint8Array(half);
  for (let k = 0; k < half; k++) {
    const zero = (k & (low - 1)) + ((k - (k & (low - 1))) << 1);
    const one = zero + low;
    if (care[zero] === 1 && care[one] === 1 && values[zero] !== values[one]) return undefined;
    const at = care[zero] === 1 ? zero : one;
    left[k] = values[at]!;
    cared[k] = care[at]!;
  }
  return { bits: bits.filter((_, k) => k !== j), values: left, care: cared };
};

/** The table without the bits that make no difference, low ones being tried first. */
export const reduced = (table: Table): Table => {
  let t = table;
  for (let j = 0; j < t.bits.length; ) {
    const next = withoutBit(t, j);
    if (next === undefined) j++;
    else t = next;
  }
  return t;
};

/** Where nothing can occur, the value of the nearest code that can. */
const nearest = ({ values, care }: Table): Int32Array => {
  const result = values.slice();
  let last = care.indexOf(1);
  if (last < 0) return result.fill(0);
  for (let k = 0; k < values.length; k++) {
    if (care[k] === 1) last = k;
    else result[k] = values[last]!;
  }
  return result;
};

/** The smallest and largest value that can occur; 0 and 0 where none can. */
export const boundsOf = ({ values, care }: Table): { readonly lo: number; readonly hi: number } => {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < values.length; k++) {
    if (care[k] !== 1) continue;
    lo = Math.min(lo, values[k]!);
    hi = Math.max(hi, values[k]!);
  }
  return lo > hi ? { lo: 0, hi: 0 } : { lo, hi };
};

/** A table of the same bits with other values. */
export const mapped = (table: Table, of: (value: number) => number): Table => ({
  ...table,
  values: table.values.map((v, k) => (table.care[k] === 1 ? of(v) : 0)),
});

/** One bit of the values, reduced: how many bits it depends on is what it costs. */
export const bitOf = (table: Table, bit: number): Table =>
  reduced(mapped(table, (v) => Math.floor(v / 2 ** bit) % 2));

/**
 * Values everywhere, where nothing can occur those with which each bit of the values depends on as few bits of the code as
 * it can. Synthesis does worse when it is told what cannot occur: it only drops multiplexers of which one input is free.
 */
export const filled = (table: Table): Table => {
  const all = new Uint8Array(table.values.length).fill(1);
  if (table.care.every((c) => c === 1)) return table;
  const values = new Int32Array(table.values.length);
  const width = 32 - Math.clz32(boundsOf(table).hi);
  for (let bit = 0; bit < width; bit++) {
    const plane = bitOf(table, bit);
    const ones = nearest(plane);
    // Where the bits of the plane stand among those of the table.
    const places = plane.bits.map((b) => table.bits.indexOf(b));
    for (let code = 0; code < values.length; code++) {
      let at = 0;
      for (let k = 0; k < places.length; k++) at += ((code >> places[k]!) & 1) << k;
      values[code]! += ones[at]! << bit;
    }
  }
  return { bits: table.bits, values, care: all };
};

/**
 * LUTs of six inputs for a function of `inputs` bits. Two make one of seven inputs and four one of eight, with the
 * multiplexers beside them; above, every further input doubles them and adds the LUTs of a multiplexer.
 */
export const lutsFor = (inputs: number): number => {
  if (inputs <= 6) return inputs < 1 ? 0 : 1;
  if (inputs <= 8) return 2 ** (inputs - 6);
  return 2 * lutsFor(inputs - 1) + 1;
};
