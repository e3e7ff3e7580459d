/**
 * Tables on evidence, whatever their form: entries rounded together, so that outputs come close to the targets, and taken
 * only where that makes them better on samples that had no part in it.
 */
import { allocate, type ElementType, F32, type TypedArray } from '../../ir/element.js';
import {
  type CodedLayer,
  type CodeSamples,
  columnMeans,
  meanOutputs,
  residuals,
} from '../../numeric/coded-layer.js';
import { codeLists, roundTogether } from '../../numeric/table-descent.js';
import { clippingFactors, codeCounts, entryWeights, nearestEntry } from '../../numeric/table-scale.js';
import { note, type Remark } from '../pass.js';
import type { Evidence, Split } from './index.js';

/** A layer before its entries are rounded. Groups of a window lie side by side, each a layer of its own. */
export interface RealTable {
  readonly groups: ReadonlyArray<CodedLayer>;
  /** [groups * outputs]: the value of one unit of an entry. */
  readonly scales: Float64Array;
  /** [groups * outputs]: what is added to the sum over entries, in units. */
  readonly offset: Float64Array;
  /** Units of an entry that one of the bias is. */
  readonly biasUnit: number;
  /** Largest magnitude of an entry. */
  readonly top: number;
  /** Whether all outputs keep one scale. */
  readonly oneScale: boolean;
  /** Entries of all groups: [groups * inputs, entries, outputs]. */
  readonly size: number;
  /** Sets to[e] = finish(value of entry e in its unit), for all entries. */
  readonly write: (to: TypedArray, finish: (value: number) => number) => void;
}

export interface IntegerTable extends Pick<RealTable, 'scales' | 'biasUnit'> {
  readonly entries: TypedArray;
  /** [groups * outputs]. */
  readonly bias: Int32Array;
}

/** Sweeps of the descent, and of those that a ridge is chosen by. */
const SWEEPS = 4;
const TRIAL_SWEEPS = 2;

/** Rows that a ridge is chosen by: of those to fit, and half as many of those held out. */
const TRIAL_ROWS = 512;

/** Ridges that are tried: the search starts at 1 and follows the better neighbour. */
const RIDGES = [0.0625, 0.25, 1, 4, 16, 64];
const FIRST = 2;

/** Every entry to the nearest integer. */
export const nearestTable = (table: RealTable, element: ElementType = F32): IntegerTable => {
  const { scales, offset, biasUnit, top } = table;
  const entries = allocate(element, table.size);
  table.write(entries, (value) => nearestEntry(value, top));
  return { entries, scales, biasUnit, bias: Int32Array.from(offset, (v) => Math.round(v / biasUnit)) };
};

/** The table that is best on the evidence, and what there is to say. */
export const refitTable = (
  evidence: Evidence,
  table: RealTable,
): { readonly table: IntegerTable; readonly said: ReadonlyArray<Remark> } => {
  const layers = table.groups.map((layer, g) => layerOn(layer, evidence.groups[g]!));
  const rows = layers[0]?.fit.samples ?? 0;
  const plain = nearestTable(table);
  const full = evidence.refit === 'full';
  if (evidence.ridge !== 'auto') {
    const made = full ? fitted(layers, clipped(layers, table), evidence.ridge) : unbiased(layers, plain);
    const what = full ? 'refit' : 'bias corrected';
    const [error] = errorsOf(layers, made, 'fit', [made.bias]);
    return { table: made, said: [note(`${what} on ${rows} samples: outputs are ${show(error!)} off`)] };
  }
  const shifted = unbiased(layers, plain);
  const [before, after] = errorsOf(layers, plain, 'held', [plain.bias, shifted.bias]);
  let best = { table: plain, error: before!, what: 'nothing is better' };
  if (after! < best.error) best = { table: shifted, error: after!, what: 'bias corrected' };
  if (full) {
    const start = clipped(layers, table);
    const ridge = chooseRidge(layers, start);
    const made = fitted(layers, start, ridge);
    const [error] = errorsOf(layers, made, 'held', [made.bias]);
    if (error! < best.error) best = { table: made, error: error!, what: `ridge ${ridge}` };
  }
  const held = layers[0]?.held.samples ?? 0;
  const instead = best.table === plain ? '' : ` instead of ${show(before!)}`;
  const gain = `outputs of ${held} others are ${show(best.error)} off${instead}`;
  return { table: best.table, said: [note(`refit on ${rows} samples (${best.what}): ${gain}`)] };
};

const show = (error: number): string => error.toPrecision(3);

/** A group of a layer with its evidence. */
interface LayerOn extends Split {
  readonly layer: CodedLayer;
  /** [inputs, levels]: how often every code is read in the samples to fit. */
  readonly counts: Float64Array;
  /** [inputs, entries]: means of squared factors over the samples to fit. */
  readonly weights: Float64Array;
}

const layerOn = (layer: CodedLayer, split: Split): LayerOn => {
  const counts = codeCounts(layer, split.fit);
  const weights = entryWeights(layer, counts).map((w) => w / Math.max(1, split.fit.samples));
  return { layer, ...split, counts, weights };
};

/** The part of an array [groups, ...] that is of group g. */
const part = <A extends { readonly length: number; subarray(from: number, to: number): A }>(
  all: A,
  groups: number,
  g: number,
): A => all.subarray((g * all.length) / groups, ((g + 1) * all.length) / groups);

/** Root mean square error of the outputs of an integer table, for each of some biases in place of its own. */
const errorsOf = (
  layers: ReadonlyArray<LayerOn>,
  made: IntegerTable,
  which: keyof Split,
  biases: ReadonlyArray<Int32Array>,
): ReadonlyArray<number> => {
  const squares = biases.map(() => 0);
  let count = 0;
  layers.forEach((on, g) => {
    const scales = part(made.scales, layers.length, g);
    const none = new Float64Array(scales.length);
    const left = residuals(on.layer, on[which], entriesOf(made, layers.length, g), none, scales);
    biases.forEach((all, k) => {
      const bias = part(all, layers.length, g);
      for (let j = 0; j < left.length; j++) {
        const o = j % scales.length;
        squares[k]! += ((left[j]! - bias[o]! * made.biasUnit) * scales[o]!) ** 2;
      }
    });
    count += left.length;
  });
  return squares.map((sum) => Math.sqrt(sum / Math.max(1, count)));
};

const entriesOf = ({ entries }: IntegerTable, groups: number, g: number): TypedArray =>
  entries.subarray((g * entries.length) / groups, ((g + 1) * entries.length) / groups);

/** The table with the bias that makes the mean error of every output least. */
const unbiased = (layers: ReadonlyArray<LayerOn>, made: IntegerTable): IntegerTable => {
  const bias = made.bias.slice();
  layers.forEach(({ layer, fit, counts }, g) => {
    const own = part(bias, layers.length, g);
    const scales = part(made.scales, layers.length, g);
    const given = meanOutputs(layer, fit, counts, entriesOf(made, layers.length, g));
    const wanted = columnMeans(fit.targets, layer.outputs);
    for (let o = 0; o < own.length; o++) {
      own[o] = Math.round((wanted[o]! / scales[o]! - given[o]!) / made.biasUnit);
    }
  });
  return { ...made, bias };
};

/** Where a fit starts: entries in units that may clip some of them. */
interface Start extends Pick<RealTable, 'scales' | 'offset' | 'biasUnit' | 'top'> {
  readonly wanted: Float32Array;
}

const clipped = (layers: ReadonlyArray<LayerOn>, table: RealTable): Start => {
  const { biasUnit, top } = table;
  const wanted = new Float32Array(table.size);
  table.write(wanted, (value) => value);
  const factors = clippingFactors(
    table.groups,
    layers.map((on) => on.weights),
    wanted,
    top,
    table.oneScale,
  );
  layers.forEach(({ layer }, g) => {
    const own = part(wanted, layers.length, g);
    for (let e = 0; e < own.length; e++) own[e]! /= factors[g * layer.outputs + (e % layer.outputs)]!;
  });
  return {
    wanted,
    // Units shrink to 0.3 of what they were at most, so biases stay far from the ends of 32 bits.
    scales: table.scales.map((s, o) => Math.fround(s * factors[o]!)),
    offset: table.offset.map((v, o) => v / factors[o]!),
    biasUnit,
    top,
  };
};

/** Group g of a start, and the residuals of the unrounded entries there. */
const startOf = (
  { layer, weights, fit }: Pick<LayerOn, 'layer' | 'weights' | 'fit'>,
  start: Start,
  groups: number,
  g: number,
): { readonly towards: Float32Array; readonly penalty: number; readonly residual: Float64Array } => {
  const towards = part(start.wanted, groups, g);
  const [offset, scales] = [part(start.offset, groups, g), part(start.scales, groups, g)];
  return {
    towards,
    penalty: weights.reduce((n, w) => n + w, 0),
    residual: residuals(layer, fit, towards, offset, scales),
  };
};

/**
 * Entries rounded together. A ridge counts in penalties: with errors of variance v in all entries an output has the
 * variance v times the sum of their squared factors, and the best penalty of ridge regression is the ratio of the two.
 */
const fitted = (layers: ReadonlyArray<LayerOn>, start: Start, ridge: number): IntegerTable => {
  const { scales, biasUnit, top } = start;
  const entries = new Float32Array(start.wanted.length);
  const bias = new Int32Array(scales.length);
  layers.forEach((on, g) => {
    const { towards, penalty, residual } = startOf(on, start, layers.length, g);
    const options = { towards, penalty: ridge * penalty, top, sweeps: SWEEPS };
    const made = roundTogether(on.layer, codeLists(on.layer, on.fit), residual, options);
    part(entries, layers.length, g).set(made);
    const means = columnMeans(residual, on.layer.outputs);
    const offset = part(start.offset, layers.length, g);
    part(bias, layers.length, g).set(means.map((mean, o) => Math.round((offset[o]! + mean) / biasUnit)));
  });
  return { entries, scales, biasUnit, bias };
};

/** The ridge that is best for rows held out, after a short fit to some of the others. */
const chooseRidge = (layers: ReadonlyArray<LayerOn>, start: Start): number => {
  const trials = layers.map((on, g) => {
    const thin = { ...on, fit: thinned(on.fit, TRIAL_ROWS), held: thinned(on.held, TRIAL_ROWS / 2) };
    const { towards, penalty, residual } = startOf(thin, start, layers.length, g);
    return { ...thin, towards, residual, penalty, lists: codeLists(on.layer, thin.fit) };
  });
  const errors = new Map<number, number>();
  const errorAt = (k: number): number => {
    const ridge = RIDGES[k];
    if (ridge === undefined) return Number.POSITIVE_INFINITY;
    const known = errors.get(k);
    if (known !== undefined) return known;
    let squares = 0;
    trials.forEach(({ layer, held, towards, penalty, residual, lists }, g) => {
      const options = { towards, penalty: ridge * penalty, top: start.top, sweeps: TRIAL_SWEEPS };
      const made = roundTogether(layer, lists, residual.slice(), options);
      const scales = part(start.scales, layers.length, g);
      const left = residuals(layer, held, made, part(start.offset, layers.length, g), scales);
      // What is the same on all rows is left to the bias.
      const means = columnMeans(left, layer.outputs);
      for (let j = 0; j < left.length; j++) {
        const o = j % means.length;
        squares += ((left[j]! - means[o]!) * scales[o]!) ** 2;
      }
    });
    errors.set(k, squares);
    return squares;
  };
  let best = FIRST;
  for (const step of [-1, 1]) while (errorAt(best + step) < errorAt(best)) best += step;
  return RIDGES[best]!;
};

/** `most` rows, evenly spread. */
const thinned = (given: CodeSamples, most: number): CodeSamples => {
  if (given.samples <= most) return given;
  const [inputs, outputs] = [given.codes.length / given.samples, given.targets.length / given.samples];
  const codes = new Uint16Array(most * inputs);
  const targets = new Float32Array(most * outputs);
  for (let k = 0; k < most; k++) {
    const n = Math.floor((k * given.samples) / most);
    codes.set(given.codes.subarray(n * inputs, (n + 1) * inputs), k * inputs);
    targets.set(given.targets.subarray(n * outputs, (n + 1) * outputs), k * outputs);
  }
  return { samples: most, codes, targets };
};
