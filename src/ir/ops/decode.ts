/** From codes to the f32 values that they stand for. */
import * as E from 'fp-ts/lib/Either.js';
import { HOLDS } from '../../diagnostics/index.js';
import { constantOf, record } from '../codec.js';
import { type Constant, firstUnfit } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { decodeValue } from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, floatType, levelsOf, sizeOf, type ValueType } from '../types.js';

export interface DecodeAttrs {
  /** f32[R, levels], R = 1 or the number of channels. Absent: the values of the operand's quantizer. */
  readonly values?: Constant;
}

/** The f32 that code `c` of feature `f` decodes to. */
export const decodedValue = (a: DecodeAttrs, type: ValueType, f: number, c: number): number => {
  if (a.values !== undefined) {
    return a.values.data[(a.values.shape[0] === 1 ? 0 : f * a.values.shape[1]!) + c]!;
  }
  const { meaning } = type;
  return meaning === undefined || meaning._tag === 'scaled' ? Number.NaN : decodeValue(meaning, f, c);
};

export const decode = defineOp<'decode', DecodeAttrs, 'decoder'>({
  kind: 'decode',
  role: { _tag: 'decoder' },
  summary: 'y = values[channel, code], by default what the quantizer of the operand says',
  doc: {
    does: 'from codes to floats',
    text: [
      '`y[e] = values[r, code[e]]`, r = c or 0: u to f32. `values?`: f32[R, levels], R = 1 or C; absent: what the quantizer of the operand says, `f32(lo + code * step)` being computed in double and rounded once.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({}, { values: constantOf('f32', 2) }),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'uint') return E.left('takes a value of unsigned codes');
    if (a.values === undefined) {
      return x.meaning === undefined || x.meaning._tag === 'scaled'
        ? E.left('the operand has no quantizer, so values must be given')
        : E.right(floatType(x.shape));
    }
    const [rows, count] = a.values.shape;
    const levels = levelsOf(x);
    return (rows === 1 || rows === channelsOf(x)) && count === levels
      ? E.right(floatType(x.shape))
      : E.left(`values are [${rows}, ${count}], expected [1 or ${channelsOf(x)}, ${levels}]`);
  },
  check: (a) =>
    a.values !== undefined && firstUnfit(a.values) >= 0 ? E.left('a value is not finite') : HOLDS,
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channel = channelIndex(type);
    for (let j = 0; j < result.data.length; j++) {
      result.data[j] = decodedValue(a, x!.type, channel(j), x!.data[j]!);
    }
    return result;
  },
  cost: (a, [x]) => ({ ...NO_COST, reads: sizeOf(x!), bytes: a.values?.data.byteLength ?? 0 }),
});
