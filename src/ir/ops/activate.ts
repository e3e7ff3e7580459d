/** A univariate function of every element: activations between layers. They fold into tables. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { match } from 'ts-pattern';
import { ACTIVATIONS, type Activation } from '../../numeric/activations.js';
import { ActivationCodec } from '../basis.js';
import { perChannelOf, record } from '../codec.js';
import { channel, type PerChannel } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, sizeOf } from '../types.js';
import { fitChannels } from './affine.js';

export type UnivariateFunction =
  | { readonly _tag: 'activation'; readonly activation: Activation }
  /** x where x >= 0, slope * x elsewhere. */
  | { readonly _tag: 'prelu'; readonly slope: PerChannel };

export interface ActivateAttrs {
  readonly function: UnivariateFunction;
}

/** The function of one channel, in f64. */
export const univariate = (f: UnivariateFunction, c: number): ((x: number) => number) =>
  match(f)
    .with({ _tag: 'activation' }, ({ activation }) => ACTIVATIONS[activation])
    .with({ _tag: 'prelu' }, ({ slope }) => {
      const s = channel(slope, c);
      return (x: number): number => (x >= 0 ? x : s * x);
    })
    .exhaustive();

export const activate = defineOp<'activate', ActivateAttrs, 'univariate'>({
  kind: 'activate',
  role: { _tag: 'univariate', of: (a, c) => univariate(a.function, c) },
  summary: 'y = f(x), f an activation or a PReLU with a slope for each channel',
  doc: {
    does: 'an activation or a PReLU',
    text: [
      '`y = f(x)`, computed in double and rounded once: f32 to the same type. `function`: `activation{activation}`, or `prelu{slope}`, x where x >= 0 and slope * x elsewhere, `slope` f32 per channel.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record(
    {
      function: t.union([
        record({ _tag: t.literal('activation'), activation: ActivationCodec }, {}),
        record({ _tag: t.literal('prelu'), slope: perChannelOf('f32') }, {}),
      ]),
    },
    {},
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32') return E.left('takes an f32 value');
    return a.function._tag === 'prelu'
      ? pipe(
          fitChannels({ slope: a.function.slope }, channelsOf(x)),
          E.map(() => x),
        )
      : E.right(x);
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channelOf = channelIndex(type);
    const shared = a.function._tag === 'activation' || typeof a.function.slope === 'number';
    const functions = Array.from({ length: shared ? 1 : channelsOf(type) }, (_, c) =>
      univariate(a.function, c),
    );
    for (let j = 0; j < result.data.length; j++) {
      result.data[j] = functions[shared ? 0 : channelOf(j)]!(x!.data[j]!);
    }
    return result;
  },
  cost: (_, [x]) => ({ ...NO_COST, macs: sizeOf(x!), macBits: [32, 32] }),
});
