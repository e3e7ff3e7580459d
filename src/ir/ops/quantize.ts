/** From f32 to codes, by thresholds. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { integer, record } from '../codec.js';
import { uint } from '../element.js';
import { defineOp, NO_COST } from '../op-definition.js';
import {
  coderOf,
  isShared,
  pickQuantizer,
  type Quantizer,
  QuantizerCodec,
  quantizerFault,
  thresholdList,
} from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, sizeOf, valueType } from '../types.js';

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
    const fault = quantizerFault(a.quantizer, channelsOf(x), a.bits);
    return fault === undefined ? E.right(valueType(uint(a.bits), x.shape, a.quantizer)) : E.left(fault);
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
  lower: ({ quantizer }, _, type) => {
    const rows = isShared(quantizer) ? 1 : channelsOf(type);
    const width = quantizer.levels - 1;
    const data = new Float32Array(rows * width);
    for (let r = 0; r < rows; r++) data.set(thresholdList(quantizer, r), r * width);
    return {
      value: { kind: 'countFloats', thresholds: { rows, width, data }, index: 0 },
      form: rows === 1 ? 'thresholds' : 'thresholds per channel',
    };
  },
  pick: (a, channels) => ({ ...a, quantizer: pickQuantizer(a.quantizer, channels) }),
  cost: (a, [x]) => ({
    ...NO_COST,
    macs: a.quantizer._tag === 'uniform' ? sizeOf(x!) : 0,
    macBits: [32, 32],
    reads: a.quantizer._tag === 'uniform' ? 0 : sizeOf(x!) * a.bits,
  }),
});
