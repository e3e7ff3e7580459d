/** The search as `kanc compile --max-drop` runs it: from a checkpoint to the pipeline of the configuration it chooses. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type ConfigurationCost, configurationCost } from '../../analyses/configuration-cost.js';
import { networkFacts } from '../../analyses/layer-facts.js';
import type { Json } from '../../backends/backend.js';
import { defined } from '../../diagnostics/defined.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import type { ImportOptions } from '../../importers/family.js';
import { type Imported, importSource } from '../../importers/import.js';
import type { Source } from '../../importers/source.js';
import type { Graph } from '../../ir/graph.js';
import { type PassCall, parsePipeline, showPipeline } from '../../passes/pipeline-text.js';
import type { NamedPass } from '../../passes/registry.js';
import { type Configuration, withConfiguration } from '../../search/configuration.js';
import type { Goal } from '../../search/goal.js';
import { isCoarse, type Outcome, type TryAll, tryAllOn } from '../../search/outcome.js';
import { tablesBy } from '../../search/run-calls.js';
import { type Found, search } from '../../search/search.js';
import { prepareStudy, type Study } from '../../search/study.js';
import { type Try, trialCalls } from '../../search/trial.js';
import type { Trials } from '../capabilities.js';
import { type CompileOptions, compilePipeline } from '../compile-options.js';
import { type CrashInfo, recorded } from '../crash.js';
import type { HashedDataset } from '../data.js';

/** How far a search is. */
export interface SearchProgress {
  readonly stage: string;
  /** Configurations that are tried. */
  readonly done: number;
  /** All that is known to be tried by now: the stages to come are not counted. */
  readonly of: number;
}

export interface SearchRequest {
  readonly source: Source;
  readonly importOptions: ImportOptions;
  /** Those that no search chooses: no bits, no form, no budget. */
  readonly options: CompileOptions;
  readonly data: HashedDataset;
  /** To measure on; `labels` are its own then. */
  readonly holdout?: HashedDataset;
  readonly labels?: HashedDataset;
  readonly goal: Goal;
  readonly samples?: number;
  readonly onProgress: (progress: SearchProgress) => void;
}

export interface SearchWorld {
  readonly version: string;
  readonly passes: ReadonlyArray<NamedPass>;
  readonly trials: (study: Study) => T.Task<Trials>;
}

export interface Choice {
  readonly found: Found;
  readonly study: Study;
  /** The pipeline of the configuration, with all calibration data. */
  readonly pipeline: string;
}

interface Network {
  readonly graph: Graph;
  /** The passes that options ask for, which no configuration changes. */
  readonly calls: ReadonlyArray<PassCall>;
}

/** A network whose bits can be chosen; K0801 where it has bits already. */
export const importFloat = (source: Source, importOptions: ImportOptions): Checked<Imported> =>
  pipe(
    importSource(source, importOptions),
    E.flatMap((imported) =>
      imported.graph.level === 'float'
        ? E.right(imported)
        : fail('K0801', 'the checkpoint is a network of integers already: its bits cannot be chosen', {
            place: { file: source.file },
            expected: 'a float network',
            hint: 'kanc compile takes it as it is, without data and bits.',
          }),
    ),
  );

/** The passes that options ask for, which no configuration changes. */
export const studyCalls = (options: CompileOptions): Checked<ReadonlyArray<PassCall>> =>
  pipe(compilePipeline(options), E.flatMap(parsePipeline));

/** Gives `use` what tries configurations, and ends that whatever comes of it. */
export const withTrials =
  (open: T.Task<Trials>) =>
  <A>(use: (trials: Trials) => TE.TaskEither<Diagnostics, A>): TE.TaskEither<Diagnostics, A> =>
  async () => {
    const trials = await open();
    try {
      return await use(trials)();
    } finally {
      await trials.close();
    }
  };

/** The same trials; an exception leaves as a `Crash` with the calibrated graph of the fold and the passes of the trial. */
export const crashingWith =
  (study: Study, info: CrashInfo) =>
  (attempt: Try): Try =>
  (trial) =>
    recorded(
      { graph: study.folds[trial.fold]?.calibrated, pipeline: showPipeline(trialCalls(study, trial)) },
      info,
    )(attempt(trial));

/** The passes of a configuration on all calibration data. */
const finalCalls = (
  { options }: SearchRequest,
  network: Network,
  study: Study,
  configuration: Configuration,
): ReadonlyArray<PassCall> => {
  const refit =
    isCoarse(configuration, study.layers) && options.calib !== undefined
      ? { data: options.calib }
      : undefined;
  return withConfiguration(network.calls, configuration, study.layers, refit);
};

const finalCost = (
  { passes }: SearchWorld,
  request: SearchRequest,
  network: Network,
  study: Study,
  configuration: Configuration,
): Checked<ConfigurationCost> => {
  const calls = finalCalls(request, network, study, configuration);
  return E.map(configurationCost)(tablesBy(network.graph, calls, passes, request.data));
};

/** Fails as `search` does, and as importing and preparing do. */
export const searchCheckpoint =
  (world: SearchWorld) =>
  (request: SearchRequest): TE.TaskEither<Diagnostics, Choice> => {
    const { source, importOptions, options, data, goal, onProgress } = request;
    const info = { version: world.version, options: { goal } };
    let progress: SearchProgress = { stage: 'calibration', done: 0, of: 0 };
    const tell = (news: Partial<SearchProgress>): void => {
      progress = { ...progress, ...news };
      onProgress(progress);
    };
    const counted =
      (tryAll: TryAll): TryAll =>
      (configurations, effort) => {
        tell({ of: progress.of + configurations.length });
        return tryAll(configurations, effort);
      };
    return pipe(
      TE.fromIOEither(() => {
        tell({});
        return importFloat(source, importOptions);
      }),
      TE.map(({ graph }) => ({ graph })),
      TE.bind('calls', () => TE.fromEither(studyCalls(options))),
      TE.bind('study', ({ graph, calls }) =>
        TE.fromIOEither(() =>
          prepareStudy({
            graph,
            calls,
            passes: world.passes,
            data,
            ...defined({ holdout: request.holdout, labels: request.labels, samples: request.samples }),
          }),
        ),
      ),
      TE.bind('found', ({ graph, calls, study }) =>
        withTrials(world.trials(study))(({ attempt }) =>
          search({
            goal,
            layers: study.layers,
            facts: networkFacts(graph).layers,
            tryAll: counted(
              tryAllOn(study, crashingWith(study, info)(attempt), () => tell({ done: progress.done + 1 })),
            ),
            finalCost: (c) => TE.fromIOEither(() => finalCost(world, request, { graph, calls }, study, c)),
            freeCells: options.quantizer === undefined,
            onStage: (stage) => tell({ stage }),
          }),
        ),
      ),
      TE.map(({ graph, calls, study, found }) => ({
        found,
        study,
        pipeline: showPipeline(finalCalls(request, { graph, calls }, study, found.chosen.configuration)),
      })),
    );
  };

/** An outcome as plain data. */
const outcomeJson = ({ name, configuration, result }: Outcome): { readonly [key: string]: Json } => ({
  name,
  configuration: {
    ...configuration,
    layers: Object.fromEntries(Object.entries(configuration.layers).map(([k, v]) => [k, { ...v }])),
  },
  ...(result._tag === 'refused'
    ? { refused: { code: result.code, message: result.message } }
    : {
        drop: result.drop,
        error: result.error,
        loss: result.loss,
        samples: result.samples,
        cost: { ...result.cost },
      }),
});

/** What a manifest tells of a search: no paths, no times. */
export const choiceJson = ({ found, study }: Choice, goal: Goal): { readonly [key: string]: Json } => ({
  maxDrop: goal.maxDrop,
  minimize: goal.minimize,
  budgets: { ...goal.budgets },
  form: goal.form,
  metric: study.metric,
  folds: study.folds.length,
  tried: found.tried,
  finest: outcomeJson(found.finest),
  chosen: outcomeJson(found.chosen),
});
