/** Measuring a model on labelled data. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type ClippedShares, clippedShares } from '../analyses/clipping.js';
import { accuracyOf, rmseOf } from '../analyses/metrics.js';
import type { Checked, Diagnostics } from '../diagnostics/index.js';
import { joinFloats } from '../ir/batches.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import type { Dataset } from '../passes/dataset.js';
import { type Targets, targetsOf } from '../search/targets.js';
import { samplesFor } from './data.js';
import { type Engine, inChunksOf, outputsOf } from './engines.js';

export interface Evaluation {
  readonly engine: Engine['name'];
  readonly samples: number;
  /** For classes. */
  readonly accuracy?: number;
  /** For values; beside an accuracy where labels were stored as floats and may be meant as such. */
  readonly rmse?: number;
  /** How labels were taken, where it is not plain. */
  readonly note?: string;
  readonly microsecondsPerInference: number;
  /** Absent for float models, which clip nothing. */
  readonly clipped?: ClippedShares;
}

/** Samples that clipping is measured on. */
const CLIPPING_SAMPLES = 1000;

/** Samples that are run first and not measured: engines optimise code while it runs. */
const WARM_UP = { float: 8, interpreter: 8, wasm: 1000, wgsl: 4096, c: 1, hls: 1, verilog: 1 } as const;

export interface EvaluateOptions {
  readonly limit?: number;
  readonly now: () => number;
  readonly onProgress: (samples: number, of: number) => void;
}

/** Fails with K0701 where the data do not fit the model, and K0702 where the labels do not fit the data. */
export const evaluate = (
  engine: Engine,
  data: Dataset,
  labels: Dataset,
  { limit, now, onProgress }: EvaluateOptions,
): TE.TaskEither<Diagnostics, Evaluation> =>
  pipe(
    samplesFor(data, engine.input, limit),
    E.bindTo('input'),
    E.bind('score', ({ input }) => scorer(labels, engine, data.array.shape[0] ?? 0, input.batch)),
    TE.fromEither,
    TE.tap(({ input }) => engine.predict(firstOf(input, Math.min(WARM_UP[engine.name], input.batch)))),
    TE.bind('started', () => TE.fromIO(now)),
    TE.bind('parts', ({ input }) =>
      inChunksOf(engine, input, engine.predict, (done) => onProgress(done, input.batch)),
    ),
    TE.bind('ended', () => TE.fromIO(now)),
    TE.bind('clipped', ({ input }) => TE.fromIOEither(() => clippingOf(engine, input))),
    TE.map(({ input, score, started, parts, ended, clipped }) => ({
      engine: engine.name,
      samples: input.batch,
      ...score(joinFloats(parts)),
      microsecondsPerInference: ((ended - started) * 1000) / input.batch,
      ...(clipped === undefined ? {} : { clipped }),
    })),
  );

const firstOf = (tensor: Tensor, batch: number): Tensor => ({
  ...tensor,
  batch,
  data: tensor.data.subarray(0, batch * sizeOf(tensor.type)),
});

const clippingOf = (engine: Engine, input: Tensor): Checked<ClippedShares | undefined> =>
  engine.graph.level === 'float'
    ? E.right(undefined)
    : clippedShares(engine.graph, firstOf(input, Math.min(CLIPPING_SAMPLES, input.batch)));

type Score = (outputs: Float32Array) => Pick<Evaluation, 'accuracy' | 'rmse' | 'note'>;

/** A logit is of both signs; outputs that are all from 0 to 1 are no logits. */
const noteFor = (
  { _tag, note = '' }: Exclude<Targets, { readonly _tag: 'none' }>,
  outputs: number,
  predicted: Float32Array,
): string =>
  _tag === 'classes' && outputs === 1 && predicted.every((y) => y >= 0 && y <= 1)
    ? `${note}; but all outputs lie in [0, 1], as probabilities do, whose threshold is 0.5: this accuracy means nothing`
    : note;

/** `given`: samples in the data file; `used`: how many of them are evaluated. */
const scorer = (labels: Dataset, engine: Engine, given: number, used: number): Checked<Score> => {
  const outputs = outputsOf(engine);
  return E.map(
    (targets: Exclude<Targets, { readonly _tag: 'none' }>): Score =>
      (predicted) => ({
        ...(targets._tag === 'classes' ? { accuracy: accuracyOf(predicted, targets.classes, outputs) } : {}),
        ...(targets.values === undefined ? {} : { rmse: rmseOf(predicted, targets.values) }),
        ...(targets.note === undefined ? {} : { note: noteFor(targets, outputs, predicted) }),
      }),
  )(targetsOf(labels, outputs, given, used));
};
