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
  // Slabs that several inputs share are looked at once: a few bytes could otherwise ask for much time.
  const shared = inputs * codes * outputs > table.length ? new Map<number, Bounds>() : undefined;
  const scratch = boundsOf(outputs);
  for (let i = 0; i < inputs; i++) {
    const slab = slabOf(i);
    const known = shared?.get(slab);
    const bounds = known ?? (shared === undefined ? scratch : boundsOf(outputs));
    if (known === undefined) {
      findBounds(table, slab * codes * outputs, codes, bounds);
      shared?.set(slab, bounds);
    }
    sums.add(bounds.lo, bounds.hi, bounds.lo, bounds.hi);
  }
  return sums.hull();
};

/** For every output the smallest and the largest entry of a slab. */
interface Bounds {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

const boundsOf = (outputs: number): Bounds => ({
  lo: new Float64Array(outputs),
  hi: new Float64Array(outputs),
});

const findBounds = (table: ArrayLike<number>, slab: number, codes: number, { lo, hi }: Bounds): void => {
  const outputs = lo.length;
  lo.fill(Number.POSITIVE_INFINITY);
  hi.fill(Number.NEGATIVE_INFINITY);
  for (let c = 0; c < codes; c++) {
    const row = slab + c * outputs;
    for (let o = 0; o < outputs; o++) {
      const v = table[row + o]!;
      if (v < lo[o]!) lo[o] = v;
      if (v > hi[o]!) hi[o] = v;
    }
  }
};

/** Running bounds over outputs: the current sums and the hull of all partial sums so far. */
export interface PrefixSums {
  /**
   * Adds an edge for every output: `inLo`/`inHi` bound the partial sums inside the edge relative to its
   * start, `lo`/`hi` bound the edge's whole contribution.
   */
  readonly add: (inLo: Float64Array, inHi: Float64Array, lo: Float64Array, hi: Float64Array) => void;
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
