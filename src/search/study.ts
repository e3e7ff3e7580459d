/**
 * What all configurations of one network are tried on. The data are dealt out to folds; for each of them ranges, cells
 * and refits come from the other samples, and the drop is measured on its own. So every sample is measured, and none by
 * tables that were made from it. Where data are given to measure on, there is one fold: all calibration data fit, and
 * those are held out.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { graphCost } from '../analyses/graph-cost.js';
import { at, type Checked, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy/index.js';
import { inChunks, interpretFloats } from '../ir/batches.js';
import { type Graph, isLevel, typesOf } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import { floatType, sizeOf } from '../ir/types.js';
import { type Dataset, finiteRows, toTensor } from '../passes/dataset.js';
import type { PassCall } from '../passes/pipeline-text.js';
import type { NamedPass } from '../passes/registry.js';
import { type LayerShape, layerShapes } from './configuration.js';
import { runCalls } from './run-calls.js';
import { type Metric, metricOf } from './tally.js';
import { type Targets, targetsOf } from './targets.js';

export interface Fold {
  /** The float network with what calibration saw of the other folds. */
  readonly calibrated: Graph;
  /** The samples of the other folds, for refits. */
  readonly fit: Dataset;
  readonly heldOut: Tensor;
  /** [samples, outputs] of the float network. */
  readonly reference: Float32Array;
  readonly targets: Targets;
}

/** Plain data, so that threads can be given it. */
export interface Study {
  readonly folds: ReadonlyArray<Fold>;
  /** The passes from `quantize` on, as options without bits ask for them. */
  readonly calls: ReadonlyArray<PassCall>;
  readonly layers: ReadonlyArray<LayerShape>;
  readonly outputs: number;
  readonly metric: Metric;
  /** Samples that are measured: all folds together. */
  readonly samples: number;
}

export interface StudyInput {
  /** As it was imported. */
  readonly graph: Graph;
  /** The pipeline of the options that do not depend on the configuration. */
  readonly calls: ReadonlyArray<PassCall>;
  readonly passes: ReadonlyArray<NamedPass>;
  readonly data: Dataset;
  /** Data to measure on, which are not for fitting. */
  readonly holdout?: Dataset;
  /** Of `holdout` where that is given, else of `data`. */
  readonly labels?: Dataset;
  /** Most samples to use; absent: as many as the float network can be run on in reasonable time. */
  readonly samples?: number;
}

/** Multiply-accumulates of the float network that are spent where no number of samples is given: about 20 s. */
const WORK = 2e10;
const FEWEST = 256;

/** With fewer samples nothing can be held out. */
const FEWEST_ROWS = 8;

/** Two folds leave half of the data for fitting, which is enough where there are thousands; else three quarters. */
const foldsFor = (samples: number): number => (samples >= 1024 ? 2 : Math.min(4, samples));

/** Rows of an array, in the order given. */
export const rowsOf = (array: NpyArray, rows: ReadonlyArray<number>): NpyArray => {
  const size = array.data.length / (array.shape[0] ?? 1);
  const data = array.data.slice(0, rows.length * size);
  for (const [k, row] of rows.entries())
    data.set(array.data.subarray(row * size, (row + 1) * size), k * size);
  return { shape: [rows.length, ...array.shape.slice(1)], dtype: array.dtype, data };
};

/** Up to `limit` rows without NaN and infinities, evenly spaced: files are often sorted. */
const chosenRows = ({ data, shape }: NpyArray, limit: number): ReadonlyArray<number> => {
  const finite = finiteRows(data, shape[0] ?? 0);
  if (finite.length <= limit) return finite;
  return Array.from({ length: limit }, (_, k) => finite[Math.floor((k * finite.length) / limit)]!);
};

const checkGraph = (graph: Graph): Checked<void> => {
  const output = graph.outputs[0];
  if (!isLevel('float')(graph)) {
    return fail('K0801', 'the checkpoint is a network of integers already: its bits cannot be chosen', {
      expected: 'a float network',
    });
  }
  return graph.inputs.length === 1 && graph.outputs.length === 1 && output !== undefined
    ? E.right(undefined)
    : fail('K0701', `the network has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs`, {
        expected: 'one of each',
      });
};

/** Imports nothing and reads nothing: everything that it needs is given. K0701 and K0702 on data that do not fit. */
export const prepareStudy = (given: StudyInput): Checked<Study> => {
  const { calls, passes, data } = given;
  const measured = measuredData(given);
  const split = calls.findIndex((call) => call.name === 'calibrate');
  return pipe(
    checkGraph(given.graph),
    E.flatMap(() => runCalls(given.graph, calls.slice(0, split), passes, data)),
    E.bindTo('graph'),
    E.bind('rows', ({ graph }) => rowsFor(given, measured, graph)),
    E.let('outputs', ({ graph }) => sizeOf(typesOf(graph).get(graph.outputs[0]!) ?? floatType([1]))),
    E.bind('all', ({ graph, rows }) =>
      toTensor({ ...measured, array: rowsOf(measured.array, rows) }, graph.inputs[0]!.type),
    ),
    E.bind('reference', ({ graph, all }) => inChunks(graph, all, interpretFloats(graph))),
    E.bind('targets', (s) => chosenTargets(given, s.rows, s.outputs)),
    E.tap((s) => checkNumbers(given, s)),
    E.bind('deals', (s) => dealsOf(given, s.graph, s.rows)),
    E.bind('folds', ({ deals, ...s }) =>
      E.traverseArray((deal: Deal) => foldOf(given, s, calls.slice(split, split + 1), deal))(deals),
    ),
    E.map(({ graph, folds, outputs, targets, rows }) => ({
      folds,
      calls: calls.slice(split + 1),
      layers: layerShapes(graph),
      outputs,
      metric: metricOf(targets, outputs),
      samples: rows.length,
    })),
  );
};

/** What drops are measured on. */
const measuredData = ({ holdout, data }: StudyInput): Dataset => holdout ?? data;

/** Samples of `data` to use, at least as many as can be held out from. */
const rowsFor = ({ samples }: StudyInput, data: Dataset, graph: Graph): Checked<ReadonlyArray<number>> => {
  const limit = samples ?? Math.max(FEWEST, Math.floor(WORK / (graphCost(graph).macs + 1)));
  const rows = chosenRows(data.array, limit);
  return rows.length >= FEWEST_ROWS
    ? E.right(rows)
    : fail('K0701', `${rows.length} of the samples are without NaN and infinities`, {
        place: { file: data.path },
        expected: `at least ${FEWEST_ROWS}: some are for fitting, the others for measuring`,
      });
};

const chosenTargets = (given: StudyInput, rows: ReadonlyArray<number>, outputs: number): Checked<Targets> => {
  const { labels } = given;
  if (labels === undefined) return E.right({ _tag: 'none' });
  return pipe(
    targetsOf(labels, outputs, measuredData(given).array.shape[0] ?? 0),
    E.map((targets) => pick(targets, rows, outputs)),
  );
};

/** Rows of [samples, size]. */
const floatRows = (values: Float32Array, rows: ReadonlyArray<number>, size: number): Float32Array =>
  Float32Array.from(
    { length: rows.length * size },
    (_, j) => values[rows[Math.floor(j / size)]! * size + (j % size)]!,
  );

/** The targets of some samples. */
const pick = (targets: Targets, rows: ReadonlyArray<number>, outputs: number): Targets => {
  if (targets._tag === 'none') return targets;
  if (targets._tag === 'classes') {
    return { _tag: 'classes', classes: Int32Array.from(rows, (row) => targets.classes[row]!) };
  }
  const values = new Float64Array(rows.length * outputs);
  for (let j = 0; j < values.length; j++) {
    values[j] = targets.values[rows[Math.floor(j / outputs)]! * outputs + (j % outputs)]!;
  }
  return { _tag: 'values', values };
};

interface Prepared {
  readonly graph: Graph;
  readonly rows: ReadonlyArray<number>;
  readonly outputs: number;
  readonly reference: Float32Array;
  readonly targets: Targets;
}

const sumOfSquares = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j]! ** 2;
  return sum;
};

/** Drops are shares of the squares of outputs and targets, so that both must be numbers, and not all of them 0. */
const checkNumbers = (given: StudyInput, { reference, targets }: Prepared): Checked<void> => {
  const outputs = sumOfSquares(reference);
  const data = { file: measuredData(given).path };
  if (!Number.isFinite(outputs)) {
    return fail('K0701', 'on these samples the outputs of the float network overflow', {
      place: data,
      expected: 'data of the range that the network was trained on',
      hint: 'Check the units and the normalisation of the data.',
    });
  }
  if (outputs === 0) {
    return fail('K0701', 'on these samples all outputs of the float network are 0', {
      place: data,
      expected: 'outputs that something can be lost of',
      hint: 'Check the units and the normalisation of the data, and the checkpoint.',
    });
  }
  if (targets._tag !== 'values') return E.right(undefined);
  const wanted = sumOfSquares(targets.values);
  const wrong = (message: string): Checked<void> =>
    at({ file: given.labels?.path ?? '' })(
      fail('K0702', message, { expected: 'finite targets, some of them not 0: a drop is a share of them' }),
    );
  if (!Array.from(targets.values).every(Number.isFinite)) return wrong('a target is NaN or infinite');
  if (!Number.isFinite(wanted)) return wrong('the squares of the targets overflow');
  return wanted > 0 ? E.right(undefined) : wrong('all targets of the samples that are used are 0');
};

/** The samples of a fold. */
interface Deal {
  /** Rows of the calibration data. */
  readonly fit: ReadonlyArray<number>;
  /** Places among the samples that are measured. */
  readonly own: ReadonlyArray<number>;
}

/** Fold k of F holds out samples k, k + F, ..., so that every fold has its share of sorted data. */
const dealsOf = (
  given: StudyInput,
  graph: Graph,
  rows: ReadonlyArray<number>,
): Checked<ReadonlyArray<Deal>> => {
  const places = rows.map((_, place) => place);
  if (given.holdout !== undefined) {
    return E.map((fit: ReadonlyArray<number>): ReadonlyArray<Deal> => [{ fit, own: places }])(
      rowsFor(given, given.data, graph),
    );
  }
  const count = foldsFor(rows.length);
  return E.right(
    Array.from({ length: count }, (_, k) => ({
      fit: places.filter((place) => place % count !== k).map((place) => rows[place]!),
      own: places.filter((place) => place % count === k),
    })),
  );
};

const foldOf = (
  given: StudyInput,
  { graph, rows, outputs, reference, targets }: Prepared,
  calibrate: ReadonlyArray<PassCall>,
  { fit: fitted, own }: Deal,
): Checked<Fold> => {
  const fit: Dataset = { path: given.data.path, array: rowsOf(given.data.array, fitted) };
  const { path, array } = measuredData(given);
  const mine = own.map((place) => rows[place]!);
  return pipe(
    runCalls(graph, calibrate, given.passes, fit),
    E.bindTo('calibrated'),
    E.bind('heldOut', () => toTensor({ path, array: rowsOf(array, mine) }, graph.inputs[0]!.type)),
    E.map(({ calibrated, heldOut }) => ({
      calibrated,
      fit,
      heldOut,
      reference: floatRows(reference, own, outputs),
      targets: pick(targets, own, outputs),
    })),
  );
};
