/** The whole way: from the bytes of a checkpoint to the files of an artifact. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Divergence, divergenceOf } from '../analyses/divergence.js';
import { type GraphCost, graphCost } from '../analyses/graph-cost.js';
import { networkFacts } from '../analyses/layer-facts.js';
import type { Artifact, Json } from '../backends/backend.js';
import { findTarget, type Target } from '../backends/index.js';
import { at, type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import type { Assumption, ImportOptions } from '../importers/family.js';
import { type Imported, importSource } from '../importers/import.js';
import type { Source } from '../importers/source.js';
import { type Graph, isLevel, typesOf } from '../ir/graph.js';
import { graphText } from '../ir/graph-text.js';
import type { Tensor } from '../ir/tensor.js';
import type { Level } from '../ir/types.js';
import { type Dataset, finiteSamples, spread, toTensor } from '../passes/dataset.js';
import type { PassEvent } from '../passes/pipeline.js';
import { newRecorder, type Recorder, recorded } from './crash.js';
import { samplesFor } from './data.js';
import { type Sha256, sourceHashes } from './hash.js';
import { type PassesDone, type PassRemark, type PassWorld, runPasses, type Timing } from './run-passes.js';

export interface CompileRequest {
  readonly source: Source;
  readonly importOptions: ImportOptions;
  /** The text of the pipeline for a network of this level; see compilePipeline. */
  readonly pipeline: (level: Level) => Checked<string>;
  readonly target: string;
  /** As the codec of the target reads them. */
  readonly targetOptions: unknown;
  readonly verifyEach: boolean;
  /** Inputs for test vectors and the like, where others are meant than those of the calibration. */
  readonly samples?: Dataset;
  /** Told in the manifest besides the pipeline: nothing that depends on time or place. */
  readonly told: { readonly [key: string]: Json };
  readonly onImport?: (graph: Graph) => void;
  readonly onPass?: (event: PassEvent) => void;
}

export interface CompileWorld extends PassWorld {
  readonly version: string;
  readonly now: () => number;
  readonly sha256: Sha256;
}

export interface Compilation {
  readonly artifact: Artifact;
  /** What had to be assumed to read the checkpoint. */
  readonly assumptions: ReadonlyArray<Assumption>;
  /** The artifact that the same request gives for another target, without running the passes again. */
  readonly emitFor: (target: string, options?: unknown) => TE.TaskEither<Diagnostics, Artifact>;
  readonly graph: Graph<'table'>;
  /** The pipeline that ran, with data files by hash. */
  readonly pipeline: string;
  readonly remarks: ReadonlyArray<PassRemark>;
  readonly cost: GraphCost;
  /** On the first calibration samples; absent without any. */
  readonly divergence?: Divergence;
  readonly timings: ReadonlyArray<Timing>;
}

/** How long steps took. */
interface Stopwatch {
  readonly timings: Timing[];
  /** Runs a step and notes how long it took. */
  readonly timed: <A>(step: string, task: TE.TaskEither<Diagnostics, A>) => TE.TaskEither<Diagnostics, A>;
}

const stopwatch = (now: () => number): Stopwatch => {
  const timings: Timing[] = [];
  return {
    timings,
    timed: (step, task) => async () => {
      const started = now();
      const result = await task();
      timings.push({ step, milliseconds: now() - started });
      return result;
    },
  };
};

interface Lowered {
  readonly read: Imported;
  readonly done: PassesDone;
  readonly graph: Graph<'table'>;
}

/** From the bytes of the checkpoint to tables. */
const lowered = (
  world: CompileWorld,
  request: CompileRequest,
  recorder: Recorder,
  { timings, timed }: Stopwatch,
): TE.TaskEither<Diagnostics, Lowered> => {
  const onPass = (event: PassEvent): void => {
    timings.push({ step: event.name, milliseconds: event.milliseconds });
    request.onPass?.(event);
  };
  const { verifyEach } = request;
  return pipe(
    timed(
      'import',
      TE.fromIOEither(() => importSource(request.source, request.importOptions)),
    ),
    TE.bindTo('read'),
    TE.tap(({ read }) => TE.fromIO(() => request.onImport?.(read.graph))),
    TE.bind('pipeline', ({ read }) => TE.fromEither(request.pipeline(read.graph.level))),
    TE.bind('done', ({ read, pipeline }) =>
      runPasses(world, recorder)({ graph: read.graph, pipeline, verifyEach, onPass }),
    ),
    TE.bind('graph', ({ done }) => TE.fromEither(tableGraph(done.graph))),
  );
};

type Emit = (target: Target, options: unknown) => TE.TaskEither<Diagnostics, Artifact>;

/** What writes the artifact, for any target. */
const emitterOf = (
  world: CompileWorld,
  request: CompileRequest,
  { read, done, graph }: Lowered,
  divergence: Divergence | undefined,
): Checked<Emit> =>
  pipe(
    graphText(graph),
    E.bindTo('kir'),
    E.bind('samples', () => samplesOf(request, done, graph)),
    E.map(({ kir, samples }) => {
      const context = {
        version: world.version,
        kir,
        reference: done.lastFloat ?? read.graph,
        extra: manifestExtra(world.sha256, request, read, done, graph, divergence),
        ...(samples === undefined ? {} : { samples }),
      };
      return (target, options) =>
        pipe(
          TE.fromIO(() => target.emit(options, context)),
          TE.flatMap((emit) => emit(graph)),
        );
    }),
  );

/** Exceptions leave as a `Crash` (see crash.ts). */
export const compileCheckpoint =
  (world: CompileWorld) =>
  (request: CompileRequest): TE.TaskEither<Diagnostics, Compilation> => {
    const recorder = newRecorder();
    const watch = stopwatch(world.now);
    return pipe(
      TE.fromEither(at({ option: '--target' })(findTarget(request.target))),
      TE.bindTo('target'),
      TE.bind('tables', () => lowered(world, request, recorder, watch)),
      TE.bind('divergence', ({ tables: { read, done, graph } }) =>
        watch.timed(
          '(measure)',
          TE.fromIOEither(() => measure(read.graph, done, graph)),
        ),
      ),
      TE.bind('emit', ({ tables, divergence }) =>
        TE.fromEither(emitterOf(world, request, tables, divergence)),
      ),
      TE.bind('artifact', ({ target, emit }) =>
        watch.timed(`(${target.name})`, emit(target, request.targetOptions)),
      ),
      TE.map(
        ({ artifact, emit, tables: { read, done, graph }, divergence }): Compilation => ({
          artifact,
          assumptions: read.assumptions,
          emitFor: (name, options = {}) =>
            pipe(
              TE.fromEither(findTarget(name)),
              TE.flatMap((target) => emit(target, options)),
            ),
          graph,
          pipeline: done.pipeline,
          remarks: done.remarks,
          cost: graphCost(graph),
          ...(divergence === undefined ? {} : { divergence }),
          timings: watch.timings,
        }),
      ),
      recorded(recorder, { version: world.version, options: { target: request.target, ...request.told } }),
    );
  };

const tableGraph = (graph: Graph): Checked<Graph<'table'>> =>
  isLevel('table')(graph)
    ? E.right(graph)
    : fail('K0504', `the pipeline ends with a ${graph.level} graph, but targets take table graphs`, {
        place: { option: '--passes' },
        hint: graph.level === 'float' ? "Add 'calibrate,quantize,tabulate,fold'." : "Add 'tabulate,fold'.",
      });

const checkpointHashes = (sha256: Sha256, source: Source): { readonly [key: string]: Json } => {
  const [main, ...beside] = sourceHashes(sha256)(source);
  return { sha256: main, ...(beside.length === 0 ? {} : { beside }) };
};

/** The samples that were asked for; else those of the calibration, where they are inputs. */
const samplesOf = (
  { samples }: CompileRequest,
  { data }: PassesDone,
  { inputs }: Graph,
): Checked<Tensor | undefined> => {
  const type = inputs[0]?.type;
  if (type === undefined) return E.right(undefined);
  if (samples !== undefined) return samplesFor(samples, type);
  const [calibration] = data;
  // Data of a pass of the user's need not be inputs.
  return calibration === undefined
    ? E.right(undefined)
    : E.right(
        pipe(
          samplesFor(calibration, type),
          E.getOrElseW(() => undefined),
        ),
      );
};

/** The facts of the network as plain data. */
const networkSizes = (imported: Graph): { readonly layers: Json; readonly rest: Json } => {
  const { layers, rest } = networkFacts(imported);
  return {
    layers: layers.map((layer) => ({ ...layer, branches: layer.branches.map((b) => ({ ...b })) })),
    rest: { ...rest },
  };
};

const manifestExtra = (
  sha256: Sha256,
  request: CompileRequest,
  { graph: imported, assumptions }: Imported,
  done: PassesDone,
  graph: Graph,
  divergence: Divergence | undefined,
): { readonly [key: string]: Json } => {
  const quantize = done.calls.find((call) => call.name === 'quantize')?.options ?? {};
  return {
    options: request.told,
    pipeline: done.pipeline,
    checkpoint: checkpointHashes(sha256, request.source),
    assumptions: assumptions.map((a) => ({ ...a })),
    data: done.data.map(({ sha256, array }) => ({ sha256, samples: array.shape[0] ?? 0 })),
    outOfRange: quantize['range'] ?? 'clamp',
    nan: quantize['nan'] ?? 'zero',
    divergence: divergence === undefined ? null : { ...divergence },
    cost: { ...graphCost(graph) },
    // What `kanc report` compares the program with: the sizes of the network as it was trained.
    ...networkSizes(imported),
    remarks: {
      notes: done.remarks.filter((r) => r.severity === 'note').length,
      warnings: done.remarks.filter((r) => r.severity === 'warning').map((r) => `${r.pass}: ${r.message}`),
    },
  };
};

/** Calibration samples that the divergence is measured on: fewer for networks that take the interpreter long. */
const measuredSamples = (reference: Graph): number =>
  Math.max(4, Math.min(256, Math.floor(5e8 / (graphCost(reference).macs + 1))));

/** Undefined where there is nothing to measure on; K0701 where data and network give no numbers to compare. */
export const measure = (
  imported: Graph,
  done: PassesDone,
  graph: Graph<'table'>,
): Checked<Divergence | undefined> => {
  const dataset: Dataset | undefined = done.data[0];
  const [input, ...others] = graph.inputs;
  const output = typesOf(graph).get(graph.outputs[0]!);
  if (dataset === undefined || input === undefined || others.length > 0) return E.right(undefined);
  if (output?.element.kind !== 'f32') return E.right(undefined);
  const reference = done.lastFloat ?? imported;
  const given = toTensor(dataset, input.type);
  // Data of a pass of the user's need not be inputs.
  if (E.isLeft(given)) return E.right(undefined);
  const place = { file: dataset.path };
  // Of other samples the float network gives no number to compare with, and files are often sorted.
  const tensor = spread(finiteSamples(given.right), measuredSamples(reference));
  if (tensor.batch === 0) {
    return fail('K0701', `each of the ${given.right.batch} samples holds NaN or an infinity`, {
      place,
      expected: 'at least one calibration sample of finite values',
      hint: 'Replace missing values as the training did.',
    });
  }
  return pipe(
    divergenceOf(reference, graph, tensor),
    E.flatMap((divergence) =>
      Number.isFinite(divergence.relativeRms)
        ? E.right(divergence)
        : fail('K0701', 'on these samples the outputs of the float network overflow, or are all zero', {
            place,
            expected: 'data of the range that the network was trained on',
            hint: 'Check the units and the normalisation of the data.',
          }),
    ),
  );
};
