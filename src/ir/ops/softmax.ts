/** Probabilities of classes from scores: what stands at the end of a classifier, if anything does. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { exp, log } from '../../numeric/transcendental.js';
import { record } from '../codec.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { sizeOf } from '../types.js';

export interface SoftmaxAttrs {
  /** The logarithm of the probabilities instead. */
  readonly log: boolean;
}

export const softmax = defineOp<'softmax', SoftmaxAttrs, 'final'>({
  kind: 'softmax',
  role: {
    _tag: 'final',
    without: 'results are the scores before the softmax, of which the largest is the same',
  },
  summary: 'y = exp(x) / sum of exp(x), or the logarithm of it',
  doc: {
    does: 'probabilities from scores',
    text: [
      '`y = exp(x - m) / sum over features of exp(x - m)` with m the largest x, or its logarithm (`log`), computed in double and rounded once: f32[n, F] to the same type. It stands at the end alone: table graphs leave it out, and their results are the scores.',
    ],
  },
  levels: ['float', 'quantized'],
  operands: 1,
  attrs: record({ log: t.boolean }, {}),
  infer: (_, [x]) =>
    x?.element.kind === 'f32' && x.shape.length === 1
      ? E.right(x)
      : E.left('takes a value of type f32[n, F]'),
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const features = sizeOf(type);
    for (let from = 0; from < result.data.length; from += features) {
      let most = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < features; i++) most = Math.max(most, x!.data[from + i]!);
      let sum = 0;
      for (let i = 0; i < features; i++) sum += exp(x!.data[from + i]! - most);
      const logarithm = log(sum);
      for (let i = 0; i < features; i++) {
        const d = x!.data[from + i]! - most;
        result.data[from + i] = a.log ? d - logarithm : exp(d) / sum;
      }
    }
    return result;
  },
  cost: (_, [x]) => ({ ...NO_COST, macs: 2 * sizeOf(x!), macBits: [32, 32] }),
});
