/** The edges of a layer, as far as the page knows each: in full, as an outline, or by its scores alone. */
import { type EdgeView, type LayerView, SCORE_DECADES, type StepsView } from '../../src/view/model.js';
import { type Numbers, unpack } from './unpack.js';

export const SORTS = ['error', 'importance', 'relative', 'position'] as const;
export type Sort = (typeof SORTS)[number];

export const SORT_TITLES: Readonly<Record<Sort, string>> = {
  error: 'Error',
  importance: 'Importance',
  relative: 'Relative',
  position: 'Position',
};

export interface Shape {
  /** Values at equal distances from lo to hi of the channel. */
  readonly curve: ArrayLike<number>;
  readonly full: boolean;
  readonly table: ArrayLike<number> | undefined;
}

export interface EdgeData {
  readonly layer: LayerView;
  /** Whether functions and tables are both known, so that there are errors. */
  readonly compared: boolean;
  readonly count: number;
  /** The edges that something can be drawn of, all in the order of their position. */
  readonly drawable: ReadonlyArray<number> | undefined;
  readonly detail: (edge: number) => EdgeView | undefined;
  readonly error: (edge: number) => number;
  readonly importance: (edge: number) => number;
  readonly dead: (edge: number) => boolean;
  readonly shape: (edge: number) => Shape | undefined;
  readonly channel: (edge: number) => LayerView['channels'][number] | undefined;
  readonly steps: (edge: number) => Numbers | undefined;
  readonly histogram: (edge: number) => Numbers | undefined;
}

/** The value that a score of one byte stands for: exact to a few percent. */
export const scoreValue = (code: number, max: number): number =>
  code === 0 ? 0 : max * 10 ** (((code - 1) / 254 - 1) * SCORE_DECADES);

const stepValues = (steps: StepsView): Numbers => {
  if (steps._tag === 'list') return unpack(steps.values);
  const { first, last, count } = steps;
  return Float32Array.from(
    { length: count },
    (_, k) => first + ((last - first) * k) / Math.max(1, count - 1),
  );
};

const make = (layer: LayerView): EdgeData => {
  const count = layer.inputs * layer.outputs;
  const details = new Map(layer.details.map((view) => [view.edge, view]));
  const score =
    (of: 'error' | 'importance') =>
    (edge: number): number => {
      const exact = details.get(edge);
      if (exact !== undefined) return exact[of];
      return layer.scores === undefined ? 0 : scoreValue(unpack(layer.scores[of])[edge] ?? 0, layer[of].max);
    };
  const channel = (edge: number) =>
    layer.channels[unpack(layer.channelOf)[Math.floor(edge / layer.outputs)] ?? 0];
  const outline = (edge: number): Float32Array | undefined => {
    if (layer.outlines === undefined) return undefined;
    const { points } = layer.outlines;
    const [values, lo, hi] = [
      unpack(layer.outlines.values),
      unpack(layer.outlines.lo),
      unpack(layer.outlines.hi),
    ];
    const [least, span] = [lo[edge] ?? 0, (hi[edge] ?? 0) - (lo[edge] ?? 0)];
    return Float32Array.from(
      { length: points },
      (_, k) => least + ((values[edge * points + k] ?? 0) * span) / 255,
    );
  };
  const steps = (edge: number): Numbers | undefined => {
    const at = channel(edge)?.steps;
    const steps = at === undefined ? undefined : layer.steps[at];
    return steps === undefined ? undefined : stepValues(steps);
  };
  const curveOfTable = (view: EdgeView): ArrayLike<number> =>
    view.table === undefined ? [] : unpack(view.table);
  return {
    layer,
    compared: layer.source === 'functions' && layer.form !== 'none',
    count,
    drawable: layer.outlines === undefined ? [...details.keys()] : undefined,
    detail: (edge) => details.get(edge),
    error: score('error'),
    importance: score('importance'),
    dead: (edge) =>
      details.get(edge)?.dead ?? (layer.scores !== undefined && unpack(layer.scores.dead)[edge] === 1),
    shape: (edge) => {
      const view = details.get(edge);
      if (view !== undefined) {
        const table = view.table === undefined ? undefined : unpack(view.table);
        return {
          curve: view.curve === undefined ? curveOfTable(view) : unpack(view.curve),
          full: true,
          table,
        };
      }
      const curve = outline(edge);
      return curve === undefined ? undefined : { curve, full: false, table: undefined };
    },
    channel,
    steps,
    histogram: (edge) => {
      const packed = channel(edge)?.histogram;
      return packed === undefined ? undefined : unpack(packed);
    },
  };
};

const cache = new WeakMap<LayerView, EdgeData>();

export const edgeData = (layer: LayerView): EdgeData => {
  const known = cache.get(layer);
  if (known !== undefined) return known;
  const data = make(layer);
  cache.set(layer, data);
  return data;
};

const keyOf = ({ error, importance }: EdgeData, sort: Sort): ((edge: number) => number) => {
  if (sort === 'error') return error;
  if (sort === 'importance') return importance;
  return (edge) => error(edge) / Math.max(1e-12, importance(edge));
};

/** What of the edges is listed. */
export interface Filter {
  readonly sort: Sort;
  readonly dead: boolean;
  /** Undefined: all. */
  readonly input: number | undefined;
  readonly output: number | undefined;
}

export const orderedEdges = (data: EdgeData, { sort, dead, input, output }: Filter): Uint32Array => {
  const { outputs } = data.layer;
  const all = data.drawable ?? Uint32Array.from({ length: data.count }, (_, e) => e);
  const edges = Uint32Array.from(all).filter(
    (e) =>
      (dead || !data.dead(e)) &&
      (input === undefined || Math.floor(e / outputs) === input) &&
      (output === undefined || e % outputs === output),
  );
  if (sort === 'position') return edges.sort();
  const key = keyOf(data, sort);
  const keys = new Float64Array(data.count);
  for (const e of edges) keys[e] = key(e);
  return edges.sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || a - b);
};
