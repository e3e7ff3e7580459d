/** A univariate function of every element: activations between layers. They fold into tables. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { match } from 'ts-pattern';
import { HOLDS, invariant, type Rule } from '../../diagnostics/index.js';
import { ACTIVATIONS, type Activation } from '../../numeric/activations.js';
import { expressionEvaluator, parseExpression } from '../../numeric/expression/index.js';
import { ActivationCodec } from '../basis.js';
import { constantOf, perChannelOf, record } from '../codec.js';
import { type Constant, channel, type PerChannel } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, sizeOf } from '../types.js';
import { fitChannels } from './affine.js';

export type UnivariateFunction =
  | { readonly _tag: 'activation'; readonly activation: Activation }
  /** x where x >= 0, slope * x elsewhere. */
  | { readonly _tag: 'prelu'; readonly slope: PerChannel }
  /** A text over x and parameters f32[R, P], R = 1 or the number of channels (see numeric/expression). */
  | { readonly _tag: 'expression'; readonly function: string; readonly parameters: Constant };

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
    .with({ _tag: 'expression' }, ({ function: text, parameters }) => {
      const parsed = parseExpression(text);
      invariant(E.isRight(parsed), 'the function of an op was checked');
      const evaluate = expressionEvaluator(parsed.right);
      const [rows, size] = [parameters.shape[0]!, parameters.shape[1]!];
      const at = rows === 1 ? 0 : c * size;
      return (x: number): number => evaluate(x, parameters.data, at);
    })
    .exhaustive();

/** Whether a function fits a number of channels. */
const fits = (f: UnivariateFunction, channels: number): Rule<void> =>
  match(f)
    .returnType<Rule<void>>()
    .with({ _tag: 'activation' }, () => HOLDS)
    .with({ _tag: 'prelu' }, ({ slope }) => fitChannels({ slope }, channels))
    .with({ _tag: 'expression' }, ({ function: text, parameters }) => {
      const parsed = parseExpression(text);
      if (E.isLeft(parsed)) return parsed;
      const [rows, given] = [parameters.shape[0]!, parameters.shape[1]!];
      if (rows !== 1 && rows !== channels)
        return E.left(`${rows} rows of parameters for ${channels} channels`);
      return given < parsed.right.parameters
        ? E.left(`${given} parameters, but the function names ${parsed.right.parameters}`)
        : HOLDS;
    })
    .exhaustive();

/** Whether all channels have the same function. */
const isShared = (f: UnivariateFunction): boolean =>
  match(f)
    .with({ _tag: 'activation' }, () => true)
    .with({ _tag: 'prelu' }, ({ slope }) => typeof slope === 'number')
    .with({ _tag: 'expression' }, ({ parameters }) => parameters.shape[0] === 1)
    .exhaustive();

export const activate = defineOp<'activate', ActivateAttrs, 'univariate'>({
  kind: 'activate',
  role: { _tag: 'univariate', of: (a, c) => univariate(a.function, c) },
  summary: 'y = f(x), f an activation, a PReLU with a slope for each channel, or an expression',
  doc: {
    does: 'an activation, a PReLU or an expression',
    text: [
      '`y = f(x)`, computed in double and rounded once: f32 to the same type. `function`: `activation{activation}`, or `prelu{slope}`, x where x >= 0 and slope * x elsewhere, `slope` f32 per channel, or `expression{function, parameters}`, a text as in `kan` with parameters f32[R, P], R = 1 or the number of channels.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record(
    {
      function: t.union([
        record({ _tag: t.literal('activation'), activation: ActivationCodec }, {}),
        record({ _tag: t.literal('prelu'), slope: perChannelOf('f32') }, {}),
        record({ _tag: t.literal('expression'), function: t.string, parameters: constantOf('f32', 2) }, {}),
      ]),
    },
    {},
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32') return E.left('takes an f32 value');
    return pipe(
      fits(a.function, channelsOf(x)),
      E.map(() => x),
    );
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channelOf = channelIndex(type);
    const shared = isShared(a.function);
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
