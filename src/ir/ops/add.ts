/** The sum of two values: residual connections. In a table graph `table.sum` stands for it. */
import * as E from 'fp-ts/lib/Either.js';
import { record } from '../codec.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { sameType, sizeOf } from '../types.js';

export type AddAttrs = Record<never, never>;

export const add = defineOp<'add', AddAttrs, 'value'>({
  kind: 'add',
  role: { _tag: 'value', gives: 'accumulators' },
  summary: 'y = f32(a + b)',
  doc: {
    does: 'a sum of two values',
    text: [
      '`y = f32(a + b)`: two values of one f32 type to the same type. In a table graph `table.sum` stands for it.',
    ],
  },
  levels: ['float', 'quantized'],
  operands: 2,
  attrs: record({}, {}),
  infer: (_, [a, b]) =>
    a !== undefined && b !== undefined && a.element.kind === 'f32' && sameType(a, b)
      ? E.right(a)
      : E.left('takes two f32 values of the same shape'),
  evaluate: (_, [a, b], type) => {
    const result = emptyTensor(type, a!.batch);
    for (let j = 0; j < result.data.length; j++) result.data[j] = a!.data[j]! + b!.data[j]!;
    return result;
  },
  cost: (_, [a]) => ({ ...NO_COST, adds: sizeOf(a!), addBits: 32 }),
});
