/** The graph that the form of a network stands for. Numbers of weights come from a seed: what shrinks is the form. */
import { match } from 'ts-pattern';
import {
  type Basis,
  type Branch,
  type Builder,
  builder,
  type Constant,
  F32,
  floatType,
  functionCount,
  type Graph,
  type Op,
  type PerChannel,
  uint,
  type ValueName,
  type Window,
  windowOutput,
} from '../../src/ir/index.js';
import type { Activation } from '../../src/numeric/activations.js';
import { anyWindow } from '../../test/support/layers.js';
import { constantBy } from '../../test/support/quantizers.js';
import { type Random, randomOf } from '../../test/support/random.js';
import type { BasisSpec, LayerSpec, NetworkSpec, StepSpec, WeightStyle } from './network-specs.js';

const weightOf = (r: Random, style: WeightStyle): number =>
  match(style)
    .with('plain', () => 2 * r.unit() - 1)
    .with('zero', () => 0)
    .with('sparse', () => (r.chance(0.8) ? 0 : 2 * r.unit() - 1))
    .with('large', () => (2 * r.unit() - 1) * 2 ** 40)
    .with('tiny', () => (2 * r.unit() - 1) * 2 ** -130)
    .with('any', r.float)
    .exhaustive();

const knotsOf = (
  r: Random,
  { order, grid, knots, reach }: Extract<BasisSpec, { kind: 'spline' }>,
  inputs: number,
): Constant => {
  const count = grid + 2 * order + 1;
  const [rows, high] = [knots === 'own' || knots === 'equal' ? inputs : 1, 2 ** reach];
  const h = (2 * high) / grid;
  const wander = knots === 'uniform' || knots === 'equal' ? 0 : 0.6;
  const data = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const line = Float32Array.from(
      { length: count },
      (_, j) => -high + (j - order + wander * (r.unit() - 0.5)) * h,
    );
    if (knots === 'repeated') for (let k = 1; k < count; k++) if (r.chance(0.4)) line[k] = line[k - 1]!;
    data.set(line.sort(), row * count);
  }
  return constantBy(F32, [rows, count], (k) => data[k]!);
};

const branchesOf = (
  r: Random,
  { basis: b, outputs, weights }: LayerSpec,
  inputs: number,
  shared: boolean,
): ReadonlyArray<Branch> => {
  const branch = (made: Basis): Branch => ({
    basis: made,
    weights: constantBy(F32, [inputs, functionCount(made), outputs], () => weightOf(r, weights)),
  });
  const withBase = (own: Branch, name: Activation | 'none'): ReadonlyArray<Branch> =>
    name === 'none' ? [own] : [own, branch({ _tag: 'base', activation: name })];
  return match(b)
    .with({ kind: 'spline' }, (s) =>
      withBase(
        branch({ _tag: 'bspline', order: s.order, knots: knotsOf(r, shared ? oneRow(s) : s, inputs) }),
        s.base,
      ),
    )
    .with({ kind: 'rbf' }, (s) =>
      withBase(
        branch({
          _tag: 'rbf',
          centers: constantBy(F32, [s.centers], () => 4 * r.unit() - 2),
          width: s.width,
        }),
        s.base,
      ),
    )
    .with({ kind: 'polynomial' }, ({ family, degree, squash, outer }) => [
      branch({
        _tag: 'polynomial',
        family,
        degree,
        squash,
        outer,
        ...(family === 'gram' ? { beta: constantBy(F32, [degree + 1], () => r.unit() - 0.5) } : {}),
      }),
    ])
    .with({ kind: 'symbolic' }, ({ functions }) =>
      shared
        ? [branch({ _tag: 'base', activation: 'silu' })]
        : [
            branch({
              _tag: 'symbolic',
              functions,
              kinds: constantBy(uint(8), [inputs, 1], () => r.whole(0, functions.length - 1)),
              inner: constantBy(F32, [inputs, 1, 2], () => 4 * r.unit() - 2),
            }),
          ],
    )
    .with({ kind: 'base' }, ({ activation: name }) => [branch({ _tag: 'base', activation: name })])
    .exhaustive();
};

/** Over windows all inputs share their knots. */
const oneRow = (s: Extract<BasisSpec, { kind: 'spline' }>): Extract<BasisSpec, { kind: 'spline' }> =>
  s.knots === 'own' || s.knots === 'equal' ? { ...s, knots: 'uneven' } : s;

/** Most values of an image, so that a case takes milliseconds. */
const LARGEST = 100;

const layerOp = (spec: LayerSpec, shapeOf: ReadonlyArray<number>): Op => {
  const r = randomOf(spec.seed);
  const window: Window | undefined = shapeOf.length === 3 ? anyWindow(r, shapeOf, true) : undefined;
  const groups = window?.groups ?? 1;
  const own = window === undefined ? spec : { ...spec, outputs: Math.min(spec.outputs, 4) };
  const inputs =
    window === undefined ? shapeOf[0]! : (shapeOf[0]! / groups) * window.kernel[0] * window.kernel[1];
  return {
    kind: 'kan',
    attrs: {
      branches: branchesOf(r, own, groups > 1 ? inputs * groups : inputs, window !== undefined),
      ...(spec.bias
        ? { bias: constantBy(F32, [own.outputs * groups], () => weightOf(r, spec.weights)) }
        : {}),
      ...(window === undefined ? {} : { window }),
    },
  };
};

const perChannel = (r: Random, many: boolean, channels: number, lo: number, hi: number): PerChannel => {
  const next = (): number => Math.fround(lo + (hi - lo) * r.unit());
  return many ? constantBy(F32, [channels], next) : next();
};

const poolOp = (reduce: 'max' | 'mean', r: Random, of: ReadonlyArray<number>): Op | undefined => {
  const window: Window = {
    kernel: [r.whole(1, 3), r.whole(1, 3)],
    stride: [r.whole(1, 3), r.whole(1, 3)],
    padding: [0, 0],
    dilation: [1, 1],
    groups: 1,
  };
  return windowOutput(window, of[1]!, of[2]!) === undefined
    ? undefined
    : { kind: 'pool', attrs: { reduce, window } };
};

/** The op of a step on a value of this shape; undefined where it does not suit it. */
const opOf = (s: StepSpec, of: ReadonlyArray<number>): Op | undefined => {
  const channels = of[0]!;
  const size = of.reduce((n, d) => n * d, 1);
  return match(s)
    .with({ kind: 'layer' }, (own) => layerOp(own, of))
    .with({ kind: 'affine' }, ({ seed: k, perChannel: many }): Op => {
      const r = randomOf(k);
      const [scale, shift] = [perChannel(r, many, channels, -2, 2), perChannel(r, many, channels, -1, 1)];
      return { kind: 'affine', attrs: { scale, shift } };
    })
    .with({ kind: 'activate' }, ({ activation: name }): Op => {
      return { kind: 'activate', attrs: { function: { _tag: 'activation', activation: name } } };
    })
    .with({ kind: 'prelu' }, ({ seed: k }): Op => {
      const slope = perChannel(randomOf(k), true, channels, -1, 1);
      return { kind: 'activate', attrs: { function: { _tag: 'prelu', slope } } };
    })
    .with({ kind: 'norm' }, ({ over, seed: k }): Op | undefined => {
      const r = randomOf(k);
      const [scale, shift] = [perChannel(r, true, channels, -2, 2), perChannel(r, true, channels, -1, 1)];
      return over === 'channel' && of.length === 1
        ? undefined
        : { kind: 'norm', attrs: { over, epsilon: 1e-5, scale, shift } };
    })
    .with({ kind: 'pool' }, ({ reduce, seed: k }) =>
      of.length === 3 ? poolOp(reduce, randomOf(k), of) : undefined,
    )
    .with({ kind: 'multiply' }, ({ seed: k }): Op | undefined => {
      const r = randomOf(k);
      const nodes = r.whole(1, 4);
      const indices = (): Constant => constantBy(uint(16), [nodes], () => r.whole(0, channels));
      return of.length === 1 ? { kind: 'multiply', attrs: { left: indices(), right: indices() } } : undefined;
    })
    .with({ kind: 'gather' }, ({ seed: k }): Op => {
      const r = randomOf(k);
      return {
        kind: 'gather',
        attrs: { indices: constantBy(uint(32), [r.whole(1, 6)], () => r.whole(0, channels - 1)) },
      };
    })
    .with({ kind: 'residual' }, (): Op => ({ kind: 'add', attrs: {} }))
    .with({ kind: 'flatten' }, (): Op | undefined =>
      of.length === 3 ? { kind: 'reshape', attrs: { shape: [size] } } : undefined,
    )
    .exhaustive();
};

const grow = (b: Builder<'float'>, { shape: given, steps }: NetworkSpec): ValueName => {
  const values = [b.input('x', floatType(given))];
  for (const s of steps) {
    const value = values[values.length - 1]!;
    const of = b.typeOf(value).shape;
    const op = opOf(s, of);
    if (op === undefined || of.reduce((n, d) => n * d, 1) > LARGEST) continue;
    const like = values.slice(0, -1).findLast((v) => b.typeOf(v).shape.join() === of.join());
    if (s.kind === 'residual' && like === undefined) continue;
    values.push(b.add(s.kind, op, s.kind === 'residual' && like !== undefined ? [value, like] : [value]));
  }
  return values[values.length - 1]!;
};

/** The graph of a network, as the builder gives it. */
export const networkOf = (spec: NetworkSpec): ReturnType<Builder<'float'>['build']> => {
  const b = builder('fuzz', 'float');
  return b.build([grow(b, spec)]);
};

export type Network = Graph<'float'>;
