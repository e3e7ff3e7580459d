/** What became of a configuration: the trials of its folds put together. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ConfigurationCost } from '../analyses/configuration-cost.js';
import type { Diagnostics } from '../diagnostics/index.js';
import {
  COARSE,
  type Configuration,
  canonical,
  KNOBS,
  type LayerShape,
  matters,
  nameOf,
  resolve,
} from './configuration.js';
import type { Study } from './study.js';
import { addTallies, type Drop, dropOf, EMPTY, lossOf } from './tally.js';
import type { Refused, TrialResult, Try } from './trial.js';

export interface Measured extends Drop {
  readonly _tag: 'measured';
  /** Squared difference from the float network relative to its outputs. */
  readonly loss: number;
  readonly samples: number;
  /** Of the graph that the first fold gives. */
  readonly cost: ConfigurationCost;
}

export interface Outcome {
  readonly name: string;
  /** Canonical. */
  readonly configuration: Configuration;
  readonly result: Measured | Refused;
}

/** How much work a configuration is worth. */
export interface Effort {
  /** Samples that coarse tables are refit on; 0: none. */
  readonly refit: number;
  readonly folds: 'first' | 'all';
}

/** Refit on so many samples tables are nearly as good as on all, and trials take a second or two. */
export const THOROUGH: Effort = { refit: 512, folds: 'all' };

/** For comparing knobs, each of which is tried alone: the others are fine, and refits of fine tables take long. */
export const QUICK: Effort = { refit: 0, folds: 'first' };

/** Whether a refit is worth its time: where `kanc compile` would do it for these bits. */
export const isCoarse = (c: Configuration, layers: ReadonlyArray<LayerShape>): boolean =>
  layers.some((layer) => {
    const settings = resolve(c, layer);
    return KNOBS.some((knob) => {
      const bits = settings[knob];
      return matters(knob, settings.form) && bits !== 'auto' && bits <= COARSE[knob];
    });
  });

/** Puts the trials of one configuration together, a result for each fold. */
export const combine = (study: Study, results: ReadonlyArray<TrialResult>): Measured | Refused => {
  const refused = results.find((r) => r._tag === 'refused');
  if (refused !== undefined) return refused;
  const tried = results.flatMap((r) => (r._tag === 'tried' ? [r] : []));
  const tally = tried.map((r) => r.tally).reduce(addTallies, EMPTY);
  const { cost } = tried[0]!;
  return {
    _tag: 'measured',
    ...dropOf(study.metric, tally, study.outputs),
    loss: lossOf(tally),
    samples: tally.samples,
    cost,
  };
};

/** Tries one configuration on as many folds as the effort says. */
export const tryConfiguration =
  (study: Study, attempt: Try) =>
  (wanted: Configuration, { refit, folds }: Effort): TE.TaskEither<Diagnostics, Outcome> => {
    const configuration = canonical(wanted, study.layers);
    const samples = isCoarse(configuration, study.layers) ? refit : 0;
    return pipe(
      folds === 'first' ? [0] : study.folds.map((_, k) => k),
      TE.traverseArray((fold) => attempt({ configuration, refit: samples, fold })),
      TE.map((results) => ({
        name: nameOf(configuration),
        configuration,
        result: combine(study, results),
      })),
    );
  };

/** Tries configurations at once, as far as threads allow, and gives their outcomes in order. */
export type TryAll = (
  configurations: ReadonlyArray<Configuration>,
  effort: Effort,
) => TE.TaskEither<Diagnostics, ReadonlyArray<Outcome>>;

/** `onDone` is called after every configuration. */
export const tryAllOn =
  (study: Study, attempt: Try, onDone: () => void = () => {}): TryAll =>
  (configurations, effort) =>
    pipe(
      configurations,
      TE.traverseArray((c) =>
        pipe(
          tryConfiguration(study, attempt)(c, effort),
          TE.tapIO(() => onDone),
        ),
      ),
    );
