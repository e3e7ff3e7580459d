/** The functions of the edges of a layer, at codes. */
import { mayBeSingular } from '../ir/basis.js';
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { inputChannel, type LayerSite, rowsOf } from './layer-site.js';

/**
 * Edges up to which functions are averaged over the bins of a cell. Layers with more take the function at the mean
 * of the cell: there are several bins to a cell, and such layers have cells to spare.
 */
const BIN_LIMIT = 2 ** 18;

/**
 * [inputs, rows, outputs], row-major: the function of every edge over the cell of every code, and where windows are padded a
 * last row of what taps outside of the image add.
 */
export const edgeFunctions = (site: LayerSite, cells: 'mean' | 'value'): Float32Array => {
  const { inputs, outputs, layer } = site;
  const { levels } = site.coded;
  const branches = layer.branches.map(branchEvaluator);
  const value = new Float64Array(outputs);
  const evaluate = (i: number, x: number): void => {
    value.fill(0);
    for (const b of branches) accumulateInput(b, i, x, value);
  };
  // Functions that a person chose may have poles; trained splines that overflow are not to be mended.
  const singular = layer.branches.some((b) => mayBeSingular(b.basis));
  const byBins = cells === 'mean' && inputs * outputs <= BIN_LIMIT;
  const rows = rowsOf(site);
  const result = new Float32Array(inputs * rows * outputs);
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
      const row = (i * rows + c) * outputs;
      for (let o = 0; o < outputs; o++) {
        result[row + o] = count === 0 ? value[o]! : sums[c * outputs + o]! / count;
      }
    }
    if (rows > levels && layer.outside !== undefined) {
      evaluate(i, layer.outside);
      result.set(value, (i * rows + levels) * outputs);
    }
    if (singular) repairSingularities(result, i * rows * outputs, levels, outputs);
  }
  return result;
};

/**
 * A symbolic edge may have poles or end where its function does (1/x, log): an entry that is not finite takes the
 * finite one of the nearest code, of two the lower, and 0 where there is none. Half of all codes may lie where the
 * function has no value, so that the nearest are found in one pass for each direction.
 */
export const repairSingularities = (
  functions: Float32Array,
  at: number,
  levels: number,
  outputs: number,
): void => {
  const nextFinite = new Int32Array(levels);
  for (let o = 0; o < outputs; o++) {
    const index = (c: number): number => at + c * outputs + o;
    let next = levels;
    for (let c = levels - 1; c >= 0; c--) {
      if (Number.isFinite(functions[index(c)])) next = c;
      nextFinite[c] = next;
    }
    if (next === levels) {
      for (let c = 0; c < levels; c++) functions[index(c)] = 0;
      continue;
    }
    let last = -1;
    for (let c = 0; c < levels; c++) {
      const above = nextFinite[c]!;
      if (above === c) {
        last = c;
        continue;
      }
      const below = last >= 0 && (above === levels || c - last <= above - c);
      functions[index(c)] = functions[index(below ? last : above)]!;
    }
  }
};
