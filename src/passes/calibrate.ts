/** Records, in the graph, what values get codes: ranges and histograms from data, behind every code point. */
import * as E from 'fp-ts/lib/Either.js';
import { graphCost } from '../analyses/graph-cost.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { samplesAtOnce } from '../ir/batches.js';
import { builder } from '../ir/builder.js';
import { constant } from '../ir/constant.js';
import { F32, uint } from '../ir/element.js';
import type { Graph, ValueName } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import type { Op } from '../ir/ops/index.js';
import type { Tensor } from '../ir/tensor.js';
import { channelsOf, innerOf } from '../ir/types.js';
import { type Histogram, histogram } from '../numeric/histogram.js';
import { assumedHistograms } from './assumed-ranges.js';
import { firstGap, judgeData, judgeScale } from './calibration/judge.js';
import { codePoints, frontValues } from './code-points.js';
import { type Dataset, isAmbiguous, spread, toTensor } from './dataset.js';
import { autoIntegerOption, declareOptions, integerOption, textOption } from './options.js';
import { definePass, note, type Remark, warning, withRemarks } from './pass.js';

const { codec, help } = declareOptions({
  data: textOption(
    '.npy file with inputs as the program will get them; without it ranges come from the grid',
  ),
  samples: autoIntegerOption(
    'samples that hidden values are observed over (inputs: all); auto: 1024, fewer for large networks',
    1,
    1e9,
  ),
  // A bin goes to one code as a whole, so that bins must be finer than the cells of 8-bit codes.
  bins: integerOption('bins of the histograms', 2, 65536, 1024),
});

interface CalibrateOptions {
  readonly data: string;
  readonly samples: number | 'auto';
  readonly bins: number;
}

export const calibrate = definePass<'float', 'float', CalibrateOptions>({
  name: 'calibrate',
  summary: 'observes the range and distribution of every value that is to get codes, on data',
  options: codec,
  help,
  files: ({ data }) => (data === '' ? [] : [data]),
  from: 'float',
  to: 'float',
  run: (options, context) => (graph) => {
    const dataset = context.dataset(options.data);
    if (options.data !== '' && dataset === undefined) {
      return fail('K0505', `the data '${options.data}' was not loaded`, { place: { pass: 'calibrate' } });
    }
    if (dataset === undefined) {
      return withRemarks(insert(graph, assumedHistograms(graph, options.bins)), [
        warning(
          'no calibration data: ranges are assumed from the grids and from random inputs; give --calib for better tables',
        ),
      ]);
    }
    const observed = observe(graph, dataset, options);
    if (E.isLeft(observed)) return observed;
    return withRemarks(insert(graph, observed.right.histograms), observed.right.remarks);
  },
});

type Histograms = ReadonlyMap<ValueName, Histogram>;

/** Multiply-accumulates that calibration spends on hidden values when `samples` is auto. */
const WORK = 1e9;
/** Elements of the values of all its samples, most of which are not held at the same time. */
const MOST_ELEMENTS = 2 ** 30;

const sampleCount = (samples: number | 'auto', graph: Graph): number =>
  samples === 'auto'
    ? samplesAtOnce(
        [graph],
        Math.max(4, Math.min(1024, Math.floor(WORK / Math.max(1, graphCost(graph).macs)))),
        MOST_ELEMENTS,
      )
    : samples;

interface Observed {
  readonly histograms: Histograms;
  readonly remarks: ReadonlyArray<Remark>;
}

/** Runs the cheap front of the graph on all samples and the whole of it on the first `samples`. */
const observe = (
  graph: Graph<'float'>,
  dataset: Dataset,
  { samples, bins }: CalibrateOptions,
): Checked<Observed> => {
  const input = graph.inputs[0];
  if (input === undefined || graph.inputs.length > 1) {
    return fail('K0505', 'the pass takes a graph with one input', { place: { pass: 'calibrate' } });
  }
  const all = toTensor(dataset, input.type);
  if (E.isLeft(all)) return all;
  const points = new Map(codePoints(graph).map((p) => [p.name, p]));
  const cheap = frontValues(graph);
  const front: Graph<'float'> = {
    ...graph,
    nodes: graph.nodes.filter((n) => cheap.has(n.name)),
    outputs: [],
  };
  const some = Math.min(sampleCount(samples, graph), all.right.batch);
  const few = spread(all.right, some);

  const histograms = new Map<ValueName, Histogram>();
  const suspicions: Remark[] = [...judgeData(all.right)];
  const take =
    (fromFront: boolean) =>
    (name: ValueName, value: Tensor): void => {
      const point = points.get(name);
      if (point === undefined || cheap.has(name) !== fromFront || !(value.data instanceof Float32Array))
        return;
      suspicions.push(...judgeScale(point, value));
      histograms.set(name, histogram(value.data, channelsOf(value.type), bins, innerOf(value.type)));
    };
  const first = interpret(front, [all.right], take(true));
  if (E.isLeft(first)) return first;
  const second = interpret(graph, [few], take(false));
  if (E.isLeft(second)) return second;

  const remarks: Remark[] = [note(`${all.right.batch} samples, ${some} of them through the whole network`)];
  if (isAmbiguous(dataset.array, input.type.shape)) {
    remarks.push(note('the axes of an image are equally long: the first is taken for its channels'));
  }
  const gap = firstGap(all.right);
  for (const [name, h] of histograms) {
    remarks.push(note(`range [${h.lo.toPrecision(4)}, ${h.hi.toPrecision(4)}]`, name));
    if (h.skipped > 0) {
      const where = gap === undefined || !cheap.has(name) ? '' : ` (the first: ${gap})`;
      remarks.push(warning(`${h.skipped} values are NaN or infinite and were left out${where}`, name));
    }
  }
  return E.right({ histograms, remarks: [...remarks, ...suspicions] });
};

/** Puts an `observe` behind every value with a histogram and lets everything read it from there. */
const insert = (graph: Graph<'float'>, histograms: Histograms): Checked<Graph<'float'>> => {
  const b = builder(graph.name, 'float');
  const renamed = new Map<ValueName, ValueName>();
  const define = (old: ValueName, now: ValueName): void => {
    const h = histograms.get(old);
    renamed.set(old, h === undefined ? now : b.add(`${old}_seen`, observeOp(h), [now]));
  };
  const of = (old: ValueName): ValueName => renamed.get(old) ?? old;
  for (const input of graph.inputs) define(input.name, b.input(input.name, input.type));
  for (const node of graph.nodes) {
    // What an earlier calibration saw is replaced.
    if (node.op.kind === 'observe') renamed.set(node.name, of(node.operands[0]!));
    else define(node.name, b.add(node.name, node.op, node.operands.map(of)));
  }
  return b.build(graph.outputs.map(of));
};

const observeOp = (h: Histogram): Op => {
  const samples = h.counts.reduce((n, c) => n + c, 0) / h.features;
  return {
    kind: 'observe',
    attrs: {
      samples: Math.ceil(samples),
      lo: Math.fround(h.lo),
      hi: Math.fround(h.hi),
      ...(h.core === undefined ? {} : { core: [h.core.lo, h.core.hi] as const }),
      counts: constant(uint(32), [h.features, h.bins], h.counts),
      means: constant(F32, [h.features, h.bins], h.means),
    },
  };
};
