/** Layer and instance norm of accumulators, giving codes: see numeric/integer-norm.ts for the definition. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { HOLDS } from '../../diagnostics/index.js';
import {
  NORM_GAIN_LIMIT,
  NORM_GROUP_LIMIT,
  NORM_INPUT_LIMIT,
  normCode,
  normStatistics,
} from '../../numeric/integer-norm.js';
import { integer, perChannelOf, record } from '../codec.js';
import { channel, type PerChannel } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { type Quantizer, QuantizerCodec } from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelsOf, codesOf, innerOf, sizeOf } from '../types.js';
import { fitChannels } from './affine.js';
import { NORM_OVER, type NormAttrs, normGroup } from './norm.js';

export interface TableNormAttrs {
  readonly over: NormAttrs['over'];
  /**
   * Epsilon in units of (accumulator / 8)^2 times the group size: an integer of 1 to 2^45 that f32 holds.
   * For each channel where statistics are: its scale decides the unit.
   */
  readonly epsilon: PerChannel;
  /** G: i32 below 2^15 in magnitude, for all channels or one for each. */
  readonly gain: PerChannel;
  /** g. */
  readonly gainShift: number;
  /** B. */
  readonly offset: PerChannel;
  readonly bits: number;
  readonly quantizer: Quantizer;
}

const all = (p: PerChannel, fits: (v: number) => boolean): boolean =>
  typeof p === 'number' ? fits(p) : p.data.every((v: number) => fits(v));

export const tableNorm = defineOp<'table.norm', TableNormAttrs, 'coder'>({
  kind: 'table.norm',
  role: { _tag: 'coder' },
  summary: 'the code of (acc - mean) / sigma * gain + offset, over the sample or each channel, in integers',
  doc: {
    does: 'norm and quantization of accumulators, in integers',
    text: [
      'The code of `(acc - mean) / sigma * gain / 2^gainShift + offset`, rounded and clamped to the levels, by a definition in integers of at most 32 bits: `src/numeric/integer-norm.ts` states it, and the bound for its distance from the real norm. i<scaled> to u{bits}<quantizer>.',
      '',
      '- `over`: as for norm. Accumulators lie within [-2048, 2048], groups have up to 2^16 elements, and over the sample all channels share one scale.',
      '- `epsilon`: 1 to 2^45, in units of (accumulator / 8)^2, times the size of a group.',
      '- `gain`: int per channel, below 2^15 in magnitude. `gainShift`: -64 to 64. `offset`: int per channel, below 2^29 in magnitude.',
      '- `bits`, `quantizer`.',
    ],
  },
  levels: ['table'],
  operands: 1,
  attrs: record(
    {
      over: NORM_OVER,
      epsilon: perChannelOf('f32'),
      gain: perChannelOf('int'),
      gainShift: integer(-64, 64),
      offset: perChannelOf('int'),
      bits: integer(1, 16),
      quantizer: QuantizerCodec,
    },
    {},
  ),
  infer: (a, [x]) => {
    if (x?.meaning?._tag !== 'scaled' || x.element.kind !== 'int') return E.left('takes accumulators');
    const { scale, lo, hi } = x.meaning;
    if (a.over === 'sample' && (typeof scale !== 'number' || typeof a.epsilon !== 'number')) {
      return E.left('the channels must share one scale and one epsilon');
    }
    if (lo < -NORM_INPUT_LIMIT || hi > NORM_INPUT_LIMIT) {
      return E.left(`accumulators in [${lo}, ${hi}] are beyond ${NORM_INPUT_LIMIT}`);
    }
    const group = normGroup(a.over, x.shape);
    if (group > NORM_GROUP_LIMIT) return E.left(`${group} elements are more than ${NORM_GROUP_LIMIT}`);
    return pipe(
      fitChannels({ epsilon: a.epsilon, gain: a.gain, offset: a.offset }, channelsOf(x)),
      E.flatMap(() => codesOf(a, x.shape)),
    );
  },
  check: (a) => {
    if (!all(a.epsilon, (e) => Number.isInteger(e) && e >= 1 && e <= 2 ** 45)) {
      return E.left('epsilon must be an integer from 1 to 2^45');
    }
    if (!all(a.gain, (g) => Math.abs(g) < NORM_GAIN_LIMIT))
      return E.left(`a gain reaches ${NORM_GAIN_LIMIT}`);
    return all(a.offset, (b) => Math.abs(b) < 2 ** 29) ? HOLDS : E.left('an offset reaches 2^29');
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const group = normGroup(a.over, type.shape);
    const [channels, inner] = [channelsOf(type), innerOf(type)];
    for (let at = 0; at < result.data.length; at += group) {
      const statistics = normStatistics(
        x!.data,
        at,
        group,
        channel(a.epsilon, Math.floor(at / inner) % channels),
      );
      for (let j = at; j < at + group; j++) {
        const c = Math.floor(j / inner) % channels;
        result.data[j] = normCode(
          statistics,
          x!.data[j]!,
          channel(a.gain, c),
          a.gainShift,
          channel(a.offset, c),
          a.quantizer.levels,
        );
      }
    }
    return result;
  },
  cost: (_, [x]) => ({ ...NO_COST, macs: 2 * sizeOf(x!), macBits: [16, 16], adds: sizeOf(x!), addBits: 32 }),
});
