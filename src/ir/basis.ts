/**
 * Bases: the univariate functions that a KAN layer expands each input into. All families are the same layer
 * and differ only here. A branch pairs a basis with its weights; a layer is the sum of its branches.
 */
import * as t from 'io-ts';
import { ACTIVATIONS, type Activation, isActivation } from '../numeric/activations.js';
import { basisAt, type KnotRow } from '../numeric/bspline.js';
import { constantOf, integer, record } from './codec.js';
import { type Constant, f32Data } from './constant.js';

/**
 * B-splines of an order p on knots f32[R, G + 2p + 1], R = 1 (all inputs share them) or the number of inputs.
 * K = G + p functions.
 */
export interface BSpline {
  readonly _tag: 'bspline';
  readonly order: number;
  readonly knots: Constant;
}

/** One function for all inputs: the base branch. K = 1. */
export interface Base {
  readonly _tag: 'base';
  readonly activation: Activation;
}

export type Basis = BSpline | Base;

const ActivationCodec = new t.Type<Activation, Activation, unknown>(
  `one of ${Object.keys(ACTIVATIONS).join(', ')}`,
  (u): u is Activation => typeof u === 'string' && isActivation(u),
  (u, c) => (typeof u === 'string' && isActivation(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

const BasisCodec: t.Type<Basis, unknown, unknown> = t.union([
  record({ _tag: t.literal('bspline'), order: integer(0, 15), knots: constantOf('f32', 2) }, {}),
  record({ _tag: t.literal('base'), activation: ActivationCodec }, {}),
]);

/** weights: f32[I, K, O], outputs contiguous. */
export interface Branch {
  readonly basis: Basis;
  readonly weights: Constant;
}

export const BranchCodec: t.Type<Branch, unknown, unknown> = record(
  { basis: BasisCodec, weights: constantOf('f32', 3) },
  {},
);

/** Number of functions of a basis. */
export const functionCount = (basis: Basis): number =>
  basis._tag === 'bspline' ? basis.knots.shape[1]! - basis.order - 1 : 1;

/** Most functions that are non-zero at one point. */
export const supportSize = (basis: Basis): number => (basis._tag === 'bspline' ? basis.order + 1 : 1);

/** The knots of one input. */
export const knotRow = (basis: BSpline, input: number): KnotRow => {
  const [rows, count] = [basis.knots.shape[0]!, basis.knots.shape[1]!];
  const row = rows === 1 ? 0 : input;
  return { knots: f32Data(basis.knots), offset: row * count, count };
};

/**
 * Evaluates a basis for many inputs without allocating: call with an input index and x; afterwards
 * `values[r]`, r < supportSize, are the functions `first + r`.
 */
export interface BasisEvaluator {
  readonly values: Float64Array;
  /** Index of the function in values[0]; may be negative near the ends (such values are 0). */
  first: number;
  readonly evaluate: (input: number, x: number) => void;
}

export const basisEvaluator = (basis: Basis, inputs: number): BasisEvaluator => {
  const values = new Float64Array(supportSize(basis));
  if (basis._tag === 'base') {
    const f = ACTIVATIONS[basis.activation];
    return {
      values,
      first: 0,
      evaluate: (_, x) => {
        values[0] = f(x);
      },
    };
  }
  const rows = Array.from({ length: basis.knots.shape[0] === 1 ? 1 : inputs }, (_, i) => knotRow(basis, i));
  const shared = rows.length === 1;
  const evaluator: BasisEvaluator = {
    values,
    first: 0,
    evaluate: (input, x) => {
      evaluator.first = basisAt(rows[shared ? 0 : input]!, basis.order, x, values) ?? 0;
    },
  };
  return evaluator;
};

/**
 * Adds the contribution of x at `input` to acc[0 .. O): acc[o] += sum_k basis_k(x) * weights[input, k, o].
 */
export const accumulateBranch = (
  evaluator: BasisEvaluator,
  weights: Float32Array,
  functions: number,
  outputs: number,
  input: number,
  x: number,
  acc: Float64Array,
): void => {
  evaluator.evaluate(input, x);
  const { values, first } = evaluator;
  for (let r = 0; r < values.length; r++) {
    const b = values[r]!;
    if (b === 0) continue;
    const row = (input * functions + first + r) * outputs;
    for (let o = 0; o < outputs; o++) acc[o]! += b * weights[row + o]!;
  }
};
