/** Scores and times of a model, whatever runs it. */
import * as E from 'fp-ts/lib/Either.js';
import { accuracyOf, rmseOf } from '../../../src/analyses/metrics.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import { samplesFor } from '../../../src/driver/data.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { sizeOf, type ValueType } from '../../../src/ir/types.js';
import type { Dataset } from '../../../src/passes/dataset.js';
import { targetsOf } from '../../../src/search/targets.js';
import type { Score } from '../shared/protocol.js';
import type { Model, Values } from '../shared/run-artifact.js';

/** The first `limit` samples, in the form that the model takes. */
export const inputOf = (inputs: Dataset, type: ValueType, limit?: number): Checked<Tensor> =>
  samplesFor(inputs, type, limit);

/** How good `outputs` of the first samples are. */
export const scoreOf = (
  labels: Dataset | undefined,
  all: number,
  { batch }: Tensor,
  outputs: Values,
): Checked<Score> => {
  if (labels === undefined) return E.right({ _tag: 'none' });
  const width = outputs.length / batch;
  return E.map(
    (targets: Exclude<ReturnType<typeof targetsOf>, E.Left<unknown>>['right']): Score =>
      targets._tag === 'classes'
        ? { _tag: 'accuracy', share: accuracyOf(outputs, targets.classes, width), samples: batch }
        : { _tag: 'rmse', rmse: rmseOf(outputs, targets.values), samples: batch },
  )(targetsOf(labels, width, all, batch));
};

/** The samples as typed arrays that loaders take. */
export const arrayOf = ({ data }: Tensor): Float32Array | Uint8Array =>
  data instanceof Uint8Array ? data : Float32Array.from(data);

const ROUNDS = 5;

/** Clocks of browsers are coarse; a round must be much longer than a tick. */
const ROUND_MS = 12;

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Microseconds of one call: the median of rounds, each of as many calls as a coarse clock needs. */
export const timeCalls = async (call: () => Values | Promise<Values>): Promise<number> => {
  const rounds: number[] = [];
  for (let count = 1; rounds.length < ROUNDS; ) {
    const started = performance.now();
    for (let k = 0; k < count; k++) {
      const result = call();
      // Waiting costs more than a small network takes.
      if (result instanceof Promise) await result;
    }
    const took = performance.now() - started;
    if (took < ROUND_MS) count *= 2;
    else rounds.push((took * 1000) / count);
  }
  return median(rounds);
};

/** Microseconds that a model takes for one sample by itself. */
export const timeSingle = (model: Model, input: Tensor): Promise<number> => {
  const one = arrayOf(input).slice(0, sizeOf(input.type));
  return timeCalls(() => model.predict(one, 1));
};
