/**
 * Bases: the univariate functions that a KAN layer expands each input into. All families are the same layer
 * and differ only here. A branch pairs a basis with its weights; a layer is the sum of its branches.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { match } from 'ts-pattern';
import { HOLDS, type Rule } from '../diagnostics/index.js';
import { ACTIVATIONS, type Activation, isActivation } from '../numeric/activations.js';
import type { KnotRow } from '../numeric/bspline.js';
import { parseExpression } from '../numeric/expression/index.js';
import { isSymbolicFunction, SYMBOLIC_FUNCTIONS, type SymbolicFunction } from '../numeric/symbolic.js';
import { constantOf, Finite, integer, record } from './codec.js';
import { type Constant, f32Data } from './constant.js';

/**
 * B-splines of an order p on knots f32[R, G + 2p + 1], R = 1 (all inputs share them) or the number of inputs.
 * K = G + p functions.
 */
export interface BSpline {
  readonly _tag: 'bspline';
  readonly order: number;
  readonly knots: Constant;
  /**
   * What 0/0 on repeated knots makes 0: absent, the term that has it; `vanish`, the whole function, at every degree,
   * which is what pykan's nan_to_num does.
   */
  readonly repeated?: 'vanish';
}

/** One function for all inputs: the base branch. K = 1. */
export interface Base {
  readonly _tag: 'base';
  readonly activation: Activation;
}

/**
 * The function of the distance that a radial basis has, with t = (x - center) / width:
 *
 *   gaussian: exp(-t^2)        reflectional-switch: 1 - tanh(t)^2
 */
export const RADIAL_KERNELS = ['gaussian', 'reflectional-switch'] as const;
export type RadialKernel = (typeof RADIAL_KERNELS)[number];

export const isRadialKernel = (name: unknown): name is RadialKernel => RADIAL_KERNELS.some((k) => k === name);

/** One function of the distance to centers f32[M], which all inputs share. K = M. */
export interface RadialBasis {
  readonly _tag: 'rbf';
  readonly centers: Constant;
  readonly width: number;
  /** `gaussian` when absent. */
  readonly kernel?: RadialKernel;
}

/**
 * Polynomials of degree 0 to D of s(x), by the three-term recurrence P_{n+1} = a_n x P_n - b_n P_{n-1}, P_0 = 1,
 * P_1 = x; `outer` is applied to every value. K = D + 1.
 *
 *   chebyshev: a_n = 2, b_n = 1        legendre: a_n = (2n + 1) / (n + 1), b_n = n / (n + 1)
 *   gram: a_n = 1, b_n = beta[n]
 */
export interface Polynomial {
  readonly _tag: 'polynomial';
  readonly family: 'chebyshev' | 'legendre' | 'gram';
  readonly degree: number;
  readonly squash: 'tanh' | 'none';
  readonly outer: Activation;
  /** f32[D + 1], for gram. */
  readonly beta?: Constant;
}

/**
 * Functions that differ per input: function k of input i is f(inner[i,k,0] * x + inner[i,k,1]) with f the name
 * functions[kinds[i,k]].
 */
export interface Symbolic {
  readonly _tag: 'symbolic';
  readonly functions: ReadonlyArray<SymbolicFunction>;
  /** uint[I, K]. */
  readonly kinds: Constant;
  /** f32[I, K, 2]. */
  readonly inner: Constant;
}

/**
 * Functions without a name: K functions of one form, which is a text over x and parameters p0, p1, ... (see
 * numeric/expression). Parameters are f32[R, K, P], R = 1 or the number of inputs; with `edges` every edge has functions of
 * its own, and they are f32[R, K, O, P].
 */
export interface ExpressionBasis {
  readonly _tag: 'expression';
  readonly function: string;
  readonly parameters: Constant;
  readonly edges?: true;
}

export type Basis = BSpline | Base | RadialBasis | Polynomial | Symbolic | ExpressionBasis;

export const ActivationCodec = new t.Type<Activation, Activation, unknown>(
  `one of ${Object.keys(ACTIVATIONS).join(', ')}`,
  (u): u is Activation => typeof u === 'string' && isActivation(u),
  (u, c) => (typeof u === 'string' && isActivation(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

const SymbolicCodec = new t.Type<SymbolicFunction, SymbolicFunction, unknown>(
  `one of ${Object.keys(SYMBOLIC_FUNCTIONS).join(', ')}`,
  (u): u is SymbolicFunction => typeof u === 'string' && isSymbolicFunction(u),
  (u, c) => (typeof u === 'string' && isSymbolicFunction(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

export const RadialKernelCodec = new t.Type<RadialKernel, RadialKernel, unknown>(
  `one of ${RADIAL_KERNELS.join(', ')}`,
  isRadialKernel,
  (u, c) => (isRadialKernel(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

const BasisCodec: t.Type<Basis, unknown, unknown> = t.union([
  record(
    { _tag: t.literal('bspline'), order: integer(0, 15), knots: constantOf('f32', 2) },
    { repeated: t.literal('vanish') },
  ),
  record({ _tag: t.literal('base'), activation: ActivationCodec }, {}),
  record(
    { _tag: t.literal('rbf'), centers: constantOf('f32', 1), width: Finite },
    { kernel: RadialKernelCodec },
  ),
  record(
    {
      _tag: t.literal('polynomial'),
      family: t.union([t.literal('chebyshev'), t.literal('legendre'), t.literal('gram')]),
      degree: integer(0, 63),
      squash: t.union([t.literal('tanh'), t.literal('none')]),
      outer: ActivationCodec,
    },
    { beta: constantOf('f32', 1) },
  ),
  record(
    {
      _tag: t.literal('symbolic'),
      functions: t.readonlyArray(SymbolicCodec),
      kinds: constantOf('uint', 2),
      inner: constantOf('f32', 3),
    },
    {},
  ),
  record({ _tag: t.literal('expression'), function: t.string, parameters: constantOf('f32', 3) }, {}),
  record(
    {
      _tag: t.literal('expression'),
      function: t.string,
      parameters: constantOf('f32', 4),
      edges: t.literal(true),
    },
    {},
  ),
]);

/**
 * weights: f32[I, K, O], outputs contiguous, for I inputs of the layer starting at `from` (0 when absent): what
 * a layer takes twice, as it is and normalised, comes in side by side and each branch reads its part.
 */
export interface Branch {
  readonly basis: Basis;
  readonly weights: Constant;
  readonly from?: number;
}

export const BranchCodec: t.Type<Branch, unknown, unknown> = record(
  { basis: BasisCodec, weights: constantOf('f32', 3) },
  { from: integer(0, 2 ** 31 - 1) },
);

/** Constants of a basis of which each row belongs to an input, if there is more than one row. */
const rowsOf = (basis: Basis): ReadonlyArray<Constant> =>
  match(basis)
    .with({ _tag: 'bspline' }, ({ knots }) => [knots])
    .with({ _tag: 'symbolic' }, ({ kinds, inner }) => [kinds, inner])
    .with({ _tag: 'expression' }, ({ parameters }) => [parameters])
    .with({ _tag: 'base' }, { _tag: 'rbf' }, { _tag: 'polynomial' }, () => [])
    .exhaustive();

/** Whether all inputs of a branch have the same functions. */
export const isSharedBasis = (basis: Basis): boolean =>
  basis._tag !== 'symbolic' && rowsOf(basis).every((c) => c.shape[0] === 1);

/** Whether all places of a window read a channel through the same functions: what layers over images need. */
export const isSharedByTaps = (basis: Basis, taps: number): boolean =>
  rowsOf(basis).every((c) => {
    const rows = c.shape[0]!;
    if (rows === 1) return true;
    const size = c.data.length / rows;
    for (let r = 0; r < rows; r++) {
      const from = Math.floor(r / taps) * taps * size;
      for (let k = 0; k < size; k++) if (!Object.is(c.data[r * size + k], c.data[from + k])) return false;
    }
    return true;
  });

/** Number of functions of a basis. */
export const functionCount = (basis: Basis): number =>
  match(basis)
    .with({ _tag: 'bspline' }, ({ knots, order }) => knots.shape[1]! - order - 1)
    .with({ _tag: 'base' }, () => 1)
    .with({ _tag: 'rbf' }, ({ centers }) => centers.shape[0]!)
    .with({ _tag: 'polynomial' }, ({ degree }) => degree + 1)
    .with({ _tag: 'symbolic' }, ({ kinds }) => kinds.shape[1]!)
    .with({ _tag: 'expression' }, ({ parameters }) => parameters.shape[1]!)
    .exhaustive();

/** Most functions that are non-zero at one point. */
export const supportSize = (basis: Basis): number =>
  basis._tag === 'bspline' ? basis.order + 1 : functionCount(basis);

const expressionFault = (
  { function: text, parameters, edges }: ExpressionBasis,
  inputs: number,
  outputs: number,
): Rule<void> => {
  const parsed = parseExpression(text);
  if (E.isLeft(parsed)) return parsed;
  const rows = parameters.shape[0]!;
  if (rows !== 1 && rows !== inputs) return E.left(`${rows} rows of parameters for ${inputs} inputs`);
  if (edges && parameters.shape[2] !== outputs) {
    return E.left(`parameters of ${parameters.shape[2]} outputs for ${outputs}`);
  }
  const given = parameters.shape.at(-1)!;
  return given < parsed.right.parameters
    ? E.left(`${given} parameters, but the function names ${parsed.right.parameters}`)
    : HOLDS;
};

/** Whether a basis fits `inputs` inputs and, where edges differ, `outputs` outputs, whatever its numbers are. */
export const basisFault = (basis: Basis, inputs: number, outputs: number): Rule<void> =>
  match(basis)
    .returnType<Rule<void>>()
    .with({ _tag: 'bspline' }, ({ knots, order }) => {
      const [rows, count] = [knots.shape[0]!, knots.shape[1]!];
      if (rows !== 1 && rows !== inputs) return E.left(`${rows} rows of knots for ${inputs} inputs`);
      return count < 2 * order + 2 ? E.left(`${count} knots are too few for order ${order}`) : HOLDS;
    })
    .with({ _tag: 'base' }, () => HOLDS)
    .with({ _tag: 'rbf' }, ({ width }) => (width > 0 ? HOLDS : E.left(`the width is ${width}`)))
    .with({ _tag: 'polynomial' }, ({ family, beta, degree }) => {
      if (family !== 'gram')
        return beta === undefined ? HOLDS : E.left(`${family} polynomials have no betas`);
      return beta?.shape[0] === degree + 1
        ? HOLDS
        : E.left(`gram polynomials of degree ${degree} need ${degree + 1} betas`);
    })
    .with({ _tag: 'symbolic' }, ({ kinds, inner, functions }) => {
      const [rows, count] = [kinds.shape[0]!, kinds.shape[1]!];
      if (rows !== inputs || inner.shape[0] !== rows || inner.shape[1] !== count || inner.shape[2] !== 2) {
        return E.left(`kinds and inner must be [${inputs}, K] and [${inputs}, K, 2]`);
      }
      return kinds.data.some((k: number) => k >= functions.length)
        ? E.left('a kind names no function')
        : HOLDS;
    })
    .with({ _tag: 'expression' }, (basis) => expressionFault(basis, inputs, outputs))
    .exhaustive();

/** The constants of a basis. */
export const basisConstants = (basis: Basis): ReadonlyArray<Constant> =>
  match(basis)
    .with({ _tag: 'bspline' }, ({ knots }) => [knots])
    .with({ _tag: 'base' }, () => [])
    .with({ _tag: 'rbf' }, ({ centers }) => [centers])
    .with({ _tag: 'polynomial' }, ({ beta }) => (beta === undefined ? [] : [beta]))
    .with({ _tag: 'symbolic' }, ({ kinds, inner }) => [kinds, inner])
    .with({ _tag: 'expression' }, ({ parameters }) => [parameters])
    .exhaustive();

/** Whether functions may have poles, or end where their definition does: log, division. */
export const mayBeSingular = (basis: Basis): boolean =>
  basis._tag === 'symbolic' || basis._tag === 'expression';

/** The knots of one input. */
export const knotRow = (basis: BSpline, input: number): KnotRow => {
  const [rows, count] = [basis.knots.shape[0]!, basis.knots.shape[1]!];
  const row = rows === 1 ? 0 : input;
  return {
    knots: f32Data(basis.knots),
    offset: row * count,
    count,
    vanishing: basis.repeated === 'vanish',
  };
};
