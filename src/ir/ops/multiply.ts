/** Products of two features each: the multiplication nodes of MultKAN, of floats or of accumulators. */
import * as E from 'fp-ts/lib/Either.js';
import { program } from '../../code/language.js';
import type { Rule } from '../../diagnostics/index.js';
import { constantOf, record } from '../codec.js';
import { type Constant, channel, constant, type PerChannel } from '../constant.js';
import { accumulatorFor, F32, int } from '../element.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { floatType, type ValueType, valueType } from '../types.js';

/** y[n] = x[left[n]] * x[right[n]]; an index equal to the number of features means 1, for nodes that pass. */
export interface MultiplyAttrs {
  /** uint[N]. */
  readonly left: Constant;
  /** uint[N]. */
  readonly right: Constant;
}

/** The scales of products of values whose channels have the given scales: [N], as f32. */
export const productScales = (a: MultiplyAttrs, scale: PerChannel, features: number): Float32Array => {
  const factor = (i: number): number => (i === features ? 1 : channel(scale, i));
  return Float32Array.from(a.left.data, (left, n) => factor(left) * factor(a.right.data[n]!));
};

const inferMultiply = (a: MultiplyAttrs, x: ValueType | undefined): Rule<ValueType> => {
  if (x === undefined || x.shape.length !== 1) return E.left('takes a value of shape [n, F]');
  const nodes = a.left.shape[0]!;
  if (nodes === 0 || a.right.shape[0] !== nodes)
    return E.left('left and right must have one index for each node');
  if (x.element.kind === 'f32') return E.right(floatType([nodes]));
  const { meaning } = x;
  if (x.element.kind !== 'int' || meaning?._tag !== 'scaled') return E.left('takes floats or accumulators');
  const { lo: low, hi: high } = meaning;
  // A factor may be 1, and so may both.
  const ends = [0, 1, low, high, low * low, high * high, low * high];
  const [lo, hi] = [Math.min(...ends), Math.max(...ends)];
  if (accumulatorFor(lo, hi) === undefined) return E.left(`products of [${low}, ${high}] overflow 32 bits`);
  const features = x.shape[0]!;
  const scale = productScales(a, meaning.scale, features);
  if (scale.some((s) => !Number.isFinite(s))) return E.left('a scale of the products is not finite');
  return E.right(
    valueType(int(32), [nodes], {
      _tag: 'scaled',
      scale: constant(F32, [nodes], scale),
      lo,
      hi,
    }),
  );
};

export const multiply = defineOp<'multiply', MultiplyAttrs, 'value'>({
  kind: 'multiply',
  role: { _tag: 'value', gives: 'accumulators' },
  summary: 'y[n] = x[left[n]] * x[right[n]]; an index equal to the number of features stands for 1',
  doc: {
    does: 'products of two features each',
    text: [
      '`y[m] = x[left[m]] * x[right[m]]`: [n, F] to [n, M]. `left`, `right`: uint[M]; the index F stands for 1, for nodes that pass. Of f32 the product is rounded once. Of accumulators in [lo, hi] products must fit 32 bits: i<scaled> to i32<scaled>, with the products of the scales.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({ left: constantOf('uint', 1), right: constantOf('uint', 1) }, {}),
  infer: (a, [x]) => {
    const features = x?.shape[0] ?? 0;
    const beyond = [a.left, a.right].some((c) => c.data.some((i: number) => i > features));
    return beyond ? E.left(`an index is beyond the ${features} features`) : inferMultiply(a, x);
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const [features, nodes] = [x!.type.shape[0]!, type.shape[0]!];
    for (let n = 0; n < x!.batch; n++) {
      const value = (i: number): number => (i === features ? 1 : x!.data[n * features + i]!);
      for (let m = 0; m < nodes; m++) {
        result.data[n * nodes + m] = value(a.left.data[m]!) * value(a.right.data[m]!);
      }
    }
    return result;
  },
  lower: (a, [x]) =>
    x?.element.kind === 'f32'
      ? undefined
      : program('products', { _tag: 'pairs', left: a.left.data, right: a.right.data }),
  cost: (_, [x], type) => ({
    ...NO_COST,
    macs: type.shape[0]!,
    macBits: x!.element.kind === 'f32' ? [32, 32] : [x!.element.bits, x!.element.bits],
  }),
});
