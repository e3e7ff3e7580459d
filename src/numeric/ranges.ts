/**
 * Interval analysis of table layers: the interval that holds an accumulator and every partial sum on the way,
 * whatever the codes are. Exact for independent codes: each bound is reached by some input.
 */

export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/**
 * Edge form: acc[o] = bias[o] + sum_i table[slab(i), code, o], summed in the order of i, starting at the bias.
 * table is [slabs, codes, outputs]; the result is the hull over all outputs.
 */
export const edgeRange = (
  table: ArrayLike<number>,
  slabOf: (input: number) => number,
  inputs: number,
  codes: number,
  outputs: number,
  bias: ArrayLike<number> | undefined,
): Interval => {
  const sums = prefixSums(outputs, bias);
  const bounds = slabBounds(table, codes, outputs);
  for (let i = 0; i < inputs; i++) {
    const at = slabOf(i) * outputs;
    const lo = bounds.lo.subarray(at, at + outputs);
    const hi = bounds.hi.subarray(at, at + outputs);
    sums.add(lo, hi, lo, hi);
  }
  return sums.hull();
};

/** [slabs, outputs]: the smallest and the largest entry of every slab for every output. */
interface SlabBounds {
  readonly codes: number;
  readonly outputs: number;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/**
 * Bounds of tables that were looked at: several passes and the verifier ask for the ranges of the same table with
 * other biases. Tables never change, and an entry goes when its table does.
 */
const known = new WeakMap<object, SlabBounds>();

const slabBounds = (table: ArrayLike<number>, codes: number, outputs: number): SlabBounds => {
  const before = known.get(table);
  if (before !== undefined && before.codes === codes && before.outputs === outputs) return before;
  const slabs = table.length / (codes * outputs);
  const lo = new Int32Array(slabs * outputs).fill(2 ** 31 - 1);
  const hi = new Int32Array(slabs * outputs).fill(-(2 ** 31));
  for (let s = 0; s < slabs; s++) {
    const at = s * outputs;
    for (let c = 0; c < codes; c++) {
      const row = (s * codes + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        const v = table[row + o]!;
        if (v < lo[at + o]!) lo[at + o] = v;
        if (v > hi[at + o]!) hi[at + o] = v;
      }
    }
  }
  const bounds = { codes, outputs, lo, hi };
  known.set(table, bounds);
  return bounds;
};

/** Running bounds over outputs: the current sums and the hull of all partial sums so far. */
export interface PrefixSums {
  /**
   * Adds an edge for every output: `inLo`/`inHi` bound the partial sums inside the edge relative to its
   * start, `lo`/`hi` bound the edge's whole contribution.
   */
  readonly add: (
    inLo: ArrayLike<number>,
    inHi: ArrayLike<number>,
    lo: ArrayLike<number>,
    hi: ArrayLike<number>,
  ) => void;
  readonly hull: () => Interval;
}

export const prefixSums = (outputs: number, bias: ArrayLike<number> | undefined): PrefixSums => {
  const low = new Float64Array(outputs);
  const high = new Float64Array(outputs);
  let hullLo = 0;
  let hullHi = 0;
  for (let o = 0; o < outputs; o++) {
    const b = bias?.[o] ?? 0;
    low[o] = b;
    high[o] = b;
    hullLo = Math.min(hullLo, b);
    hullHi = Math.max(hullHi, b);
  }
  return {
    add: (inLo, inHi, lo, hi) => {
      for (let o = 0; o < outputs; o++) {
        hullLo = Math.min(hullLo, low[o]! + inLo[o]!);
        hullHi = Math.max(hullHi, high[o]! + inHi[o]!);
        low[o]! += lo[o]!;
        high[o]! += hi[o]!;
      }
    },
    hull: () => ({ lo: hullLo, hi: hullHi }),
  };
};
