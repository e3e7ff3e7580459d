/**
 * Facts about an edge table that decide how it is added up.
 *
 * Every table column is stored minus its minimum over the codes, as an unsigned entry; the minima of all inputs
 * are constants and move into one offset per output. What is left is often narrow, so that the rows of several
 * inputs can be added in the width of an entry before they are widened: a *group* of inputs is legal when, for
 * every output, the largest entries of its members sum to at most the largest entry of that width.
 */
import type { TableEdgeAttrs } from '../../../../ir/ops/table-edge.js';

/**
 * A table as the kernel sees it. Over windows with several groups, input t of all groups is one input whose outputs
 * are those of all groups, so that all groups share one order of inputs.
 */
export interface EdgeTable {
  readonly data: ArrayLike<number>;
  /** Inputs of a group. */
  readonly inputs: number;
  /** Slabs of a group. */
  readonly slabs: number;
  readonly codes: number;
  /** Whether a row for taps in the padding follows those of the codes. */
  readonly padded: boolean;
  readonly groups: number;
  /** Outputs of a group, and of all. */
  readonly width: number;
  readonly outputs: number;
  /** Slab of each input. */
  readonly slabOf: (input: number) => number;
  /** Index in `data` of the first entry of a slab of a group. */
  readonly first: (slab: number, group: number) => number;
  /** [outputs] */
  readonly bias: ArrayLike<number> | undefined;
}

/** `inputs`: of a group. */
export const edgeTableOf = (a: TableEdgeAttrs, inputs: number, codes: number): EdgeTable => {
  const [rows, width] = [a.table.shape[1]!, a.table.shape[2]!];
  const groups = a.window?.groups ?? 1;
  const slabOf = (input: number): number => a.slabs?.data[input] ?? input;
  const one = groups === 1;
  return {
    data: a.table.data,
    inputs,
    slabs: one ? a.table.shape[0]! : inputs,
    codes,
    padded: rows > codes,
    groups,
    width,
    outputs: width * groups,
    slabOf: one ? slabOf : (input) => input,
    first: (slab, group) => (one ? slab : slabOf(group * inputs + slab)) * rows * width,
    bias: a.bias?.data,
  };
};

export interface EdgeAnalysis {
  readonly table: EdgeTable;
  /** [slabs, outputs]: smallest entry of a column, over codes. */
  readonly min: Int32Array;
  /** [slabs, outputs]: largest entry minus smallest, which i32 cannot hold for every pair of i32 entries. */
  readonly span: Float64Array;
  /** Largest span of each slab. */
  readonly widest: Float64Array;
  /** [outputs]: bias plus all minima. The accumulator is this plus the unsigned entries. */
  readonly offset: Float64Array;
  /** The interval of final accumulators over all outputs and inputs, padding included. */
  readonly lo: number;
  readonly hi: number;
}

export const analyseEdges = (table: EdgeTable): EdgeAnalysis => {
  const { slabs, groups, width, outputs } = table;
  const min = new Int32Array(slabs * outputs);
  const span = new Float64Array(slabs * outputs);
  const widest = new Float64Array(slabs);
  for (let s = 0; s < slabs; s++) {
    for (let g = 0; g < groups; g++) {
      const to = s * outputs + g * width;
      columnBounds(table, table.first(s, g), min.subarray(to, to + width), span.subarray(to, to + width));
    }
    for (let k = s * outputs; k < (s + 1) * outputs; k++) if (span[k]! > widest[s]!) widest[s] = span[k]!;
  }
  const start = (o: number): number => table.bias?.[o] ?? 0;
  const offset = Float64Array.from({ length: outputs }, (_, o) => start(o));
  const low = offset.slice();
  const high = offset.slice();
  for (let i = 0; i < table.inputs; i++) {
    const slab = table.slabOf(i);
    for (let g = 0; g < groups; g++) {
      const padding = table.first(slab, g) + table.codes * width;
      for (let k = 0; k < width; k++) {
        const o = g * width + k;
        const at = slab * outputs + o;
        const [least, most] = [min[at]!, min[at]! + span[at]!];
        const pad = table.padded ? table.data[padding + k]! : least;
        offset[o]! += least;
        low[o]! += Math.min(least, pad);
        high[o]! += Math.max(most, pad);
      }
    }
  }
  const lo = low.reduce((x, y) => Math.min(x, y));
  const hi = high.reduce((x, y) => Math.max(x, y));
  return { table, min, span, widest, offset, lo, hi };
};

/** Smallest entry of each column of a slab, and how far the largest is above it. */
const columnBounds = (t: EdgeTable, first: number, min: Int32Array, span: Float64Array): void => {
  for (let o = 0; o < t.width; o++) min[o] = span[o] = t.data[first + o]!;
  for (let c = 1; c < t.codes; c++) {
    const row = first + c * t.width;
    for (let o = 0; o < t.width; o++) {
      const v = t.data[row + o]!;
      if (v < min[o]!) min[o] = v;
      if (v > span[o]!) span[o] = v;
    }
  }
  for (let o = 0; o < t.width; o++) span[o]! -= min[o]!;
};

/** [kernel place, output]: what a place in the padding adds, minus what the kernel computes there (code 0). */
export const paddingExcess = (t: EdgeTable, area: number): Float64Array => {
  const excess = new Float64Array(area * t.outputs);
  if (!t.padded) return excess;
  for (let i = 0; i < t.inputs; i++) {
    const to = (i % area) * t.outputs;
    for (let g = 0; g < t.groups; g++) {
      const zero = t.first(t.slabOf(i), g);
      const padding = zero + t.codes * t.width;
      for (let k = 0; k < t.width; k++)
        excess[to + g * t.width + k]! += t.data[padding + k]! - t.data[zero + k]!;
    }
  }
  return excess;
};

/** Inputs whose rows are added together before they are widened: sizes 4, 2 and 1. */
export interface EdgeGroups {
  readonly quads: ReadonlyArray<number>;
  readonly pairs: ReadonlyArray<number>;
  readonly singles: ReadonlyArray<number>;
}

/** How many groups of each size there are. */
export const groupsText = ({ quads, pairs, singles }: EdgeGroups): string =>
  `groups ${quads.length / 4}x4 ${pairs.length / 2}x2 ${singles.length}x1`;

/** Inputs whose functions are not all constant; of the others, the minima say everything. */
export const variedInputs = ({ widest, table }: EdgeAnalysis): ReadonlyArray<number> =>
  Array.from({ length: table.inputs }, (_, i) => i).filter((i) => widest[table.slabOf(i)]! > 0);

/**
 * Groups varied inputs so that no group exceeds `capacity`. Greedy: the narrowest inputs fill quads, then the narrowest pair with the widest.
 */
export const groupInputs = (
  analysis: EdgeAnalysis,
  capacity: number,
  inputs: ReadonlyArray<number> = variedInputs(analysis),
): EdgeGroups => {
  const { span, widest } = analysis;
  const { outputs, slabOf } = analysis.table;
  const order = [...inputs].sort((i, j) => widest[slabOf(i)]! - widest[slabOf(j)]! || i - j);
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
