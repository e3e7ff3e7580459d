/** How good every graph of a pipeline is: against labels, and against the float network. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type ClippedShares, clippedShares } from '../analyses/clipping.js';
import { graphCost } from '../analyses/graph-cost.js';
import { accuracyOf, agreementOf, relativeRms, rmseOf } from '../analyses/metrics.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { inChunks, interpretFloats } from '../ir/batches.js';
import { type Graph, typesOf } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import { type Dataset, finiteRows } from '../passes/dataset.js';
import { type Targets, targetsOf } from '../search/targets.js';
import type { QualityView, ViewModel } from '../view/model.js';
import { samplesFor } from './data.js';
import { graphEngine, outputsOf } from './engines.js';

export interface Qualities {
  readonly on: NonNullable<ViewModel['measured']>;
  /** For each graph; undefined where the data are no input of it, as pixels are not before `input`. */
  readonly steps: ReadonlyArray<QualityView | undefined>;
}

/** Samples where no limit is given: fewer for networks that take the interpreter long. */
const samplesOf = (graph: Graph): number =>
  Math.max(8, Math.min(1000, Math.floor(3e8 / (graphCost(graph).macs + 1))));

/** The data as the graph takes it; undefined where it does not. */
const inputOf = (graph: Graph, dataset: Dataset, limit: number): Tensor | undefined => {
  const [input, ...others] = graph.inputs;
  if (input === undefined || others.length > 0 || graph.outputs.length !== 1) return undefined;
  const given = samplesFor(dataset, input.type, limit);
  return E.isRight(given) && finiteRows(given.right.data, given.right.batch).length === given.right.batch
    ? given.right
    : undefined;
};

type Score = (outputs: Float32Array) => Pick<QualityView, 'accuracy' | 'rmse'>;

const scorer = (targets: Targets, classes: number): Score => {
  if (targets._tag === 'none') return () => ({});
  return targets._tag === 'values'
    ? (outputs) => ({ rmse: rmseOf(outputs, targets.values) })
    : (outputs) => ({ accuracy: accuracyOf(outputs, targets.classes, classes) });
};

const clippedView = ({ input, hidden }: ClippedShares): Partial<QualityView> => ({
  ...(input === null ? {} : { clippedInput: input }),
  ...(hidden === null ? {} : { clippedHidden: hidden }),
});

/** Of the first samples only, as `kanc eval` has it. */
const CLIPPING_SAMPLES = 256;

const clippedOf = (graph: Graph, input: Tensor): Checked<Partial<QualityView>> => {
  if (graph.level === 'float') return E.right({});
  const batch = Math.min(input.batch, CLIPPING_SAMPLES);
  const few = { ...input, batch, data: input.data.subarray(0, batch * sizeOf(input.type)) };
  return E.map(clippedView)(clippedShares(graph, few));
};

/** The first graph that takes the data is the one that the others are compared with. */
const measureAll = (
  graphs: ReadonlyArray<Graph>,
  inputs: ReadonlyArray<Tensor | undefined>,
  score: Score,
  classes: number,
): Checked<ReadonlyArray<QualityView | undefined>> => {
  let reference: Float32Array | undefined;
  const found: (QualityView | undefined)[] = [];
  for (const [k, graph] of graphs.entries()) {
    const input = inputs[k];
    if (input === undefined) {
      found.push(undefined);
      continue;
    }
    if (graph === graphs[k - 1]) {
      found.push(found[k - 1]);
      continue;
    }
    const measured = pipe(
      inChunks(graph, input, interpretFloats(graph)),
      E.bindTo('outputs'),
      E.bind('clipped', () => clippedOf(graph, input)),
    );
    if (E.isLeft(measured)) return measured;
    const { outputs, clipped } = measured.right;
    reference ??= outputs;
    found.push({
      divergence: relativeRms(reference, outputs),
      ...(classes < 2 ? {} : { agreement: agreementOf(reference, outputs, classes) }),
      ...score(outputs),
      ...clipped,
    });
  }
  return E.right(found);
};

/** Whether a graph gives floats: integers of different graphs are not comparable. */
const givesFloats = (graph: Graph): boolean =>
  graph.outputs.every((o) => typesOf(graph).get(o)?.element.kind === 'f32');

/**
 * Undefined without data, or where data that the pipeline names are no inputs of it. Data that a person names for it must
 * fit (K0701), and labels must fit them (K0702).
 */
export const qualities = (
  graphs: ReadonlyArray<Graph>,
  dataset: Dataset | undefined,
  asked: boolean,
  labels: Dataset | undefined,
  limit: number | undefined,
): Checked<Qualities | undefined> => {
  const last = graphs.at(-1);
  if (dataset === undefined || last === undefined) {
    return labels === undefined
      ? E.right(undefined)
      : fail('K0801', 'labels without inputs measure nothing', {
          place: { option: '--labels' },
          expected: '--data or --calib beside it',
        });
  }
  const engine = graphEngine(last);
  if (E.isLeft(engine)) return asked ? engine : E.right(undefined);
  const most = limit ?? samplesOf(graphs[0] ?? last);
  const inputs = graphs.map((graph) => (givesFloats(graph) ? inputOf(graph, dataset, most) : undefined));
  const used = inputs.at(-1);
  if (used === undefined) {
    const told = samplesFor(dataset, engine.right.input, most);
    if (!asked) return E.right(undefined);
    return E.isLeft(told)
      ? told
      : fail('K0701', 'the samples hold NaN or infinities, or the graph gives no floats', {
          place: { file: dataset.path },
          expected: 'finite inputs of a model with float outputs',
        });
  }
  const classes = outputsOf(engine.right);
  const given = dataset.array.shape[0] ?? 0;
  const targets: Checked<Targets> =
    labels === undefined ? E.right({ _tag: 'none' }) : targetsOf(labels, classes, given, used.batch);
  return pipe(
    targets,
    E.flatMap((known) =>
      pipe(
        measureAll(graphs, inputs, scorer(known, classes), classes),
        E.map(
          (steps): Qualities => ({
            on: {
              samples: used.batch,
              labels: known._tag !== 'none',
              unit: known._tag === 'values' || classes < 2 ? 'values' : 'classes',
            },
            steps,
          }),
        ),
      ),
    ),
  );
};
