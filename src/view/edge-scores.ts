/**
 * How much every edge matters and how far its table is from it.
 *
 * Importance is the standard deviation of what the edge adds to its output, over the calibration inputs; error is the
 * root of the mean squared difference between function and table over them. The constant of an edge is in the bias of the
 * layer, so tables are compared where they fit best: moved by the mean difference.
 */
import type { Channel, EdgeSource } from './edge-source.js';

export interface EdgeScores {
  /** For each edge, input * outputs + output. */
  readonly error: Float32Array;
  readonly importance: Float32Array;
  /** 1 where the edge adds the same at every code: it is gone, or its input is. */
  readonly dead: Uint8Array;
  /** What is added to the table for it to fit the function best. */
  readonly offset: Float32Array;
}

/** Sums over the points of one input, for every output. */
interface Sums {
  readonly value: Float64Array;
  readonly value2: Float64Array;
  readonly difference: Float64Array;
  readonly difference2: Float64Array;
}

const sumsOf = (outputs: number): Sums => ({
  value: new Float64Array(outputs),
  value2: new Float64Array(outputs),
  difference: new Float64Array(outputs),
  difference2: new Float64Array(outputs),
});

/** Adds weighted sums over the points of input `i` and gives the sum of the weights. */
const addPoints = (
  { value, table, outputs }: EdgeSource,
  i: number,
  { points }: Channel,
  sums: Sums,
  f: Float64Array,
  t: Float64Array,
): number => {
  let total = 0;
  for (const { x, code, weight } of points) {
    if (table !== undefined && code >= 0) table(i, code, t);
    if (value !== undefined) value(i, x, f);
    else f.set(t);
    total += weight;
    for (let o = 0; o < outputs; o++) {
      const v = f[o]!;
      // Symbolic functions have poles: a point at one says nothing.
      if (!Number.isFinite(v)) continue;
      const d = table === undefined ? 0 : v - t[o]!;
      sums.value[o]! += weight * v;
      sums.value2[o]! += weight * v * v;
      sums.difference[o]! += weight * d;
      sums.difference2[o]! += weight * d * d;
    }
  }
  return total;
};

/** Whether every output gets the same at every code, for each output: 1 or 0. */
const deadOutputs = (source: EdgeSource, i: number, levels: number, first: Float64Array, t: Float64Array) => {
  const dead = new Uint8Array(source.outputs);
  if (source.table === undefined || levels === 0) return dead;
  dead.fill(1);
  source.table(i, 0, first);
  for (let code = 1; code < levels; code++) {
    source.table(i, code, t);
    for (let o = 0; o < source.outputs; o++) if (t[o] !== first[o]) dead[o] = 0;
  }
  return dead;
};

const spread = (sum: number, sum2: number, total: number): number =>
  Math.sqrt(Math.max(0, sum2 / total - (sum / total) ** 2));

export const edgeScores = (source: EdgeSource): EdgeScores => {
  const { inputs, outputs, channels, channelOf } = source;
  const scores: EdgeScores = {
    error: new Float32Array(inputs * outputs),
    importance: new Float32Array(inputs * outputs),
    dead: new Uint8Array(inputs * outputs),
    offset: new Float32Array(inputs * outputs),
  };
  const [f, t] = [new Float64Array(outputs), new Float64Array(outputs)];
  const sums = sumsOf(outputs);
  for (let i = 0; i < inputs; i++) {
    const channel = channels[channelOf(i)];
    if (channel === undefined) continue;
    for (const s of Object.values(sums)) s.fill(0);
    const total = Math.max(1e-300, addPoints(source, i, channel, sums, f, t));
    scores.dead.set(deadOutputs(source, i, channel.values.length, f, t), i * outputs);
    for (let o = 0; o < outputs; o++) {
      const e = i * outputs + o;
      scores.importance[e] = spread(sums.value[o]!, sums.value2[o]!, total);
      scores.error[e] = spread(sums.difference[o]!, sums.difference2[o]!, total);
      scores.offset[e] = sums.difference[o]! / total;
    }
  }
  return scores;
};
