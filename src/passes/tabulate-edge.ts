/**
 * Edge tables: every edge's function at every code.
 *
 * An entry is the constant that serves its cell best: the mean of the function over the calibration values
 * that fall into it (where there are none, its value at the decoded code). Every edge is centred on the middle
 * of its range and the sum of the middles goes to the bias, so that entries use their bits for shape and not
 * for offset.
 */

import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { constant, perChannel } from '../ir/constant.js';
import { accumulatorFor, allocate, F32, int } from '../ir/element.js';
import { edgeTableRange, type TableEdgeAttrs } from '../ir/ops/table-edge.js';
import { isPadded } from '../ir/window.js';
import { nearestEntry } from '../numeric/table-round.js';
import { frequentCodes } from './frequent-codes.js';
import { inputChannel, type LayerSite } from './layer-site.js';
import type { Remark } from './pass.js';
import type { Evidence } from './refit.js';
import { correctFunctions, roundEntries } from './refit-edge.js';
import type { TabulateOptions } from './tabulate.js';

export interface EdgeTable {
  readonly attrs: TableEdgeAttrs;
  readonly said: ReadonlyArray<Remark>;
}

export const tabulateEdge = (
  site: LayerSite,
  options: Pick<TabulateOptions, 'scale' | 'cells'>,
  evidence?: Evidence,
): EdgeTable | undefined => {
  const { inputs, outputs, layer } = site;
  const { levels } = site.coded;
  const groups = layer.window?.groups ?? 1;
  const taps = inputs / groups;
  const functions = edgeFunctions(site, options.cells);
  if (evidence !== undefined)
    correctFunctions(evidence, functions, layer.bias?.data ?? new Float32Array(outputs));
  const padded = layer.window !== undefined && isPadded(layer.window);
  const { middles, halfRanges } = centre(functions, inputs, levels, outputs, padded);

  const bits = layer.precision?.table ?? 8;
  const top = 2 ** (bits - 1) - 1;
  // Output o of group g is output g * outputs + o of the layer.
  const sums = Float64Array.from({ length: groups * outputs }, (_, go) => {
    let sum = layer.bias?.data[go] ?? 0;
    const first = Math.floor(go / outputs) * taps;
    for (let i = first; i < first + taps; i++) sum += middles[i * outputs + (go % outputs)]!;
    return sum;
  });
  const scales = entryScales(halfRanges, sums, { taps, width: outputs }, top, options.scale);
  const inverse = Float64Array.from(scales, (s) => 1 / s);
  const element = int(bits);
  const rows = padded ? levels + 1 : levels;
  const entries = allocate(element, inputs * rows * outputs);
  // Entries before rounding, where they are rounded together.
  const wanted = new Float32Array(evidence === undefined ? 0 : entries.length);
  for (let i = 0; i < inputs; i++) {
    const scaleAt = Math.floor(i / taps) * outputs;
    for (let c = 0; c < levels; c++) {
      const from = (i * levels + c) * outputs;
      const to = (i * rows + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        const value = (functions[from + o]! - middles[i * outputs + o]!) * inverse[scaleAt + o]!;
        if (evidence === undefined) entries[to + o] = nearestEntry(value, top);
        else wanted[to + o] = value;
      }
    }
    if (!padded) continue;
    // A tap in the padding adds nothing, so it takes back the middle that the bias holds for it.
    const to = (i * rows + levels) * outputs;
    for (let o = 0; o < outputs; o++)
      entries[to + o] = nearestEntry(-middles[i * outputs + o]! * inverse[scaleAt + o]!, top);
  }
  const bias = Int32Array.from(sums, (sum, o) => Math.round(sum * inverse[o]!));
  const rounded =
    evidence === undefined
      ? { bias, scales, said: [] }
      : roundEntries(evidence, { wanted, scales, bias, top, oneScale: options.scale === 'tensor' }, entries);
  const parts = {
    table: constant(element, [inputs, rows, outputs], entries),
    bias: constant(int(32), [sums.length], rounded.bias),
    scale: perChannel(F32, rounded.scales),
    ...(layer.window === undefined ? {} : { window: layer.window }),
    ...frequentCodes(site),
  };
  const attrs = withAccumulator(parts, inputs);
  return attrs === undefined ? undefined : { attrs, said: rounded.said };
};

/** Proves the range of an edge table and picks the narrowest accumulator for it; undefined beyond 32 bits. */
export const withAccumulator = (
  parts: Omit<TableEdgeAttrs, 'acc' | 'lo' | 'hi'>,
  inputs: number,
): TableEdgeAttrs | undefined => {
  const range = edgeTableRange(parts, inputs);
  const acc = accumulatorFor(range.lo, range.hi);
  if (acc === undefined || acc.kind !== 'int') return undefined;
  // Eight-bit accumulators save nothing: the next layer widens them at once.
  return { ...parts, acc: Math.max(16, acc.bits), lo: range.lo, hi: range.hi };
};

/**
 * Edges up to which functions are averaged over the bins of a cell. Layers with more take the function at the mean
 * of the cell: there are several bins to a cell, and such layers have cells to spare.
 */
const BIN_LIMIT = 2 ** 18;

/** [inputs, levels, outputs], row-major: the function of every edge over the cell of every code. */
const edgeFunctions = (site: LayerSite, cells: 'mean' | 'value'): Float32Array => {
  const { inputs, outputs, layer } = site;
  const { levels } = site.coded;
  const branches = layer.branches.map(branchEvaluator);
  const value = new Float64Array(outputs);
  const evaluate = (i: number, x: number): void => {
    value.fill(0);
    for (const b of branches) accumulateInput(b, i, x, value);
  };
  // Functions that a person chose may have poles; trained splines that overflow are not to be mended.
  const singular = layer.branches.some((b) => b.basis._tag === 'symbolic');
  const byBins = cells === 'mean' && inputs * outputs <= BIN_LIMIT;
  const result = new Float32Array(inputs * levels * outputs);
  const sums = new Float64Array(levels * outputs);
  const counts = new Float64Array(levels);
  for (let i = 0; i < inputs; i++) {
    const channel = inputChannel(site, i);
    sums.fill(0);
    counts.fill(0);
    if (byBins) {
      channel.eachBin((code, x, count) => {
        evaluate(i, x);
        counts[code]! += count;
        for (let o = 0; o < outputs; o++) sums[code * outputs + o]! += count * value[o]!;
      });
    }
    for (let c = 0; c < levels; c++) {
      const count = counts[c]!;
      if (count === 0) evaluate(i, channel.value(c));
      const row = (i * levels + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        result[row + o] = count === 0 ? value[o]! : sums[c * outputs + o]! / count;
      }
    }
    if (singular) repairSingularities(result, i * levels * outputs, levels, outputs);
  }
  return result;
};

/**
 * A symbolic edge may have poles or end where its function does (1/x, log): an entry that is not finite takes the
 * finite one of the nearest code, and 0 where there is none.
 */
const repairSingularities = (functions: Float32Array, at: number, levels: number, outputs: number): void => {
  const before = functions.slice(at, at + levels * outputs);
  for (let e = 0; e < before.length; e++) {
    if (Number.isFinite(before[e])) continue;
    const [c, o] = [Math.floor(e / outputs), e % outputs];
    let found = 0;
    for (let d = 1; d < levels; d++) {
      const finite = (k: number): boolean => k >= 0 && k < levels && Number.isFinite(before[k * outputs + o]);
      const near = [c - d, c + d].find(finite);
      if (near === undefined) continue;
      found = before[near * outputs + o]!;
      break;
    }
    functions[at + e] = found;
  }
};

/** Middle and half of the range of every edge over its codes (and 0, what padding adds): [inputs, outputs] each. */
const centre = (
  functions: Float32Array,
  inputs: number,
  levels: number,
  outputs: number,
  withZero: boolean,
): { middles: Float64Array; halfRanges: Float64Array } => {
  const lo = new Float64Array(inputs * outputs).fill(withZero ? 0 : Number.POSITIVE_INFINITY);
  const hi = new Float64Array(inputs * outputs).fill(withZero ? 0 : Number.NEGATIVE_INFINITY);
  for (let i = 0; i < inputs; i++) {
    for (let c = 0; c < levels; c++) {
      const row = (i * levels + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        const v = functions[row + o]!;
        const e = i * outputs + o;
        if (v < lo[e]!) lo[e] = v;
        if (v > hi[e]!) hi[e] = v;
      }
    }
  }
  return {
    middles: lo.map((v, e) => (v + hi[e]!) / 2),
    halfRanges: lo.map((v, e) => (hi[e]! - v) / 2),
  };
};

/**
 * From half ranges [groups, taps, width]: the value of one unit of a table entry, for each output: its widest edge uses all bits. An output that no
 * input moves takes the finest unit of the others. No unit is finer than its output's bias at 24 bits: edges
 * that are constant but for rounding would else make the bias outgrow the accumulator.
 */
const entryScales = (
  halfRanges: Float64Array,
  biases: Float64Array,
  { taps, width }: { readonly taps: number; readonly width: number },
  top: number,
  granularity: 'output' | 'tensor',
): Float32Array => {
  const outputs = biases.length;
  const widest = new Float64Array(outputs);
  for (let e = 0; e < halfRanges.length; e++) {
    const go = Math.floor(e / (taps * width)) * width + (e % width);
    widest[go] = Math.max(widest[go]!, halfRanges[e]!);
  }
  const moved = widest.filter((w) => w > 0);
  if (granularity === 'tensor') {
    const largest = biases.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const scale = unitOf(moved.reduce((a, b) => Math.max(a, b), 0) / top, largest);
    return new Float32Array(outputs).fill(scale);
  }
  const finest = moved.length === 0 ? 0 : moved.reduce((a, b) => Math.min(a, b)) / top;
  return Float32Array.from(widest, (w, o) => unitOf(w > 0 ? w / top : finest, Math.abs(biases[o]!)));
};

/** `wanted`, as far as f32 and 24 bits for the bias allow; where nothing is wanted, 20 bits for the bias. */
const unitOf = (wanted: number, bias: number): number => {
  if (wanted === 0) return bias === 0 ? 1 : Math.max(bias * 2 ** -20, 2 ** -100);
  return Math.max(wanted, bias * 2 ** -24, 2 ** -100);
};
