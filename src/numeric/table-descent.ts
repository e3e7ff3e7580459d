/**
 * Rounding the entries of a layer together: coordinate descent on
 *
 *     |R|^2 + penalty |T - towards|^2
 *
 * over integer tables T, for R the residuals of the samples; one entry of all outputs after the other takes the best
 * integer given all others. The penalty is that of ridge regression, so that what samples do not tell stays as it was. The
 * first sweep starts from the unrounded table, so that an entry sees the rounding errors of those before it: error
 * feedback, as in GPTQ (Frantar et al., arXiv 2210.17323), with the residuals themselves in place of their propagation
 * through an inverse Hessian. Later sweeps choose again, as AdaRound does (Nagel et al., arXiv 2004.10568), by descent
 * in place of a relaxation.
 */
import type { CodeLists } from './code-lists.js';
import { type CodedLayer, type Features, featureRow } from './coded-layer.js';
import { type MovableRows, movableRows } from './movable-rows.js';
import { addRow } from './rows.js';
import { nearestEntry } from './table-scale.js';

export interface Descent {
  /** [inputs, entries, outputs]: where the penalty pulls, in units of an entry. */
  readonly towards: Float32Array;
  readonly penalty: number;
  readonly sweeps: number;
  /** Entries are integers of at most this magnitude. */
  readonly top: number;
}

/**
 * The rounded table, [inputs, entries, outputs]. `residual`, [samples, outputs], is that of `towards` and becomes that
 * of the result.
 */
export const roundTogether = (
  layer: CodedLayer,
  lists: CodeLists,
  residual: Float64Array,
  options: Descent,
): Float32Array => {
  const table = options.towards.slice();
  const rows = movableRows(layer, lists, residual);
  const { features } = layer;
  const step =
    features === undefined
      ? codeStep(layer, rows, table, options)
      : featureStep(layer, features, rows, table, options);
  for (let sweep = 0; sweep < options.sweeps; sweep++) {
    for (let i = 0; i < layer.inputs; i++) step(i);
  }
  rows.finish();
  // Codes that no sample has were passed over.
  for (let e = 0; e < table.length; e++) table[e] = nearestEntry(table[e]!, options.top);
  return table;
};

/** Rounds the entries of an input and moves the residuals by what changed. */
type Step = (input: number) => void;

/** Entries of codes do not meet in a sample, so each is chosen by itself: a parabola's best integer is the nearest to its end. */
const codeStep = (
  { levels, outputs }: CodedLayer,
  rows: MovableRows,
  table: Float32Array,
  { towards, penalty, top }: Descent,
): Step => {
  const changes = new Float64Array(levels * outputs);
  return (i) => {
    const first = i * levels * outputs;
    rows.eachSum(i, (code, count, sums) => {
      const weight = count + penalty;
      for (let o = 0, e = code * outputs; o < outputs; o++, e++) {
        const now = table[first + e]!;
        const entry = nearestEntry(now + (sums[o]! + penalty * (towards[first + e]! - now)) / weight, top);
        table[first + e] = entry;
        changes[e] = entry - now;
      }
    });
    rows.moveEach(i, (code, move) => {
      for (let o = 0; o < outputs; o++) move[o] = changes[code * outputs + o]!;
    });
  };
};

/** The entries of an input meet in every sample: after each, the slopes of those behind it are those of what is left. */
const featureStep = (
  layer: CodedLayer,
  features: Features,
  rows: MovableRows,
  table: Float32Array,
  { towards, penalty, top }: Descent,
): Step => {
  const { entries, outputs } = layer;
  const { values } = features;
  const normal = new Float64Array(entries * entries);
  const slopes = new Float64Array(entries * outputs);
  const changes = new Float64Array(entries * outputs);
  return (i) => {
    normal.fill(0);
    slopes.fill(0);
    rows.eachSum(i, (code, count, sums) => {
      const at = featureRow(layer, features, i, code);
      for (let k = 0; k < entries; k++) {
        const v = values[at + k]!;
        if (v === 0) continue;
        addRow(normal, k * entries, values, at, count * v, entries);
        addRow(slopes, k * outputs, sums, 0, v, outputs);
      }
    });
    const first = i * entries * outputs;
    for (let k = 0; k < entries; k++) {
      const weight = normal[k * entries + k]! + penalty;
      for (let o = 0, e = k * outputs; o < outputs; o++, e++) {
        const now = table[first + e]!;
        const best = weight > 0 ? (slopes[e]! + penalty * (towards[first + e]! - now)) / weight : 0;
        table[first + e] = nearestEntry(now + best, top);
        changes[e] = table[first + e]! - now;
      }
      for (let l = k + 1; l < entries; l++) {
        const shared = normal[k * entries + l]!;
        if (shared !== 0) addRow(slopes, l * outputs, changes, k * outputs, -shared, outputs);
      }
    }
    rows.moveEach(i, (code, move) => {
      const at = featureRow(layer, features, i, code);
      for (let k = 0; k < entries; k++) {
        const v = values[at + k]!;
        if (v !== 0) addRow(move, 0, changes, k * outputs, v, outputs);
      }
    });
  };
};
