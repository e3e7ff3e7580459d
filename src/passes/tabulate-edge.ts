/**
 * Edge tables: every edge's function at every code.
 *
 * An entry is the constant that serves its cell best: the mean of the function over the calibration values
 * that fall into it (where there are none, its value at the decoded code). Every edge is centred on the middle
 * of its range and the sum of the middles goes to the bias, so that entries use their bits for shape and not
 * for offset.
 */

import { invariant } from '../diagnostics/index.js';
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { constant, perChannel } from '../ir/constant.js';
import { accumulatorFor, allocate, F32, int, uint } from '../ir/element.js';
import { decodedValue } from '../ir/ops/decode.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { edgeTableRange, type TableEdgeAttrs } from '../ir/ops/table-edge.js';
import { coderOf, isShared } from '../ir/quantizer.js';
import { valueType } from '../ir/types.js';
import type { LayerSite, TabulateOptions } from './tabulate.js';

export const tabulateEdge = (
  site: LayerSite,
  options: Pick<TabulateOptions, 'scale' | 'cells'>,
): TableEdgeAttrs => {
  const { inputs, outputs, layer } = site;
  const { levels } = site.quantizer;
  const functions = edgeFunctions(site, options.cells);
  const { middles, halfRanges } = centre(functions, inputs, levels, outputs);

  const bits = layer.precision?.table ?? 8;
  const top = 2 ** (bits - 1) - 1;
  const sums = Float64Array.from({ length: outputs }, (_, o) => {
    let sum = layer.bias?.data[o] ?? 0;
    for (let i = 0; i < inputs; i++) sum += middles[i * outputs + o]!;
    return sum;
  });
  const scales = entryScales(halfRanges, sums, inputs, top, options.scale);
  const table = int(bits);
  const entries = allocate(table, functions.length);
  const inverse = Float64Array.from(scales, (s) => 1 / s);
  for (let i = 0; i < inputs; i++) {
    for (let c = 0; c < levels; c++) {
      const row = (i * levels + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        const v = Math.round((functions[row + o]! - middles[i * outputs + o]!) * inverse[o]!);
        entries[row + o] = Math.max(-top, Math.min(top, v));
      }
    }
  }
  const bias = Int32Array.from(sums, (sum, o) => Math.round(sum * inverse[o]!));
  const parts = {
    table: constant(table, [inputs, levels, outputs], entries),
    bias: constant(int(32), [outputs], bias),
    scale: perChannel(F32, scales),
  };
  return withAccumulator(parts, inputs);
};

/** Proves the range of an edge table and picks the narrowest accumulator for it. */
export const withAccumulator = (
  parts: Omit<TableEdgeAttrs, 'acc' | 'lo' | 'hi'>,
  inputs: number,
): TableEdgeAttrs => {
  const range = edgeTableRange(parts, inputs);
  const acc = accumulatorFor(range.lo, range.hi);
  invariant(acc !== undefined && acc.kind === 'int', `accumulator range [${range.lo}, ${range.hi}]`);
  // Eight-bit accumulators save nothing: the next layer widens them at once.
  return { ...parts, acc: Math.max(16, acc.bits), lo: range.lo, hi: range.hi };
};

/** [inputs, levels, outputs], row-major: the function of every edge over the cell of every code. */
const edgeFunctions = (site: LayerSite, cells: 'mean' | 'value'): Float32Array => {
  const { inputs, outputs, layer, quantizer: q, decode } = site;
  const { levels } = q;
  const branches = layer.branches.map(branchEvaluator);
  const value = new Float64Array(outputs);
  const evaluate = (i: number, x: number): void => {
    value.fill(0);
    for (const b of branches) accumulateInput(b, i, x, value);
  };
  const stats = cells === 'mean' && site.observed?.op.kind === 'observe' ? site.observed.op.attrs : undefined;
  const seen = stats !== undefined && stats.samples > 0 ? stats : undefined;
  const sharedCoder = isShared(q) ? coderOf(q, 0) : undefined;
  const decodeAttrs = decode.op.kind === 'decode' ? decode.op.attrs : {};
  const codeType = valueType(uint(16), [inputs], q);

  const result = new Float32Array(inputs * levels * outputs);
  const sums = new Float64Array(levels * outputs);
  const counts = new Float64Array(levels);
  for (let i = 0; i < inputs; i++) {
    sums.fill(0);
    counts.fill(0);
    if (seen !== undefined) addCells(seen, i, sharedCoder ?? coderOf(q, i), evaluate, value, sums, counts);
    for (let c = 0; c < levels; c++) {
      const count = counts[c]!;
      if (count === 0) evaluate(i, decodedValue(decodeAttrs, codeType, i, c));
      const row = (i * levels + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        result[row + o] = count === 0 ? value[o]! : sums[c * outputs + o]! / count;
      }
    }
  }
  return result;
};

/** Adds, for every occupied bin of feature i, its count times the functions at its mean to the bin's code. */
const addCells = (
  stats: ObserveAttrs,
  i: number,
  coder: (x: number) => number,
  evaluate: (i: number, x: number) => void,
  value: Float64Array,
  sums: Float64Array,
  counts: Float64Array,
): void => {
  const bins = stats.counts.shape[1]!;
  const outputs = value.length;
  for (let b = i * bins; b < (i + 1) * bins; b++) {
    const count = stats.counts.data[b]!;
    if (count === 0) continue;
    const mean = stats.means.data[b]!;
    const code = coder(mean);
    evaluate(i, mean);
    counts[code]! += count;
    for (let o = 0; o < outputs; o++) sums[code * outputs + o]! += count * value[o]!;
  }
};

/** Middle and half of the range of every edge over its codes: [inputs, outputs] each. */
const centre = (
  functions: Float32Array,
  inputs: number,
  levels: number,
  outputs: number,
): { middles: Float64Array; halfRanges: Float64Array } => {
  const lo = new Float64Array(inputs * outputs).fill(Number.POSITIVE_INFINITY);
  const hi = new Float64Array(inputs * outputs).fill(Number.NEGATIVE_INFINITY);
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
 * The value of one unit of a table entry, for each output: its widest edge uses all bits. An output that no
 * input moves takes the finest unit of the others. No unit is finer than its output's bias at 24 bits: edges
 * that are constant but for rounding would else make the bias outgrow the accumulator.
 */
const entryScales = (
  halfRanges: Float64Array,
  biases: Float64Array,
  inputs: number,
  top: number,
  granularity: 'output' | 'tensor',
): Float32Array => {
  const outputs = biases.length;
  const widest = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) widest[o] = Math.max(widest[o]!, halfRanges[i * outputs + o]!);
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
