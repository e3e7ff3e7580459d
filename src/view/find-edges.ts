/** Finds the layers in the graphs of a pipeline: functions before tabulation, tables of the last graph. */
import { rewrite } from '../ir/builder.js';
import { definitionsOf, type Graph, typesOf, type ValueName } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { layerInputs } from '../ir/ops/layers.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { decodeValue } from '../ir/quantizer.js';
import { channelsOf, levelsOf, type ValueType } from '../ir/types.js';
import { type LayerSite, siteOf } from '../passes/layer-site.js';
import { type CodedChannel, resolveCoded } from '../passes/tabulate/coded.js';
import { type Channel, type EdgeSource, functionsOf, type Point, tableFormOf } from './edge-source.js';
import { followTables } from './follow-tables.js';

/** Points of a channel beyond which those of one code are taken together. */
const MOST_POINTS = 256;

/** Values without data to weigh them. */
const SPAN = 64;

const spanOf = ([lo, hi]: readonly [number, number]): ReadonlyArray<Point> =>
  Array.from({ length: SPAN }, (_, k) => ({ x: lo + ((hi - lo) * k) / (SPAN - 1), code: -1, weight: 1 }));

/** Points of one code as one, at their mean. */
const merged = (points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  if (points.length <= MOST_POINTS) return points;
  const sums = new Map<number, { weight: number; sum: number }>();
  for (const { code, x, weight } of points) {
    const known = sums.get(code) ?? { weight: 0, sum: 0 };
    sums.set(code, { weight: known.weight + weight, sum: known.sum + weight * x });
  }
  return [...sums].map(([code, { weight, sum }]) => ({ code, weight, x: sum / weight }));
};

const codedChannel = (coded: CodedChannel, levels: number, whole: boolean): Channel => {
  const points: Point[] = [];
  coded.eachBin((code, x, weight) => points.push({ code, x, weight }));
  const values = Array.from({ length: levels }, (_, c) => coded.middle(c));
  const observed = points.length > 0;
  return {
    observed,
    values,
    points: observed
      ? whole
        ? points
        : merged(points)
      : values.map((_, code) => ({ code, x: coded.value(code), weight: 1 })),
  };
};

/** Edges up to which every bin of the calibration is a point of its own. */
const WHOLE_EDGES = 2 ** 17;

interface Site extends LayerSite {
  readonly name: string;
}

/** The layers of a quantized graph, with the codes that they read: what `tabulate` sees. */
const sitesOf = (graph: Graph): ReadonlyArray<Site> => {
  const sites: Site[] = [];
  const statistics = new Map<ValueName, ObserveAttrs>();
  const definitions = definitionsOf(graph);
  rewrite<'table'>(graph, 'table', (node, r) => {
    const { op, operands } = node;
    if (op.kind === 'kan') {
      const coded = resolveCoded(r.of(operands[0]!), r, statistics);
      if (coded !== undefined) sites.push({ ...siteOf(op.attrs, coded), name: node.name });
    }
    const kept = r.keep(node);
    const observed = definitions.get(operands[0]!);
    if (op.kind === 'quantize' && observed?.op.kind === 'observe') statistics.set(kept, observed.op.attrs);
    return kept;
  });
  return sites;
};

const isOf = (value: string, layer: string): boolean =>
  value.startsWith(layer) && /^_acc\d*$/.test(value.slice(layer.length));

/** `tables`: the table graphs of the pipeline, in order. */
const fromSite = (site: Site, tables: ReadonlyArray<Graph>): EdgeSource => {
  const { layer, inputs, outputs, coded } = site;
  const area = layer.window === undefined ? 1 : layer.window.kernel[0] * layer.window.kernel[1];
  const whole = inputs * outputs <= WHOLE_EDGES;
  const channels = coded.channels.map((c) => codedChannel(c, coded.levels, whole));
  const channelOf = (i: number): number => Math.floor(i / area);
  const value = functionsOf(layer);
  const node = tables[0]?.nodes.find(({ name }) => isOf(name, site.name));
  const followed = node === undefined ? undefined : followTables(tables, node);
  const made = followed?.form;
  const form = made !== undefined && made.inputs === inputs && made.outputs === outputs ? made : undefined;
  return {
    name: site.name,
    inputs,
    outputs,
    groups: layer.window?.groups ?? 1,
    channels,
    channelOf,
    value,
    ...(followed === undefined ? {} : { removedEdges: followed.removed, isLast: followed.isLast }),
    form: form?.form ?? 'codes',
    table: form?.table ?? ((i, code, out) => value(i, coded.channels[channelOf(i)]?.value(code) ?? 0, out)),
  };
};

/** Where the functions of a layer live, when no data tells it: the grid of its splines or centers. */
const gridOf = (layer: KanAttrs): readonly [number, number] => {
  for (const { basis } of layer.branches) {
    if (basis._tag === 'bspline') {
      const count = basis.knots.shape[1] ?? 0;
      return [basis.knots.data[basis.order] ?? -1, basis.knots.data[count - 1 - basis.order] ?? 1];
    }
    if (basis._tag === 'rbf') {
      return [basis.centers.data[0] ?? -1, basis.centers.data[basis.centers.data.length - 1] ?? 1];
    }
  }
  return [-1, 1];
};

const observedChannel = (stats: ObserveAttrs, c: number): Channel => {
  const bins = stats.counts.shape[1] ?? 0;
  const points: Point[] = [];
  for (let b = c * bins; b < (c + 1) * bins; b++) {
    const weight = stats.counts.data[b] ?? 0;
    if (weight > 0) points.push({ x: stats.means.data[b] ?? 0, code: -1, weight });
  }
  const observed = stats.samples > 0 && points.length > 0;
  return observed
    ? { points, observed, values: [] }
    : { points: spanOf([stats.lo, stats.hi]), observed: false, values: [], range: [stats.lo, stats.hi] };
};

/** The layers of a float graph. */
const fromFloat = (graph: Graph): ReadonlyArray<EdgeSource> => {
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  return graph.nodes.flatMap(({ name, op, operands }): ReadonlyArray<EdgeSource> => {
    const operand = types.get(operands[0]!);
    if (op.kind !== 'kan' || operand === undefined) return [];
    const layer = op.attrs;
    const area = layer.window === undefined ? 1 : layer.window.kernel[0] * layer.window.kernel[1];
    const before = definitions.get(operands[0]!)?.op;
    const range = gridOf(layer);
    const channels = Array.from({ length: channelsOf(operand) }, (_, c) =>
      before?.kind === 'observe'
        ? observedChannel(before.attrs, c)
        : { points: spanOf(range), observed: false, values: [], range },
    );
    return [
      {
        name,
        inputs: layerInputs(operand.shape, layer.window),
        outputs: layer.branches[0]?.weights.shape[2] ?? 0,
        groups: layer.window?.groups ?? 1,
        channels,
        channelOf: (i) => Math.floor(i / area),
        form: 'none',
        value: functionsOf(layer),
      },
    ];
  });
};

const tableChannel = (type: ValueType, c: number): Channel => {
  const { meaning } = type;
  const values = Array.from({ length: levelsOf(type) }, (_, code) =>
    meaning === undefined || meaning._tag === 'scaled' ? code : decodeValue(meaning, c, code),
  );
  return { values, observed: false, points: values.map((x, code) => ({ x, code, weight: 1 })) };
};

/** The layers of a table graph, where the network behind it is not known. */
const fromTables = (graph: Graph): ReadonlyArray<EdgeSource> => {
  const types = typesOf(graph);
  return graph.nodes.flatMap((node): ReadonlyArray<EdgeSource> => {
    const made = tableFormOf(node);
    const operand = types.get(node.operands[0]!);
    if (made === undefined || operand === undefined) return [];
    const area = made.inputs / channelsOf(operand);
    const channels = Array.from({ length: channelsOf(operand) }, (_, c) => tableChannel(operand, c));
    return [{ ...made, name: node.name, channels, channelOf: (i) => Math.floor(i / area) }];
  });
};

/**
 * The layers of a pipeline, from the graph as it came to the last. Where the float network is known, inputs and outputs are
 * those before `prune`: it shows what was removed.
 */
export const findEdges = (graphs: ReadonlyArray<Graph>): ReadonlyArray<EdgeSource> => {
  const quantized = graphs.findLast((g) => g.level === 'quantized');
  const tables = graphs.filter((g) => g.level === 'table');
  if (quantized !== undefined) return sitesOf(quantized).map((site) => fromSite(site, tables));
  const float = graphs.findLast((g) => g.level === 'float');
  if (float !== undefined) return fromFloat(float);
  const last = tables.at(-1);
  return last === undefined ? [] : fromTables(last);
};
