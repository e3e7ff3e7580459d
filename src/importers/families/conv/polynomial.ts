/**
 * The polynomial convolutions of torch-conv-kan.
 *
 * KACNConv2DLayer: y = norm(poly_conv(T_d(tanh x))), `poly_conv.g.weight` [O/g, (I/g) * (D+1), kh, kw], channel
 * i*(D+1) + d.
 *
 * KAGNConv2DLayer: y = act(norm(base_conv(act(x)) + poly_conv(act(P_d(tanh x))))), `poly_weights`
 * [g, O/g, (I/g) * (D+1), kh, kw], channel d*(I/g) + i, with Gram polynomials
 * P_{n+1} = x P_n - beta_n P_{n-1} whose betas come from `beta_weights` [D+1].
 *
 * KAJNConv2DLayer: y = act(norm(base_conv(x) + poly_conv(J_d(tanh x)))), the same names without `beta_weights`, with
 * Jacobi polynomials of a = b = 1.
 *
 * KAGNConv2DLayerV2 has `poly_conv.weight` in place of `poly_weights`. The library reorders the channels of its
 * basis by a list of indices that counts from 0 to I*(D+1) - 1, so they stay in the order d*I + i: with groups, a
 * group sees some degrees of channels that its base convolution does not see.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Branch, Polynomial } from '../../../ir/basis.js';
import { type Constant, constant } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import type { ValueName } from '../../../ir/graph.js';
import type { Activation } from '../../../numeric/activations.js';
import { countsUp, finiteTensor } from '../../tensors.js';
import type { ConvSpec } from './index.js';
import { channelNorm } from './norm.js';
import { emit, imageShape, type Scope, type Step } from './scope.js';
import {
  channelsFit,
  denseWeights,
  groupCount,
  type Kernel,
  kernelList,
  kernelStack,
  stackGroups,
  tapWeights,
  windowOf,
} from './weights.js';

const normAfter = (spec: ConvSpec, name: string, prefixes: ReadonlyArray<string>): Step =>
  spec.norm ? channelNorm({ name, prefixes, epsilon: spec.epsilon }) : (_, value) => E.right(value);

const groupPrefixes = (spec: ConvSpec, groups: number): ReadonlyArray<string> =>
  Array.from({ length: groups }, (_, g) => `${spec.prefix}layer_norm.${g}.`);

/** Layers with an attribute `base_activation`, silu in the library. */
export interface ActivatedSpec extends ConvSpec {
  readonly activation: Activation;
}

/** KACNConv2DLayer. */
export const kacnConv =
  (spec: ConvSpec): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const groups = groupCount(scope.file, spec.prefix, 'poly_conv');
    const kernels = kernelList(scope.file, `${spec.prefix}poly_conv`, groups);
    if (E.isLeft(kernels)) return kernels;
    const first = kernels.right[0]!;
    const functions = (first.channels * groups) / image.right[0];
    if (!Number.isInteger(functions) || image.right[0] % groups !== 0) {
      return fail(
        'K0203',
        `${groups} group(s) of ${first.channels} channels are no multiple of the ${image.right[0]} channels given`,
        { place: { tensor: `${spec.prefix}poly_conv.0.weight` } },
      );
    }
    const degrees = countsUp(scope.file, `${spec.prefix}arange`, functions);
    if (E.isLeft(degrees)) return degrees;
    const basis: Polynomial = {
      _tag: 'polynomial',
      family: 'chebyshev',
      degree: functions - 1,
      squash: 'tanh',
      outer: 'identity',
    };
    const branches = [{ basis, weights: tapWeights(kernels.right, functions, 'channel-major') }];
    const window = windowOf(first, spec.geometry, groups);
    const name = spec.norm ? `${spec.name}.kan` : spec.name;
    const sum = emit(scope, name, { kind: 'kan', attrs: { branches, window } }, [value]);
    if (E.isLeft(sum)) return sum;
    return normAfter(spec, spec.name, groupPrefixes(spec, groups))(scope, sum.right);
  };

/** f32[D+1]: beta_n = (m+n)(m-n) n^2 / (m^2 / (4n^2 - 1)) * weight_n with m = n + 1; beta_0 is not used. */
const gramBetas = (weights: ArrayLike<number>): Constant => {
  const betas = Float32Array.from({ length: weights.length }, (_, n) => {
    const m = n + 1;
    return n === 0 ? 0 : (((m + n) * (m - n) * n ** 2) / (m ** 2 / (4 * n ** 2 - 1))) * weights[n]!;
  });
  return constant(F32, [betas.length], betas);
};

interface GramLayer {
  readonly base: ReadonlyArray<Kernel>;
  readonly branches: ReadonlyArray<Branch>;
  /** Groups of the windowed layer. */
  readonly groups: number;
  readonly norms: ReadonlyArray<string>;
}

/**
 * Jacobi polynomials of a = b = 1 are Gram polynomials times their leading coefficients k_n:
 * J_n = t_n x J_{n-1} - u_n J_{n-2}, t_n = (n + 1)(2n + 1) / (n (n + 2)), u_n = (n + 1) / (n + 2), J_1 = 2x,
 * so that k_n = t_n k_{n-1} and beta_{n-1} = u_n k_{n-2} / k_n.
 */
const jacobi = (degree: number): { readonly beta: Constant; readonly leading: ReadonlyArray<number> } => {
  const leading = [1, 2];
  const beta = new Float32Array(degree + 1);
  for (let n = 2; n <= degree; n++) {
    leading.push((((n + 1) * (2 * n + 1)) / (n * (n + 2))) * leading[n - 1]!);
    beta[n - 1] = ((n + 1) / (n + 2)) * (leading[n - 2]! / leading[n]!);
  }
  return { beta: constant(F32, [degree + 1], beta), leading };
};

/** Weights [I, K, O] with each function's times a factor of its own. */
const scaled = ({ shape, data }: Constant, factors: ReadonlyArray<number>): Constant => {
  const [K, O] = [shape[1]!, shape[2]!];
  const times = Float32Array.from(data, (w, e) => w * factors[Math.floor(e / O) % K]!);
  return constant(F32, shape, times);
};

/** KAJNConv2DLayer. */
export const kajnConv =
  (spec: ActivatedSpec): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const groups = groupCount(scope.file, spec.prefix, 'base_conv');
    const poly = finiteTensor(scope.file, `${spec.prefix}poly_weights`, 5, [groups]);
    if (E.isLeft(poly)) return poly;
    const functions = (poly.right.shape[2]! * groups) / image.right[0];
    if (!Number.isInteger(functions) || functions < 2 || functions > 64) {
      return fail(
        'K0203',
        `${groups} group(s) of ${poly.right.shape[2]} channels for ${image.right[0]} channels given`,
        {
          place: { tensor: `${spec.prefix}poly_weights` },
          expected: 'those of 2 to 64 polynomials for every channel',
        },
      );
    }
    const { beta, leading } = jacobi(functions - 1);
    const common = { _tag: 'polynomial', family: 'gram', squash: 'tanh', outer: 'identity' } as const;
    const basis: Polynomial = { ...common, degree: functions - 1, beta };
    const layer = firstVersion(scope, spec, basis, image.right[0], { base: 'identity', leading });
    return E.isLeft(layer) ? layer : activated(scope, spec, layer.right, value);
  };

/** KAGNConv2DLayer and KAGNConv2DLayerV2. */
export const kagnConv =
  (spec: ActivatedSpec): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const beta = finiteTensor(scope.file, `${spec.prefix}beta_weights`, 1);
    if (E.isLeft(beta)) return beta;
    const basis: Polynomial = {
      _tag: 'polynomial',
      family: 'gram',
      degree: beta.right.data.length - 1,
      squash: 'tanh',
      outer: spec.activation,
      beta: gramBetas(beta.right.data),
    };
    const second = scope.file.tensors.has(`${spec.prefix}poly_conv.weight`);
    const make = second ? secondVersion : firstVersion;
    const layer = make(scope, spec, basis, image.right[0], { base: spec.activation });
    return E.isLeft(layer) ? layer : activated(scope, spec, layer.right, value);
  };

/** act(norm(layer(x))) */
const activated = (
  scope: Scope,
  spec: ActivatedSpec,
  { base, branches, groups, norms }: GramLayer,
  value: ValueName,
): Checked<ValueName> => {
  const window = windowOf(base[0]!, spec.geometry, groups);
  const sum = emit(scope, `${spec.name}.kan`, { kind: 'kan', attrs: { branches, window } }, [value]);
  if (E.isLeft(sum)) return sum;
  const normal = normAfter(spec, `${spec.name}.norm`, norms)(scope, sum.right);
  if (E.isLeft(normal)) return normal;
  const activation = { _tag: 'activation', activation: spec.activation } as const;
  return emit(scope, spec.name, { kind: 'activate', attrs: { function: activation } }, [normal.right]);
};

/** What stands before the base convolution, and by how much functions are multiplied. */
interface Kind {
  readonly base: Activation;
  readonly leading?: ReadonlyArray<number>;
}

const firstVersion = (
  { file }: Scope,
  spec: ConvSpec,
  basis: Polynomial,
  channels: number,
  kind: Kind,
): Checked<GramLayer> => {
  const groups = groupCount(file, spec.prefix, 'base_conv');
  const functions = basis.degree + 1;
  const base = kernelList(file, `${spec.prefix}base_conv`, groups);
  if (E.isLeft(base)) return base;
  const first = base.right[0]!;
  const fit = channelsFit(channels, first.channels * groups, `${spec.prefix}base_conv.0.weight`);
  if (E.isLeft(fit)) return fit;
  const shape = [groups, first.outputs, first.channels * functions, ...first.size];
  const poly = kernelStack(file, `${spec.prefix}poly_weights`, groups, shape);
  if (E.isLeft(poly)) return poly;
  const weights = tapWeights(poly.right, functions, 'function-major');
  return E.right({
    base: base.right,
    branches: [
      { basis, weights: kind.leading === undefined ? weights : scaled(weights, kind.leading) },
      {
        basis: { _tag: 'base', activation: kind.base },
        weights: tapWeights(base.right, 1, 'channel-major'),
      },
    ],
    groups,
    norms: groupPrefixes(spec, groups),
  });
};

const secondVersion = (
  { file }: Scope,
  spec: ConvSpec,
  basis: Polynomial,
  channels: number,
  { base: activation }: Kind,
): Checked<GramLayer> => {
  const functions = basis.degree + 1;
  const groups = stackGroups(file, `${spec.prefix}base_conv.weight`, channels);
  if (E.isLeft(groups)) return groups;
  const base = kernelStack(file, `${spec.prefix}base_conv.weight`, groups.right, Array(4).fill(undefined));
  if (E.isLeft(base)) return base;
  const first = base.right[0]!;
  const shape = [first.outputs * groups.right, first.channels * functions, ...first.size];
  const poly = kernelStack(file, `${spec.prefix}poly_conv.weight`, groups.right, shape);
  if (E.isLeft(poly)) return poly;
  const plain = denseWeights(base.right, 1, 'channel-major');
  if (E.isLeft(plain)) return plain;
  const gram = denseWeights(poly.right, functions, 'function-major');
  if (E.isLeft(gram)) return gram;
  return E.right({
    base: base.right,
    branches: [
      { basis, weights: gram.right },
      { basis: { _tag: 'base', activation }, weights: plain.right },
    ],
    groups: 1,
    norms: [`${spec.prefix}layer_norm.`],
  });
};
