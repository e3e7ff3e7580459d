/** One configuration tried on one fold: compiled, run on what is held out, compared with the float network. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { configurationCost } from '../analyses/configuration-cost.js';
import { graphCost } from '../analyses/graph-cost.js';
import { findTarget, instantiate } from '../backends/index.js';
import type { Diagnostics } from '../diagnostics/index.js';
import { bytesOrFloats, inChunks, interpretFloats } from '../ir/batches.js';
import type { Graph } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import type { PassCall } from '../passes/pipeline-text.js';
import { BUILTIN_PASSES, type NamedPass } from '../passes/registry.js';
import { ConfigurationCodec, withConfiguration } from './configuration.js';
import { tablesBy } from './run-calls.js';
import type { Study } from './study.js';
import { TallyCodec, tallyOf } from './tally.js';

export const TrialCodec = t.readonly(
  t.type({
    /** Canonical. */
    configuration: ConfigurationCodec,
    /** Samples that tables are refit on; 0: they are not. */
    refit: t.number,
    /** Which fold is held out. */
    fold: t.number,
  }),
);

export type Trial = t.TypeOf<typeof TrialCodec>;

export const CostCodec = t.readonly(
  t.type({ bytes: t.number, packed: t.number, bitOps: t.number, luts: t.number, reads: t.number }),
  'a cost',
);

/** The passes refuse the configuration (no range proven, tables too large): a diagnostic's code and message. */
export const RefusedCodec = t.readonly(
  t.type({ _tag: t.literal('refused'), code: t.string, message: t.string }),
);

export type Refused = t.TypeOf<typeof RefusedCodec>;

export const TrialResultCodec = t.union([
  t.readonly(t.type({ _tag: t.literal('tried'), tally: TallyCodec, cost: CostCodec })),
  RefusedCodec,
]);

export type TrialResult = t.TypeOf<typeof TrialResultCodec>;

/** Tries configurations; a left is about the trial itself (its thread died) and not about the configuration. */
export type Try = (trial: Trial) => TE.TaskEither<Diagnostics, TrialResult>;

/** The name of the calibration data in the pipelines of trials. */
const DATA = 'calibration';

/** The pipeline of a trial, from the calibrated graph on. */
export const trialCalls = (study: Study, { configuration, refit }: Trial): ReadonlyArray<PassCall> =>
  withConfiguration(
    study.calls,
    configuration,
    study.layers,
    refit === 0 ? undefined : { data: DATA, samples: refit },
  );

/** Operations above which a batch is run by WASM: emitting it takes as long as the interpreter takes for these. */
const INTERPRETED = 1e9;

const outputsOn = (graph: Graph<'table'>, input: Tensor): TE.TaskEither<Diagnostics, Float32Array> => {
  const { adds, macs } = graphCost(graph);
  if ((adds + macs) * input.batch < INTERPRETED) {
    return TE.fromEither(inChunks(graph, input, interpretFloats(graph)));
  }
  // The same integers, by the promise of the backend.
  return pipe(
    TE.fromEither(findTarget('wasm')),
    TE.flatMap((target) => target.emit({}, { version: '' })(graph)),
    TE.flatMap(({ files }) => instantiate(files)),
    TE.flatMapEither((program) =>
      inChunks(graph, input, (chunk) =>
        E.map((r: Float32Array | Int32Array) => Float32Array.from(r))(program.predict(bytesOrFloats(chunk))),
      ),
    ),
  );
};

/** Tries in this thread. */
export const tryOn =
  (study: Study, passes: ReadonlyArray<NamedPass> = BUILTIN_PASSES): Try =>
  (trial) => {
    const fold = study.folds[trial.fold];
    if (fold === undefined) throw new RangeError(`fold ${trial.fold} of ${study.folds.length}`);
    return pipe(
      // Lazily: a list of trials is a list of tasks.
      TE.fromIOEither(() => tablesBy(fold.calibrated, trialCalls(study, trial), passes, fold.fit)),
      TE.flatMap((graph) =>
        pipe(
          outputsOn(graph, fold.heldOut),
          TE.map(
            (outputs): TrialResult => ({
              _tag: 'tried',
              tally: tallyOf(fold.reference, outputs, study.outputs, fold.targets),
              cost: configurationCost(graph),
            }),
          ),
        ),
      ),
      TE.orElse(
        ([{ code, message }]): TE.TaskEither<Diagnostics, TrialResult> =>
          TE.right({ _tag: 'refused', code, message }),
      ),
    );
  };
