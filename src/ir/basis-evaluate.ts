/** Evaluating bases: one closure per branch, no allocation per point. */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { invariant } from '../diagnostics/index.js';
import { ACTIVATIONS } from '../numeric/activations.js';
import { basisAt } from '../numeric/bspline.js';
import { expressionEvaluator, parseExpression } from '../numeric/expression/index.js';
import { addRow } from '../numeric/rows.js';
import { SYMBOLIC_FUNCTIONS } from '../numeric/symbolic.js';
import { exp, tanh } from '../numeric/transcendental.js';
import {
  type Basis,
  type Branch,
  type BSpline,
  type ExpressionBasis,
  functionCount,
  knotRow,
  type Polynomial,
  type RadialBasis,
  type Symbolic,
  supportSize,
} from './basis.js';
import { f32Data } from './constant.js';

/**
 * Call `evaluate` with an input (of the branch, from 0) and x; afterwards `values[r]`, r < supportSize, are the
 * functions `first + r`.
 */
export interface BasisEvaluator {
  readonly values: Float64Array;
  /** Index of the function in values[0]; may be negative near the ends (such values are 0). */
  first: number;
  readonly evaluate: (input: number, x: number) => void;
}

export const basisEvaluator = (basis: Basis, inputs: number): BasisEvaluator => {
  const values = new Float64Array(supportSize(basis));
  const dense = (evaluate: BasisEvaluator['evaluate']): BasisEvaluator => ({ values, first: 0, evaluate });
  return match(basis)
    .with({ _tag: 'bspline' }, (b) => splineEvaluator(b, inputs, values))
    .with({ _tag: 'base' }, ({ activation }) => {
      const f = ACTIVATIONS[activation];
      return dense((_, x) => {
        values[0] = f(x);
      });
    })
    .with({ _tag: 'rbf' }, (b) => dense(radial(b, values)))
    .with({ _tag: 'polynomial' }, (b) => dense(polynomial(b, values)))
    .with({ _tag: 'symbolic' }, (b) => dense(symbolic(b, values)))
    .with({ _tag: 'expression' }, (b) => expressions(b))
    .exhaustive();
};

const splineEvaluator = (basis: BSpline, inputs: number, values: Float64Array): BasisEvaluator => {
  const shared = basis.knots.shape[0] === 1;
  const rows = Array.from({ length: shared ? 1 : inputs }, (_, i) => knotRow(basis, i));
  const evaluator: BasisEvaluator = {
    values,
    first: 0,
    evaluate: (input, x) => {
      evaluator.first = basisAt(rows[shared ? 0 : input]!, basis.order, x, values) ?? 0;
    },
  };
  return evaluator;
};

const radial = (
  { centers, width, kernel }: RadialBasis,
  values: Float64Array,
): BasisEvaluator['evaluate'] => {
  const c = f32Data(centers);
  if (kernel === 'reflectional-switch') {
    return (_, x) => {
      for (let k = 0; k < values.length; k++) {
        const t = tanh((x - c[k]!) / width);
        values[k] = 1 - t * t;
      }
    };
  }
  return (_, x) => {
    for (let k = 0; k < values.length; k++) {
      const d = (x - c[k]!) / width;
      values[k] = exp(-d * d);
    }
  };
};

const polynomial = (basis: Polynomial, values: Float64Array): BasisEvaluator['evaluate'] => {
  const { family, degree, squash } = basis;
  const beta = basis.beta === undefined ? undefined : f32Data(basis.beta);
  const a = (n: number): number =>
    family === 'chebyshev' ? 2 : family === 'gram' ? 1 : (2 * n + 1) / (n + 1);
  const b = (n: number): number =>
    family === 'chebyshev' ? 1 : family === 'gram' ? (beta?.[n] ?? 0) : n / (n + 1);
  const as = Float64Array.from({ length: degree + 1 }, (_, n) => a(n));
  const bs = Float64Array.from({ length: degree + 1 }, (_, n) => b(n));
  const outer = basis.outer === 'identity' ? undefined : ACTIVATIONS[basis.outer];
  return (_, x) => {
    const s = squash === 'tanh' ? tanh(x) : x;
    values[0] = 1;
    if (degree > 0) values[1] = s;
    for (let n = 1; n < degree; n++) values[n + 1] = as[n]! * s * values[n]! - bs[n]! * values[n - 1]!;
    if (outer !== undefined) for (let n = 0; n <= degree; n++) values[n] = outer(values[n]!);
  };
};

const symbolic = (basis: Symbolic, values: Float64Array): BasisEvaluator['evaluate'] => {
  const count = values.length;
  const functions = basis.functions.map((name) => SYMBOLIC_FUNCTIONS[name]);
  const inner = f32Data(basis.inner);
  return (input, x) => {
    for (let k = 0; k < count; k++) {
      const e = input * count + k;
      values[k] = functions[basis.kinds.data[e]!]!(inner[2 * e]! * x + inner[2 * e + 1]!);
    }
  };
};

/** Functions by their text: `values` has one for each function, or for each function and output where edges differ. */
const expressions = (basis: ExpressionBasis): BasisEvaluator => {
  const parsed = parseExpression(basis.function);
  invariant(E.isRight(parsed), 'the function of a basis was checked');
  const evaluate = expressionEvaluator(parsed.right);
  const { shape } = basis.parameters;
  const parameters = f32Data(basis.parameters);
  const size = shape.at(-1)!;
  const count = shape.slice(1, -1).reduce((n, d) => n * d, 1);
  const values = new Float64Array(count);
  const shared = shape[0] === 1;
  return {
    values,
    first: 0,
    evaluate: (input, x) => {
      const row = shared ? 0 : input * count;
      for (let k = 0; k < count; k++) values[k] = evaluate(x, parameters, (row + k) * size);
    },
  };
};

/** A branch ready to be evaluated. */
export interface BranchEvaluator {
  readonly evaluator: BasisEvaluator;
  readonly weights: Float32Array;
  readonly functions: number;
  readonly outputs: number;
  /** Whether values are those of edges: one for each function and output. */
  readonly edges: boolean;
  /** The inputs of the layer that the branch reads: from .. to - 1. */
  readonly from: number;
  readonly to: number;
}

export const branchEvaluator = ({ basis, weights, from = 0 }: Branch): BranchEvaluator => {
  const inputs = weights.shape[0]!;
  return {
    evaluator: basisEvaluator(basis, inputs),
    weights: f32Data(weights),
    functions: functionCount(basis),
    outputs: weights.shape[2]!,
    edges: basis._tag === 'expression' && basis.edges === true,
    from,
    to: from + inputs,
  };
};

/** Adds the contribution of x at input `i` of the layer: acc[at + o] += sum_k basis_k(x) * weights[i - from, k, o]. */
export const accumulateInput = (b: BranchEvaluator, i: number, x: number, acc: Float64Array): void => {
  if (i < b.from || i >= b.to) return;
  b.evaluator.evaluate(i - b.from, x);
  addProducts(b, i - b.from, acc, 0);
};

/** The products of the last evaluation with the weights of branch input `input`, added to acc from `at` on. */
export const addProducts = (b: BranchEvaluator, input: number, acc: Float64Array, at: number): void => {
  const { values, first } = b.evaluator;
  const { outputs, weights } = b;
  if (b.edges) {
    addEdges(b, input, acc, at);
    return;
  }
  for (let r = 0; r < values.length; r++) {
    const v = values[r]!;
    // Zeros are skipped for speed, except where a weight could turn one into NaN: weights are finite.
    if (v === 0) continue;
    addRow(acc, at, weights, (input * b.functions + first + r) * outputs, v, outputs);
  }
};

/** The same where every edge has functions of its own. A weight of 0 is no edge, whatever its function is there. */
const addEdges = (b: BranchEvaluator, input: number, acc: Float64Array, at: number): void => {
  const { values } = b.evaluator;
  const { outputs, weights, functions } = b;
  for (let k = 0; k < functions; k++) {
    const row = (input * functions + k) * outputs;
    for (let o = 0; o < outputs; o++) {
      const weight = weights[row + o]!;
      if (weight !== 0) acc[at + o]! += values[k * outputs + o]! * weight;
    }
  }
};
