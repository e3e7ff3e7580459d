/** Measuring a model on labelled data. */
import * as E from 'fp-ts/lib/Either.js';
import { type ClippedShares, clippedShares } from '../analyses/clipping.js';
import { accuracyOf, rmseOf } from '../analyses/metrics.js';
import type { Checked } from '../diagnostics/index.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import type { Dataset } from '../passes/dataset.js';
import { type Engine, inChunks, joinFloats, outputsOf } from './engines.js';
import { type Targets, targetsOf } from './labels.js';
import { samplesFor } from './samples.js';

export interface Evaluation {
  readonly engine: Engine['name'];
  readonly samples: number;
  /** For integer labels. */
  readonly accuracy?: number;
  /** For float targets. */
  readonly rmse?: number;
  readonly microsecondsPerInference: number;
  /** Absent for float models, which clip nothing. */
  readonly clipped?: ClippedShares;
}

/** Samples that clipping is measured on. */
const CLIPPING_SAMPLES = 1000;

/** Samples that are run first and not measured: engines optimise code while it runs. */
const WARM_UP = { float: 8, interpreter: 8, wasm: 1000 } as const;

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
): Checked<Evaluation> => {
  const input = samplesFor(data, engine.input, limit);
  if (E.isLeft(input)) return input;
  const samples = input.right.batch;
  const score = scorer(labels, engine, data.array.shape[0] ?? 0, samples);
  if (E.isLeft(score)) return score;
  const warm = engine.predict(firstOf(input.right, Math.min(WARM_UP[engine.name], samples)));
  if (E.isLeft(warm)) return warm;
  const started = now();
  const parts = inChunks(input.right, engine.predict, (done) => onProgress(done, samples));
  const milliseconds = now() - started;
  if (E.isLeft(parts)) return parts;
  const clipped = clippingOf(engine, input.right);
  if (E.isLeft(clipped)) return clipped;
  return E.right({
    engine: engine.name,
    samples,
    ...score.right(joinFloats(parts.right)),
    microsecondsPerInference: (milliseconds * 1000) / samples,
    ...(clipped.right === undefined ? {} : { clipped: clipped.right }),
  });
};

const firstOf = (tensor: Tensor, batch: number): Tensor => ({
  ...tensor,
  batch,
  data: tensor.data.subarray(0, batch * sizeOf(tensor.type)),
});

const clippingOf = (engine: Engine, input: Tensor): Checked<ClippedShares | undefined> =>
  engine.graph.level === 'float'
    ? E.right(undefined)
    : clippedShares(engine.graph, firstOf(input, Math.min(CLIPPING_SAMPLES, input.batch)));

type Score = (outputs: Float32Array) => Pick<Evaluation, 'accuracy' | 'rmse'>;

/** `given`: samples in the data file; `used`: how many of them are evaluated. */
const scorer = (labels: Dataset, engine: Engine, given: number, used: number): Checked<Score> => {
  const outputs = outputsOf(engine);
  return E.map(
    (targets: Exclude<Targets, { readonly _tag: 'none' }>): Score =>
      (predicted) =>
        targets._tag === 'values'
          ? { rmse: rmseOf(predicted, targets.values) }
          : { accuracy: accuracyOf(predicted, targets.classes, outputs) },
  )(targetsOf(labels, outputs, given, used));
};
