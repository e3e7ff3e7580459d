/** Normalisation by the statistics of the sample itself: layer norm and instance norm. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { Finite, perChannelOf, record } from '../codec.js';
import { channel, type PerChannel } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelsOf, innerOf, sizeOf } from '../types.js';
import { fitChannels } from './affine.js';

export interface NormAttrs {
  /** `sample`: over all elements (layer norm); `channel`: over those of each channel (instance norm). */
  readonly over: 'sample' | 'channel';
  /** Added to the (biased) variance. */
  readonly epsilon: number;
  readonly scale: PerChannel;
  readonly shift: PerChannel;
}

/** Elements of one group of statistics. */
export const normGroup = (over: NormAttrs['over'], shape: ReadonlyArray<number>): number =>
  over === 'sample' ? sizeOf({ shape }) : innerOf({ shape });

export const NORM_OVER = t.union([t.literal('sample'), t.literal('channel')]);

export const norm = defineOp<'norm', NormAttrs, 'value'>({
  kind: 'norm',
  role: { _tag: 'value', gives: 'codes' },
  summary: 'y = (x - mean) / sqrt(variance + epsilon) * scale + shift, over the sample or each channel of it',
  doc: {
    does: 'layer norm, instance norm',
    text: [
      '`y = (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c]`, computed in double and rounded once: f32 to the same type. Mean and (biased) variance are those of the whole sample or of the channel (`over`: `"sample"`, `"channel"`). `epsilon`: above 0. `scale`, `shift`: f32 per channel.',
    ],
  },
  levels: ['float', 'quantized'],
  operands: 1,
  attrs: record(
    { over: NORM_OVER, epsilon: Finite, scale: perChannelOf('f32'), shift: perChannelOf('f32') },
    {},
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32') return E.left('takes an f32 value');
    if (!(a.epsilon > 0)) return E.left(`epsilon is ${a.epsilon}`);
    return pipe(
      fitChannels({ scale: a.scale, shift: a.shift }, channelsOf(x)),
      E.map(() => x),
    );
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const group = normGroup(a.over, type.shape);
    const [channels, inner] = [channelsOf(type), innerOf(type)];
    for (let at = 0; at < result.data.length; at += group) {
      let sum = 0;
      for (let j = at; j < at + group; j++) sum += x!.data[j]!;
      const mean = sum / group;
      let squares = 0;
      for (let j = at; j < at + group; j++) {
        const d = x!.data[j]! - mean;
        squares += d * d;
      }
      const inverse = 1 / Math.sqrt(squares / group + a.epsilon);
      for (let j = at; j < at + group; j++) {
        const c = Math.floor(j / inner) % channels;
        result.data[j] = (x!.data[j]! - mean) * inverse * channel(a.scale, c) + channel(a.shift, c);
      }
    }
    return result;
  },
  cost: (_, [x]) => ({ ...NO_COST, macs: 3 * sizeOf(x!), macBits: [32, 32] }),
});
