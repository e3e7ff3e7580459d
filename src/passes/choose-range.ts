/**
 * The range that a uniform quantizer covers: from the histogram of the values, by the method that was asked
 * for, with the weight that values have in the layers that read them.
 */
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { definitionsOf, type Graph } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { distributionOf } from '../numeric/distribution.js';
import {
  type Bins,
  binEdges,
  binIndex,
  clippedRange,
  coreBinWidth,
  type Histogram,
} from '../numeric/histogram.js';
import { type Range, searchRange, squaredError } from '../numeric/range-search.js';
import type { CodePoint } from './code-points.js';

export interface RangeOptions {
  /** How a range comes from the histogram. */
  readonly ranges: 'minmax' | 'percentile' | 'mse' | 'histogram';
  /** Percent of the values cut off each end before that; auto: 0, and what PERCENTILE says for `percentile`. */
  readonly clip: number | 'auto';
  readonly symmetry: 'affine' | 'symmetric';
  readonly range: 'clamp' | 'extend';
  /** Percent of a hidden range added at each end, where ranges are not searched. */
  readonly margin: number;
  readonly inputRanges: 'tensor' | 'feature';
  readonly hiddenRanges: 'feature' | 'tensor';
  /** What a code stands for: what a search takes the error against. */
  readonly values: 'mean' | 'middle';
}

/** Percent cut off each end by `ranges=percentile` where `clip` is not given. */
export const PERCENTILE = 0.1;

export type Calibrated = Pick<Histogram, 'bins' | 'lo' | 'hi' | 'core' | 'counts' | 'means'>;

/** The weight of a value of a feature: 0 or more. */
export type Weigh = (feature: number, value: number) => number;

/** The histogram's arrays as what their element types say they are. */
export const histogramOf = (stats: ObserveAttrs): Calibrated => ({
  bins: stats.counts.shape[1]!,
  lo: stats.lo,
  hi: stats.hi,
  ...(stats.core === undefined ? {} : { core: { lo: stats.core[0], hi: stats.core[1] } }),
  counts: stats.counts.data instanceof Uint32Array ? stats.counts.data : Uint32Array.from(stats.counts.data),
  means: stats.means.data instanceof Float32Array ? stats.means.data : Float32Array.from(stats.means.data),
});

/** The range without what is cut off its ends. */
export const outerRange = (o: RangeOptions, h: Calibrated, feature: number | 'all'): Range => {
  const percent = o.clip === 'auto' ? (o.ranges === 'percentile' ? PERCENTILE : 0) : o.clip;
  return clippedRange(h, percent / 100, feature);
};

export const isSearched = ({ ranges }: RangeOptions): boolean => ranges === 'mse' || ranges === 'histogram';

/** A range, and whether the search that was asked for was made. */
export interface ChosenRange extends Range {
  readonly searched: boolean;
}

/**
 * The range of one feature, or of all together, for so many levels. A histogram does not tell ranges apart whose
 * steps are finer than its bins: there, and without data, it is the outer range. `weigh`: how much an error of a value
 * counts.
 */
export const chooseRange = (
  o: RangeOptions,
  h: Calibrated,
  levels: number,
  feature: number | 'all',
  stands: 'mean' | 'middle',
  weigh?: Weigh,
): ChosenRange => {
  const outer = outerRange(o, h, feature);
  const unsearched = { ...(feature === 'all' ? outer : wholeBins(h, outer)), searched: false };
  if (!isSearched(o)) return unsearched;
  const finest = coreBinWidth(h);
  // All the values: what a narrower range cuts off has a price.
  const d = distributionOf(h, feature, { weigh });
  if (!(outer.hi - outer.lo > finest * levels) || d.points.length <= levels) return unsearched;
  const cost = (range: Range): number => squaredError(d, range, levels, stands);
  return { ...searchRange(outer, cost, finest, o.symmetry === 'symmetric'), searched: true };
};

/** The range [-m, m] that holds a range. */
export const symmetricRange = ({ lo, hi }: Range): Range => {
  const m = Math.max(Math.abs(lo), Math.abs(hi));
  return { lo: -m, hi: m };
};

/**
 * A range between means of bins, widened to whole bins. Bins are as wide as all features together need them: a
 * feature that is small beside others may lie in one bin, whose mean alone would tell nothing of its width.
 */
const wholeBins = (h: Bins, { lo, hi }: Range): Range => {
  if (!(h.hi > h.lo)) return { lo, hi };
  const binOf = binIndex(h);
  // Bins outside of the core are as wide as the farthest value is away, which says nothing of the feature.
  const { core = h } = h;
  return {
    lo: lo < core.lo ? lo : Math.min(lo, binEdges(h, binOf(lo)).lo),
    hi: hi > core.hi ? hi : Math.max(hi, binEdges(h, binOf(hi)).hi),
  };
};

/*
 * How much it matters to a layer that a value is off. To first order, an error e of x changes an output by e * phi'(x),
 * and the squared error of all outputs together is e^2 times the sum of phi'(x)^2 over the edges that read x. That sum is
 * the weight of a value in the search for ranges and cells with the least error of what layers compute.
 */

/** Pieces of the range in which slopes are taken. */
const PIECES = 64;

/** Evaluations of edges up to which slopes are taken in so many pieces; for larger layers in fewer, or not at all. */
const MOST_EVALUATIONS = 2 ** 27;

/** Fewer pieces than this say little about a function. */
const FEWEST_PIECES = 16;

/**
 * Weights for the values of a code point, from the layers that read them as they are and directly; undefined where
 * there are none, or where they are too large to be evaluated that often.
 */
export const layerSlopes = (graph: Graph, point: CodePoint, h: Calibrated): Weigh | undefined => {
  const definitions = definitionsOf(graph);
  const features = h.counts.length / h.bins;
  const layers = point.layers.filter(({ name, asItIs }) => {
    const operand = definitions.get(definitions.get(name)?.operands[0] ?? point.name);
    return asItIs && operand?.op.kind === 'observe' && operand.operands[0] === point.name;
  });
  const edges = layers.reduce((n, { attrs }) => n + edgesOf(attrs, features), 0);
  if (edges === 0 || !(h.hi > h.lo)) return undefined;
  const pieces = Math.min(PIECES, Math.floor(MOST_EVALUATIONS / edges));
  if (pieces < FEWEST_PIECES) return undefined;
  const weights = new Float64Array(features * pieces);
  for (const { attrs } of layers) addSlopes(attrs, features, h, pieces, weights);
  const perUnit = pieces / (h.hi - h.lo);
  return (feature, value) => {
    const piece = Math.max(0, Math.min(pieces - 1, Math.floor((value - h.lo) * perUnit)));
    return weights[feature * pieces + piece]!;
  };
};

/** The inputs of a layer that read one channel: 1, or the places of a window. */
const tapsOf = ({ window }: KanAttrs): number =>
  window === undefined ? 1 : window.kernel[0] * window.kernel[1];

const edgesOf = (layer: KanAttrs, features: number): number =>
  features * tapsOf(layer) * layer.branches[0]!.weights.shape[2]!;

/** Adds to [features, pieces] the squared slopes of all edges of a layer, from one end of every piece to the other. */
const addSlopes = (
  layer: KanAttrs,
  features: number,
  { lo, hi }: Calibrated,
  pieces: number,
  weights: Float64Array,
): void => {
  const branches = layer.branches.map(branchEvaluator);
  const outputs = layer.branches[0]!.weights.shape[2]!;
  const taps = tapsOf(layer);
  const width = (hi - lo) / pieces;
  let before = new Float64Array(outputs);
  let here = new Float64Array(outputs);
  for (let i = 0; i < features * taps; i++) {
    const row = Math.floor(i / taps) * pieces;
    for (let p = 0; p <= pieces; p++) {
      here.fill(0);
      for (const b of branches) accumulateInput(b, i, lo + p * width, here);
      for (let o = 0; p > 0 && o < outputs; o++) {
        const slope = (here[o]! - before[o]!) / width;
        // Symbolic functions may have poles.
        if (Number.isFinite(slope)) weights[row + p - 1]! += slope * slope;
      }
      [before, here] = [here, before];
    }
  }
};
