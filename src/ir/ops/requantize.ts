/**
 * From accumulators to the codes of the next layer: one multiplication and one shift, exact. numeric/fixed-point.ts
 * says how 32 bits are enough for that.
 */
import * as E from 'fp-ts/lib/Either.js';
import { element, elements, perChannel, sum } from '../../code/language.js';
import { HOLDS } from '../../diagnostics/index.js';
import {
  clampBounds,
  fitsNarrow,
  fitsWide,
  MAX_SHIFT,
  productForm,
  requantizeCode,
} from '../../numeric/fixed-point.js';
import { constantOf, integer, perChannelOf, record } from '../codec.js';
import { type Constant, channel, type PerChannel, pickAlong, pickChannels } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { pickQuantizer, type Quantizer, QuantizerCodec } from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, codesOf, sizeOf } from '../types.js';
import { fitChannels } from './affine.js';

export interface RequantizeAttrs {
  /** i32, at least 1, for all outputs or one for each. */
  readonly mul: PerChannel;
  /** 1 to 43: beyond 30, and where products need more than 31 bits, all outputs take the wide form. */
  readonly shift: number;
  /** i32[O], added before the multiplication; absent means 0. */
  readonly bias?: Constant;
  readonly bits: number;
  /** What the code means. */
  readonly quantizer: Quantizer;
}

export const requantize = defineOp<'requantize', RequantizeAttrs, 'coder'>({
  kind: 'requantize',
  role: { _tag: 'coder' },
  summary: 'code[o] = clamp(((acc[o] + bias[o]) * mul[o] + 2^(shift-1)) >> shift, 0, levels - 1), exact',
  doc: {
    does: 'from accumulators to codes',
    text: [
      '`code[e] = clamp(((acc[e] + bias[c]) * mul[c] + 2^(shift-1)) >> shift, 0, levels - 1)`, exact: i<scaled> to u{bits}<quantizer>.',
      '',
      '- `mul`: a positive integer per channel; `shift`: 1 to 43 (products of more than 31 bits are split: src/numeric/fixed-point.ts); `bias?`: int[C]; `bits`; `quantizer`.',
      '- With acc + bias clamped first to where the code still changes, no product reaches 2^31: 32 bits are enough.',
    ],
  },
  levels: ['table'],
  operands: 1,
  attrs: record(
    {
      mul: perChannelOf('int'),
      shift: integer(1, MAX_SHIFT),
      bits: integer(1, 16),
      quantizer: QuantizerCodec,
    },
    { bias: constantOf('int', 1) },
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.meaning?._tag !== 'scaled' || x.element.kind !== 'int') {
      return E.left('takes accumulators');
    }
    const channels = channelsOf(x);
    const fits = fitChannels({ mul: a.mul }, channels);
    if (E.isLeft(fits)) return fits;
    if (a.bias !== undefined && a.bias.shape[0] !== channels) {
      return E.left(`bias has ${a.bias.shape[0]} elements for ${channels} outputs`);
    }
    return codesOf(a, x.shape);
  },
  check: (a) => {
    const muls = typeof a.mul === 'number' ? [a.mul] : a.mul.data;
    const wrong = muls.find((mul: number) => !Number.isInteger(mul) || mul < 1);
    return wrong === undefined ? HOLDS : E.left(`mul must be a positive integer, found ${wrong}`);
  },
  prove: (a, [x]) => {
    const { levels } = a.quantizer;
    const meaning = x!.meaning;
    const [lo, hi] = meaning?._tag === 'scaled' ? [meaning.lo, meaning.hi] : [0, 0];
    const muls = typeof a.mul === 'number' ? [a.mul] : a.mul.data;
    if (productForm(muls, a.shift, levels) === undefined) {
      const wrong = muls.find((mul: number) => !fitsNarrow(mul, a.shift, levels)) ?? 0;
      return E.left(
        fitsWide(wrong, a.shift, levels)
          ? `mul ${wrong} and shift ${a.shift} need split products, which others here do not fit`
          : `mul ${wrong} and shift ${a.shift} need products of more than 31 bits`,
      );
    }
    // One look suffices where all channels are alike; a shape alone must not cost time.
    const channels = a.bias === undefined ? 1 : channelsOf(x!);
    for (let o = 0; o < channels; o++) {
      const bias = a.bias?.data[o] ?? 0;
      if (lo + bias < -(2 ** 31) || hi + bias >= 2 ** 31) return E.left(`bias ${bias} overflows 32 bits`);
    }
    return HOLDS;
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channelOf = channelIndex(type);
    for (let j = 0; j < result.data.length; j++) {
      const o = channelOf(j);
      const bias = a.bias?.data[o] ?? 0;
      result.data[j] = requantizeCode(x!.data[j]!, bias, channel(a.mul, o), a.shift, a.quantizer.levels);
    }
    return result;
  },
  lower: (a, _, type) => {
    const { levels } = a.quantizer;
    const channels = channelsOf(type);
    const muls = typeof a.mul === 'number' ? [a.mul] : a.mul.data;
    const form = productForm(muls, a.shift, levels) ?? 'wide';
    return elements(form === 'narrow' ? 'fixed point' : 'fixed point, split products', {
      _tag: 'scaled',
      of: sum(
        element(0),
        perChannel('bias', channels, (c) => a.bias?.data[c] ?? 0),
      ),
      mul: perChannel('mul', channels, (c) => channel(a.mul, c)),
      // A bound above every accumulator does not matter, but must be written as 32 bits.
      most: perChannel('most', channels, (c) =>
        Math.min(clampBounds(channel(a.mul, c), a.shift, levels).hi, 2 ** 31 - 1),
      ),
      shift: a.shift,
      top: levels - 1,
      form,
    });
  },
  pick: (a, channels) => ({
    ...a,
    mul: pickChannels(a.mul, channels),
    quantizer: pickQuantizer(a.quantizer, channels),
    ...(a.bias === undefined ? {} : { bias: pickAlong(a.bias, 0, channels) }),
  }),
  cost: (a, [x]) => ({
    ...NO_COST,
    macs: sizeOf(x!),
    macBits: [32, 32],
    bytes: a.bias?.data.byteLength ?? 0,
  }),
});
