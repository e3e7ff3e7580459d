/**
 * Facts about an edge table that decide how it is added up.
 *
 * Every table column is stored minus its minimum over the codes, as an unsigned entry; the minima of all inputs
 * are constants and move into one offset per output. What is left is often narrow, so that the rows of several
 * inputs can be added in the width of an entry before they are widened: a *group* of inputs is legal when, for
 * every output, the largest entries of its members sum to at most the largest entry of that width.
 */
import type { TableEdgeAttrs } from '../../../ir/ops/table-edge.js';

export interface EdgeAnalysis {
  readonly inputs: number;
  readonly slabs: number;
  readonly codes: number;
  readonly outputs: number;
  /** Slab of each input. */
  readonly slabOf: (input: number) => number;
  /** [slabs, outputs]: smallest entry of a column. */
  readonly min: Int32Array;
  /** [slabs, outputs]: largest entry minus smallest, which i32 cannot hold for every pair of i32 entries. */
  readonly span: Float64Array;
  /** Largest span of each slab. */
  readonly widest: Float64Array;
  /** [outputs]: bias plus all minima. The accumulator is this plus the unsigned entries. */
  readonly offset: Float64Array;
  /** The interval of final accumulators over all outputs and inputs. */
  readonly lo: number;
  readonly hi: number;
}

export const analyseEdges = (a: TableEdgeAttrs, inputs: number): EdgeAnalysis => {
  const [slabs, codes, outputs] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const slabOf = (input: number): number => a.slabs?.data[input] ?? input;
  const table = a.table.data;
  const min = new Int32Array(slabs * outputs);
  const span = new Float64Array(slabs * outputs);
  const widest = new Float64Array(slabs);
  const low = new Int32Array(outputs);
  const high = new Int32Array(outputs);
  for (let s = 0; s < slabs; s++) {
    let row = s * codes * outputs;
    for (let o = 0; o < outputs; o++) low[o] = high[o] = table[row + o]!;
    for (let c = 1; c < codes; c++) {
      row += outputs;
      for (let o = 0; o < outputs; o++) {
        const v = table[row + o]!;
        if (v < low[o]!) low[o] = v;
        if (v > high[o]!) high[o] = v;
      }
    }
    for (let o = 0; o < outputs; o++) {
      const d = high[o]! - low[o]!;
      min[s * outputs + o] = low[o]!;
      span[s * outputs + o] = d;
      if (d > widest[s]!) widest[s] = d;
    }
  }
  const offset = new Float64Array(outputs);
  const top = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) offset[o] = top[o] = a.bias?.data[o] ?? 0;
  for (let i = 0; i < inputs; i++) {
    const at = slabOf(i) * outputs;
    for (let o = 0; o < outputs; o++) {
      offset[o]! += min[at + o]!;
      top[o]! += min[at + o]! + span[at + o]!;
    }
  }
  const lo = offset.reduce((x, y) => Math.min(x, y));
  const hi = top.reduce((x, y) => Math.max(x, y));
  return { inputs, slabs, codes, outputs, slabOf, min, span, widest, offset, lo, hi };
};

/** Inputs whose rows are added together before they are widened: sizes 4, 2 and 1. */
export interface EdgeGroups {
  readonly quads: ReadonlyArray<number>;
  readonly pairs: ReadonlyArray<number>;
  readonly singles: ReadonlyArray<number>;
}

/**
 * Groups inputs so that no group exceeds `capacity`; inputs whose functions are all constant are left out
 * (their minima say everything). Greedy: the narrowest inputs fill quads, then the narrowest pair with the widest.
 */
export const groupInputs = (analysis: EdgeAnalysis, capacity: number): EdgeGroups => {
  const { outputs, slabOf, span, widest, inputs } = analysis;
  const order = Array.from({ length: inputs }, (_, i) => i)
    .filter((i) => widest[slabOf(i)]! > 0)
    .sort((i, j) => widest[slabOf(i)]! - widest[slabOf(j)]! || i - j);
  const fits = (members: ReadonlyArray<number>): boolean => {
    // The widest columns of the members need not coincide, so a sum over the limit must be looked at closely.
    if (members.reduce((n, i) => n + widest[slabOf(i)]!, 0) <= capacity) return true;
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (const i of members) sum += span[slabOf(i) * outputs + o]!;
      if (sum > capacity) return false;
    }
    return true;
  };
  const quads: number[] = [];
  let first = 0;
  while (first + 4 <= order.length && fits(order.slice(first, first + 4))) {
    quads.push(...order.slice(first, first + 4));
    first += 4;
  }
  const pairs: number[] = [];
  const singles: number[] = [];
  let last = order.length - 1;
  while (first <= last) {
    const wide = order[last]!;
    last--;
    const narrow = order[first]!;
    if (first <= last && fits([narrow, wide])) {
      pairs.push(narrow, wide);
      first++;
    } else {
      singles.push(wide);
    }
  }
  return { quads, pairs, singles };
};
