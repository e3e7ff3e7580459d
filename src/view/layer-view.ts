/** Layers as the page has them: a few edges in full, the shape of many, scores of all, within a budget of bytes. */

import { type EdgeScores, edgeScores } from './edge-scores.js';
import type { Channel, EdgeSource } from './edge-source.js';
import type { ChannelView, EdgeView, LayerView, StepsView } from './model.js';
import { brief, pack } from './pack.js';
import { distribution, scoreCodes, scoreMap, topOf } from './score-codes.js';

/** What all layers together may hold. A page should weigh less than 5 MB, base64 makes a third more of bytes. */
const BUDGET = {
  /** Edges in full, by error and by importance each. */
  details: 320,
  /** Bytes of outlines. */
  outlines: 1.2e6,
  /** Edges with scores of their own. */
  scores: 4e5,
  /** Channels with histograms. */
  channels: 8192,
} as const;

const FEWEST_DETAILS = 10;
const MOST_DETAILS = 160;
const CURVE_POINTS = 97;
const OUTLINE_POINTS = { most: 20, fewest: 8 } as const;
const BINS = 48;
const MOST_STEPS = 256;

const edgesOf = ({ inputs, outputs }: EdgeSource): number => inputs * outputs;

/** The range that is drawn: what was observed, and what codes stand for. */
const rangeOf = ({ points, values, range, observed }: Channel): readonly [number, number] => {
  if (range !== undefined) return range;
  const xs = observed ? points.map(({ x }) => x) : [];
  const all = [...xs, ...values, ...(xs.length + values.length === 0 ? points.map(({ x }) => x) : [])];
  const lo = all.reduce((a, x) => Math.min(a, x), Number.POSITIVE_INFINITY);
  const hi = all.reduce((a, x) => Math.max(a, x), Number.NEGATIVE_INFINITY);
  return hi > lo ? [lo, hi] : [lo - 0.5, lo + 0.5];
};

const histogramOf = ({ points }: Channel, [lo, hi]: readonly [number, number]): Uint8Array => {
  const counts = new Float64Array(BINS);
  for (const { x, weight } of points) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(((x - lo) / (hi - lo)) * BINS)));
    counts[bin]! += weight;
  }
  const most = counts.reduce((a, c) => Math.max(a, c), 1);
  // A bin that holds anything is seen.
  return Uint8Array.from(counts, (c) => Math.ceil((255 * c) / most));
};

/** The codes whose values are drawn, in the order of their values. */
const stepCodes = ({ values }: Channel): ReadonlyArray<number> => {
  const order = values.map((_, code) => code).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
  const every = Math.ceil(order.length / MOST_STEPS);
  return order.filter((_, k) => k % every === 0);
};

/** Values at equal distances, as those of uniform quantizers are but for rounding, by their ends. */
const stepsView = (values: ReadonlyArray<number>): StepsView => {
  const [first, last, count] = [values[0] ?? 0, values.at(-1) ?? 0, values.length];
  const each = (last - first) / Math.max(1, count - 1);
  return values.every((v, k) => Math.abs(v - first - k * each) <= 1e-3 * each)
    ? { _tag: 'equal', first: brief(first), last: brief(last), count }
    : { _tag: 'list', values: pack(Float32Array.from(values)) };
};

/** Channels, with equal lists of steps once. */
const channelViews = (
  source: EdgeSource,
  ranges: ReadonlyArray<readonly [number, number]>,
): { readonly channels: ReadonlyArray<ChannelView>; readonly steps: ReadonlyArray<StepsView> } => {
  const steps: StepsView[] = [];
  const known = new Map<string, number>();
  const stepsOf = (channel: Channel): number => {
    const found = stepsView(stepCodes(channel).map((code) => channel.values[code] ?? 0));
    const key = JSON.stringify(found);
    const at = known.get(key) ?? steps.length;
    if (at === steps.length) steps.push(found);
    known.set(key, at);
    return at;
  };
  const channels = source.channels.map((channel, c): ChannelView => {
    const range = ranges[c] ?? [0, 1];
    return {
      lo: brief(range[0]),
      hi: brief(range[1]),
      ...(channel.observed && c < BUDGET.channels ? { histogram: pack(histogramOf(channel, range)) } : {}),
      ...(channel.values.length > 0 && c < BUDGET.channels ? { steps: stepsOf(channel) } : {}),
    };
  });
  return { channels, steps };
};

const sampled = (source: EdgeSource, i: number, [lo, hi]: readonly [number, number], points: number) => {
  const out = new Float64Array(source.outputs);
  return Array.from({ length: points }, (_, k) => {
    source.value?.(i, lo + ((hi - lo) * k) / (points - 1), out);
    return out.slice();
  });
};

const finite = (x: number | undefined): number => (x !== undefined && Number.isFinite(x) ? x : 0);

/** Edges in full. Edges of one input are evaluated together. */
const detailViews = (
  source: EdgeSource,
  scores: EdgeScores,
  ranges: ReadonlyArray<readonly [number, number]>,
  wanted: ReadonlyArray<number>,
): ReadonlyArray<EdgeView> => {
  const { outputs, channelOf, channels } = source;
  const inputs = [...new Set(wanted.map((e) => Math.floor(e / outputs)))];
  const views = inputs.flatMap((i) => {
    const c = channelOf(i);
    const channel = channels[c];
    const range = ranges[c];
    if (channel === undefined || range === undefined) return [];
    const curve = source.value === undefined ? undefined : sampled(source, i, range, CURVE_POINTS);
    const out = new Float64Array(outputs);
    const table =
      source.table === undefined || channel.values.length === 0
        ? undefined
        : stepCodes(channel).map((code) => {
            source.table?.(i, code, out);
            return out.slice();
          });
    return wanted
      .filter((e) => Math.floor(e / outputs) === i)
      .map((edge): EdgeView => {
        const o = edge % outputs;
        const offset = scores.offset[edge] ?? 0;
        return {
          edge,
          error: brief(scores.error[edge] ?? 0),
          importance: brief(scores.importance[edge] ?? 0),
          dead: scores.dead[edge] === 1,
          ...(curve === undefined ? {} : { curve: pack(Float32Array.from(curve, (v) => finite(v[o]))) }),
          ...(table === undefined
            ? {}
            : { table: pack(Float32Array.from(table, (v) => finite(v[o]) + offset)) }),
        };
      });
  });
  return views.sort((a, b) => a.edge - b.edge);
};

/** The shape of every edge, each in its own range. */
const outlinesOf = (
  source: EdgeSource,
  ranges: ReadonlyArray<readonly [number, number]>,
  points: number,
): NonNullable<LayerView['outlines']> => {
  const { inputs, outputs, channelOf, channels } = source;
  const values = new Uint8Array(inputs * outputs * points);
  const [los, his] = [new Float32Array(inputs * outputs), new Float32Array(inputs * outputs)];
  const out = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    const c = channelOf(i);
    const range = ranges[c] ?? [0, 1];
    const channel = channels[c];
    const drawn =
      source.value !== undefined
        ? sampled(source, i, range, points)
        : Array.from({ length: points }, (_, k) => {
            const codes = channel?.values.length ?? 0;
            source.table?.(i, Math.round((k * Math.max(0, codes - 1)) / (points - 1)), out);
            return out.slice();
          });
    for (let o = 0; o < outputs; o++) {
      const e = i * outputs + o;
      const ys = drawn.map((v) => finite(v[o]));
      const [lo, hi] = [Math.min(...ys), Math.max(...ys)];
      los[e] = lo;
      his[e] = hi;
      const inverse = hi > lo ? 255 / (hi - lo) : 0;
      for (const [k, y] of ys.entries()) values[e * points + k] = Math.round((y - lo) * inverse);
    }
  }
  return { points, values: pack(values), lo: pack(los), hi: pack(his) };
};

/** Bytes of one outline besides its points: its range. */
const OUTLINE_HEAD = 8;

const layerView = (source: EdgeSource, layers: number, edges: number): LayerView => {
  const { name, inputs, outputs, groups, form } = source;
  const scores = edgeScores(source);
  const ranges = source.channels.map(rangeOf);
  const each = Math.max(FEWEST_DETAILS, Math.min(MOST_DETAILS, Math.floor(BUDGET.details / layers)));
  const wanted = new Set([...topOf(scores.error, each), ...topOf(scores.importance, each)]);
  const points = Math.min(OUTLINE_POINTS.most, Math.floor(BUDGET.outlines / edges) - OUTLINE_HEAD);
  const codes = { error: scoreCodes(scores.error), importance: scoreCodes(scores.importance) };
  const [error, importance] = [
    scoreMap(codes.error, inputs, outputs),
    scoreMap(codes.importance, inputs, outputs),
  ];
  return {
    name,
    inputs,
    outputs,
    groups,
    source: source.value === undefined ? 'tables' : 'functions',
    form,
    channelOf: pack(Int32Array.from({ length: inputs }, (_, i) => source.channelOf(i))),
    ...channelViews(source, ranges),
    ...deadOf(scores, inputs, outputs),
    removedEdges: source.removedEdges ?? 0,
    isLast: source.isLast ?? true,
    error: distribution(scores.error),
    importance: distribution(scores.importance),
    ...(edges > BUDGET.scores
      ? {}
      : {
          scores: { error: pack(codes.error), importance: pack(codes.importance), dead: pack(scores.dead) },
        }),
    ...(points < OUTLINE_POINTS.fewest ? {} : { outlines: outlinesOf(source, ranges, points) }),
    map: {
      rows: error.rows,
      columns: error.columns,
      error: pack(error.codes),
      importance: pack(importance.codes),
    },
    details: detailViews(
      source,
      scores,
      ranges,
      [...wanted].sort((a, b) => a - b),
    ),
  };
};

const deadOf = ({ dead }: EdgeScores, inputs: number, outputs: number) => {
  let [deadInputs, deadEdges] = [0, 0];
  for (let i = 0; i < inputs; i++) {
    const count = dead.subarray(i * outputs, (i + 1) * outputs).reduce((n, d) => n + d, 0);
    deadEdges += count;
    if (count === outputs) deadInputs++;
  }
  return { deadInputs, deadEdges };
};

export const layerViews = (sources: ReadonlyArray<EdgeSource>): ReadonlyArray<LayerView> => {
  const edges = sources.reduce((n, s) => n + edgesOf(s), 0);
  return sources.map((source) => layerView(source, sources.length, Math.max(1, edges)));
};
