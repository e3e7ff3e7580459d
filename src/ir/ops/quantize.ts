/** From f32 to codes, by thresholds. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { byRows, elements, order, type Rows, rank } from '../../code/language.js';
import { orderOf } from '../../numeric/float-order.js';
import { integer, record } from '../codec.js';
import { defineOp, NO_COST } from '../op-definition.js';
import {
  coderOf,
  isShared,
  pickQuantizer,
  type Quantizer,
  QuantizerCodec,
  thresholdList,
} from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, codesOf, sizeOf } from '../types.js';

export interface QuantizeAttrs {
  readonly quantizer: Quantizer;
  /** Bits of the code, 1 to 16. */
  readonly bits: number;
  /**
   * What NaN does: the op itself always gives it code 0; with `refuse` the program rejects inputs that hold
   * one before it starts.
   */
  readonly nan: 'zero' | 'refuse';
}

/** The thresholds in the order of floats, where both zeros have one place. */
const thresholdKeys = (quantizer: Quantizer, channels: number): Rows => {
  const [rows, width] = [isShared(quantizer) ? 1 : channels, quantizer.levels - 1];
  const data = new Int32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const keys = Int32Array.from(thresholdList(quantizer, r), (x) => (x === 0 ? -1 : orderOf(x)));
    data.set(keys, r * width);
  }
  return { name: 'thresholds', rows, width, data };
};

export const quantize = defineOp<'quantize', QuantizeAttrs, 'coder'>({
  kind: 'quantize',
  role: { _tag: 'coder' },
  summary: 'code = how many thresholds of the quantizer (of the channel) are <= x; NaN has code 0',
  doc: {
    does: 'from floats to codes',
    text: [
      '`code[e] = how many thresholds of channel c are <= x[e]`: f32 to u{bits}<quantizer>.',
      '',
      '- `quantizer`, `bits`: 1 to 16, enough for the levels.',
      '- `nan`: `"zero"`, or `"refuse"`: then the program rejects inputs that hold a NaN before it starts.',
    ],
  },
  levels: ['quantized', 'table'],
  operands: 1,
  attrs: record(
    {
      quantizer: QuantizerCodec,
      bits: integer(1, 16),
      nan: t.union([t.literal('zero'), t.literal('refuse')]),
    },
    {},
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32') return E.left('takes an f32 value');
    return codesOf(a, x.shape);
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channel = channelIndex(type);
    const channels = channelsOf(type);
    const coders = Array.from({ length: isShared(a.quantizer) ? 1 : channels }, (_, f) =>
      coderOf(a.quantizer, f),
    );
    for (let j = 0; j < result.data.length; j++) {
      const coder = coders.length === 1 ? coders[0]! : coders[channel(j)]!;
      result.data[j] = coder(x!.data[j]!);
    }
    return result;
  },
  // By the thresholds that define the quantizer, whatever its closed form: floats are compared as integers.
  lower: ({ quantizer }, _, type) => {
    const rows = thresholdKeys(quantizer, channelsOf(type));
    return elements(byRows('thresholds', rows), rank(rows, order(0)));
  },
  pick: (a, channels) => ({ ...a, quantizer: pickQuantizer(a.quantizer, channels) }),
  cost: (a, [x]) => ({
    ...NO_COST,
    macs: a.quantizer._tag === 'uniform' ? sizeOf(x!) : 0,
    macBits: [32, 32],
    reads: a.quantizer._tag === 'uniform' ? 0 : sizeOf(x!) * a.bits,
  }),
});
