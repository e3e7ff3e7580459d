/** From accumulators to f32: one conversion and one multiplication, no addition, so that all targets agree. */
import * as E from 'fp-ts/lib/Either.js';
import { operand } from '../../code/expr.js';
import { record } from '../codec.js';
import { channel } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, floatType, sizeOf } from '../types.js';

/** The scale is part of the operand's type. */
export type DequantizeAttrs = Record<never, never>;

export const dequantize = defineOp<'dequantize', DequantizeAttrs, 'decoder'>({
  kind: 'dequantize',
  role: { _tag: 'decoder' },
  summary: 'y[o] = f32(f32(acc[o]) * scale[o]), with the scale of the operand',
  doc: {
    does: 'from accumulators to floats',
    text: [
      "`y[e] = f32(f32(acc[e]) * scale[c])` with the scale of the operand's type: i<scaled> to f32. No attributes.",
    ],
  },
  levels: ['quantized', 'table'],
  operands: 1,
  attrs: record({}, {}),
  infer: (_, [x]) =>
    x?.meaning?._tag === 'scaled' && x.element.kind === 'int'
      ? E.right(floatType(x.shape))
      : E.left('takes accumulators'),
  evaluate: (_, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channelOf = channelIndex(type);
    const { meaning } = x!.type;
    const scale = meaning?._tag === 'scaled' ? meaning.scale : 1;
    for (let j = 0; j < result.data.length; j++) {
      // Stored into an f32 array: the conversion is rounded first, then the product.
      result.data[j] = Math.fround(x!.data[j]!) * channel(scale, channelOf(j));
    }
    return result;
  },
  lower: (_, [x]) => ({
    value: operand(0),
    scale: x?.meaning?._tag === 'scaled' ? x.meaning.scale : 1,
    form: 'multiply',
  }),
  pick: (a) => a,
  cost: (_, [x]) => ({ ...NO_COST, macs: sizeOf(x!), macBits: [32, 32] }),
});
