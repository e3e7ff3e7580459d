/**
 * Edge tables: every edge's function at every code.
 *
 * An entry is the constant that serves its cell best: the mean of the function over the calibration values
 * that fall into it (where there are none, its value at the decoded code). Every edge is centred on the middle
 * of its range and the sum of the middles goes to the bias, so that entries use their bits for shape and not
 * for offset. A tap in the padding adds nothing, so its entry takes back the middle that the bias holds for it.
 */

import { constant, perChannel } from '../../ir/constant.js';
import { allocate, F32, int } from '../../ir/element.js';
import { type TableEdgeAttrs, withAccumulator } from '../../ir/ops/table-edge.js';
import { edgeFunctions } from '../edge-functions.js';
import { frequentCodes, type LayerSite, rowsOf } from '../layer-site.js';
import type { Remark } from '../pass.js';
import type { Evidence } from '../refit/index.js';
import { type IntegerTable, nearestTable, type RealTable, refitTable } from '../refit/table.js';
import type { TabulateOptions } from './options.js';

export interface EdgeTable {
  readonly attrs: TableEdgeAttrs;
  readonly said: ReadonlyArray<Remark>;
}

/** The table of one layer, refit where there is evidence; undefined where accumulators would need more than 32 bits. */
export const tabulateEdge = (
  site: LayerSite,
  options: Pick<TabulateOptions, 'scale' | 'cells'>,
  evidence?: Evidence,
): EdgeTable | undefined => {
  const table = edgeTable(site, edgeFunctions(site, options.cells), options.scale);
  if (evidence !== undefined) {
    const refit = refitTable(evidence, table);
    const attrs = assemble(site, refit.table);
    if (attrs !== undefined) return { attrs, said: refit.said };
  }
  const attrs = assemble(site, nearestTable(table, int(bitsOf(site))));
  return attrs === undefined ? undefined : { attrs, said: [] };
};

const bitsOf = ({ layer }: LayerSite): number => layer.precision?.table ?? 8;

const assemble = (site: LayerSite, { entries, scales, bias }: IntegerTable): TableEdgeAttrs | undefined => {
  const { inputs, outputs, layer } = site;
  const element = int(bitsOf(site));
  const data = allocate(element, entries.length);
  data.set(entries);
  const parts = {
    table: constant(element, [inputs, rowsOf(site), outputs], data),
    bias: constant(int(32), [bias.length], bias),
    scale: perChannel(F32, Float32Array.from(scales)),
    ...(layer.window === undefined ? {} : { window: layer.window }),
    ...frequentCodes(site),
  };
  return withAccumulator(parts, inputs);
};

/** Functions less the middles of their edges, in units of each output. */
const edgeTable = (site: LayerSite, functions: Float32Array, granularity: 'output' | 'tensor'): RealTable => {
  const { inputs, outputs, layer } = site;
  const rows = rowsOf(site);
  const groups = layer.window?.groups ?? 1;
  const taps = inputs / groups;
  const { middles, halfRanges } = centre(functions, inputs, rows, outputs);
  const top = 2 ** (bitsOf(site) - 1) - 1;
  // Output o of group g is output g * outputs + o of the layer.
  const sums = Float64Array.from({ length: groups * outputs }, (_, go) => {
    let sum = layer.bias?.data[go] ?? 0;
    const first = Math.floor(go / outputs) * taps;
    for (let i = first; i < first + taps; i++) sum += middles[i * outputs + (go % outputs)]!;
    return sum;
  });
  const scales = Float64Array.from(entryScales(halfRanges, sums, { taps, width: outputs }, top, granularity));
  const inverse = scales.map((s) => 1 / s);
  // Entries are those of codes.
  const group = { inputs: taps, levels: rows, entries: rows, outputs };
  return {
    groups: Array.from({ length: groups }, () => group),
    scales,
    offset: sums.map((sum, o) => sum * inverse[o]!),
    biasUnit: 1,
    top,
    oneScale: granularity === 'tensor',
    size: functions.length,
    write: (to, finish) => {
      for (let i = 0, e = 0; i < inputs; i++) {
        const scaleAt = Math.floor(i / taps) * outputs;
        for (let c = 0; c < rows; c++) {
          for (let o = 0; o < outputs; o++, e++) {
            to[e] = finish((functions[e]! - middles[i * outputs + o]!) * inverse[scaleAt + o]!);
          }
        }
      }
    },
  };
};

/** Middle and half of the range of every edge over its codes and the padding: [inputs, outputs] each. */
const centre = (
  functions: Float32Array,
  inputs: number,
  rows: number,
  outputs: number,
): { middles: Float64Array; halfRanges: Float64Array } => {
  const lo = new Float64Array(inputs * outputs).fill(Number.POSITIVE_INFINITY);
  const hi = new Float64Array(inputs * outputs).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < inputs; i++) {
    for (let c = 0; c < rows; c++) {
      const row = (i * rows + c) * outputs;
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
