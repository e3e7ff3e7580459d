/** Scale and shift, per feature or for all: input normalisation, folded batch norms. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { eachHolds, HOLDS, type Rule } from '../../diagnostics/index.js';
import { perChannelOf, record } from '../codec.js';
import { channel, type PerChannel } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, sizeOf } from '../types.js';

export interface AffineAttrs {
  readonly scale: PerChannel;
  readonly shift: PerChannel;
}

/** Attributes that are per channel have one element for all `channels`, or one for each. */
export const fitChannels = (attrs: Readonly<Record<string, PerChannel>>, channels: number): Rule<void> =>
  eachHolds(Object.entries(attrs), ([name, p]) =>
    typeof p === 'number' || p.shape[0] === channels
      ? HOLDS
      : E.left(`${name} has ${p.shape[0]} elements for ${channels} features`),
  );

export const affine = defineOp<'affine', AffineAttrs, 'univariate'>({
  kind: 'affine',
  role: {
    _tag: 'univariate',
    of: ({ scale, shift }, c) => {
      const [s, t] = [channel(scale, c), channel(shift, c)];
      return (x) => Math.fround(Math.fround(x * s) + t);
    },
  },
  summary: 'y[f] = f32(f32(x[f] * scale[f]) + shift[f])',
  doc: {
    does: 'scale and shift',
    text: [
      '`y[e] = f32(f32(x[e] * scale[c]) + shift[c])`: f32 to the same type. `scale`, `shift`: f32 per channel.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({ scale: perChannelOf('f32'), shift: perChannelOf('f32') }, {}),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32') {
      return E.left('takes an f32 value');
    }
    return pipe(
      fitChannels({ scale: a.scale, shift: a.shift }, channelsOf(x)),
      E.map(() => x),
    );
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channelOf = channelIndex(type);
    for (let j = 0; j < result.data.length; j++) {
      const f = channelOf(j);
      result.data[j] = Math.fround(x!.data[j]! * channel(a.scale, f)) + channel(a.shift, f);
    }
    return result;
  },
  cost: (_, [x]) => ({ ...NO_COST, macs: sizeOf(x!), macBits: [32, 32] }),
});
