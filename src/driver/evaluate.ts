/** Measuring a model on labelled data. */
import * as E from 'fp-ts/lib/Either.js';
import { type ClippedShares, clippedShares } from '../analyses/clipping.js';
import { accuracyOf, rmseOf } from '../analyses/metrics.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import type { Dataset } from '../passes/dataset.js';
import { type Engine, inChunks, joinFloats, outputsOf } from './engines.js';
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
const WARM_UP = { float: 8, interpreter: 8, wasm: 1000, c: 1, hls: 1, verilog: 1 } as const;

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

const isFloatData = ({ dtype }: NpyArray): boolean => dtype.startsWith('f');

/** `given`: samples in the data file; `used`: how many of them are evaluated. */
const scorer = (labels: Dataset, engine: Engine, given: number, used: number): Checked<Score> => {
  const { array, path } = labels;
  const outputs = outputsOf(engine);
  const place = { file: path };
  const shape = `[${array.shape.join(', ')}]`;
  if (array.shape[0] !== given) {
    return fail('K0702', `there are ${array.shape[0] ?? 0} labels (shape ${shape}) for ${given} samples`, {
      place,
      expected: 'one label for each sample',
    });
  }
  const each = array.data.length / given;
  if (isFloatData(array)) {
    if (each !== outputs) {
      return fail('K0702', `the targets have shape ${shape}, but the model has ${outputs} outputs`, {
        place,
        expected: `shape [${given}, ${outputs}]`,
        hint: 'Class labels must be integers: store them with astype(numpy.int64).',
      });
    }
    const targets = array.data.subarray(0, used * outputs);
    return E.right((predicted) => ({ rmse: rmseOf(predicted, targets) }));
  }
  if (each !== 1 || outputs < 2) {
    return fail('K0702', `integer labels of shape ${shape} for a model of ${outputs} outputs`, {
      place,
      expected:
        outputs < 2
          ? 'float targets, as the model has one output'
          : `one class number per sample, shape [${given}]`,
    });
  }
  const classes = array.data.subarray(0, used);
  const wrong = classes.findIndex((c: number) => c < 0 || c >= outputs);
  if (wrong >= 0) {
    return fail('K0702', `label ${wrong} is ${classes[wrong]}`, {
      place,
      expected: `a class from 0 to ${outputs - 1}, as the model has ${outputs} outputs`,
    });
  }
  return E.right((predicted) => ({ accuracy: accuracyOf(predicted, classes, outputs) }));
};
