/**
 * How much it matters to a layer that a value is off. To first order, an error e of x changes an output by e * phi'(x),
 * and the squared error of all outputs together is e^2 times the sum of phi'(x)^2 over the edges that read x. That sum is
 * the weight of a value in the search for ranges and cells with the least error of what layers compute.
 */
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { definitionsOf, type Graph } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { Calibrated, Weigh } from './choose-range.js';
import type { CodePoint } from './code-points.js';

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
