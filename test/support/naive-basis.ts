/** The bases once more: full recursions and closed forms, from the functions of the engine. */
import type { Basis, Constant } from '../../src/ir/index.js';
import type { Activation } from '../../src/numeric/activations.js';
import type { SymbolicFunction } from '../../src/numeric/symbolic.js';
import { naiveExpression } from './naive-expression.js';

/** A number, and how large the terms were that gave it: what rounding may be measured by. */
export interface Approximate {
  readonly value: number;
  readonly magnitude: number;
}

export const at = (c: Constant, ...indices: number[]): number => {
  const flat = indices.reduce((n, index, axis) => n * c.shape[axis]! + index, 0);
  const value = c.data[flat];
  if (value === undefined || indices.some((index, axis) => index < 0 || index >= c.shape[axis]!)) {
    throw new Error(`index ${indices.join(',')} is outside [${c.shape.join(',')}]`);
  }
  return value;
};

/** The row of a constant whose first dimension is 1 or the number of channels. */
export const rowOf = (c: Constant, channel: number): number => (c.shape[0] === 1 ? 0 : channel);

/**
 * B_{k,p}(x) by the recursion itself. 0/0 is 0 as a term; with `vanish` it is NaN, as it is for a machine, and so is
 * what it is added to, which counts as 0 at every degree.
 */
export const coxDeBoor = (
  knots: ArrayLike<number>,
  k: number,
  order: number,
  x: number,
  repeated?: 'vanish',
): number => {
  if (order === 0) return x >= knots[k]! && x < knots[k + 1]! ? 1 : 0;
  const ratio = (a: number, b: number): number => (b !== 0 ? a / b : repeated === undefined ? 0 : Number.NaN);
  const left = ratio(x - knots[k]!, knots[k + order]! - knots[k]!);
  const right = ratio(knots[k + order + 1]! - x, knots[k + order + 1]! - knots[k + 1]!);
  const value =
    left * coxDeBoor(knots, k, order - 1, x, repeated) +
    right * coxDeBoor(knots, k + 1, order - 1, x, repeated);
  return Number.isNaN(value) ? 0 : value;
};

/** erf by Simpson's rule. */
export const simpsonErf = (x: number): number => {
  const steps = 20000;
  const h = x / steps;
  let sum = 1 + Math.exp(-x * x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return (2 / Math.sqrt(Math.PI)) * (h / 3) * sum;
};

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const NAIVE_ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  silu: (x) => (x < -700 ? 0 : x * logistic(x)),
  gelu: (x) => 0.5 * x * (1 + (Math.abs(x) > 9 ? Math.sign(x) : simpsonErf(x / Math.SQRT2))),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  softplus,
  mish: (x) => x * Math.tanh(softplus(x)),
  tanh: Math.tanh,
  sigmoid: logistic,
  gaussian: (x) => Math.exp(-(x ** 2)),
  identity: (x) => x,
  zero: (x) => 0 * Math.min(Math.max(x, -1), 1),
};

export const NAIVE_SYMBOLIC: Readonly<Record<SymbolicFunction, (x: number) => number>> = {
  '0': () => 0,
  x: (x) => x,
  'x^2': (x) => x ** 2,
  'x^3': (x) => x ** 3,
  'x^4': (x) => x ** 4,
  'x^5': (x) => x ** 5,
  '1/x': (x) => x ** -1,
  '1/x^2': (x) => 1 / x ** 2,
  '1/x^3': (x) => 1 / x ** 3,
  '1/x^4': (x) => 1 / x ** 4,
  '1/x^5': (x) => 1 / x ** 5,
  sqrt: Math.sqrt,
  'x^0.5': Math.sqrt,
  'x^1.5': (x) => (x < 0 ? Number.NaN : x ** 1.5),
  '1/sqrt(x)': (x) => 1 / Math.sqrt(x),
  '1/x^0.5': (x) => 1 / Math.sqrt(x),
  exp: Math.exp,
  log: Math.log,
  abs: Math.abs,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  sgn: Math.sign,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  arctanh: Math.atanh,
  gaussian: (x) => Math.exp(-(x ** 2)),
};

/** Functions whose absolute error grows with |x|: there the value is told to be as large as its error. */
const PERIODIC: ReadonlySet<SymbolicFunction> = new Set(['sin', 'cos', 'tan']);

const symbolicValue = (name: SymbolicFunction, x: number): Approximate => {
  const value = NAIVE_SYMBOLIC[name](x);
  if (PERIODIC.has(name) && Math.abs(x) > 1e6) return { value, magnitude: Number.POSITIVE_INFINITY };
  return { value, magnitude: name === 'tan' ? 1 + value * value : 1 + Math.abs(value) };
};

/** Cosine of n times the angle whose cosine is x, and its continuation beyond [-1, 1]. */
const chebyshev = (n: number, x: number): number => {
  if (Math.abs(x) <= 1) return Math.cos(n * Math.acos(x));
  return (x < 0 && n % 2 === 1 ? -1 : 1) * Math.cosh(n * Math.acosh(Math.abs(x)));
};

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);

/** Terms of the explicit sum 2^-n sum_k (-1)^k C(n,k) C(2n-2k,n) x^(n-2k). */
const legendreTerms = (n: number, x: number): ReadonlyArray<number> =>
  Array.from(
    { length: Math.floor(n / 2) + 1 },
    (_, k) => ((-1) ** k * choose(n, k) * choose(2 * n - 2 * k, n) * x ** (n - 2 * k)) / 2 ** n,
  );

/** P_{n+1} = x P_n - beta_n P_{n-1}; with `sign` 1 instead of -1 and x > 0 a bound of all terms. */
const gram = (n: number, x: number, beta: (n: number) => number, sign: 1 | -1): number =>
  n === 0
    ? 1
    : n === 1
      ? x
      : x * gram(n - 1, x, beta, sign) + sign * beta(n - 1) * gram(n - 2, x, beta, sign);

const polynomialValue = (
  basis: Extract<Basis, { _tag: 'polynomial' }>,
  k: number,
  x: number,
): Approximate => {
  const s = basis.squash === 'tanh' ? Math.tanh(x) : x;
  const inner = (): Approximate => {
    if (basis.family === 'chebyshev') {
      const value = chebyshev(k, s);
      // The recurrence passes all smaller degrees, and its error grows with the square of the degree.
      return { value, magnitude: 1 + Math.abs(value) };
    }
    if (basis.family === 'legendre') {
      const terms = legendreTerms(k, s);
      return {
        value: terms.reduce((a, b) => a + b, 0),
        magnitude: terms.reduce((a, b) => a + Math.abs(b), 1),
      };
    }
    const beta = (n: number): number => (basis.beta === undefined ? 0 : at(basis.beta, n));
    return {
      value: gram(k, s, beta, -1),
      magnitude: 1 + gram(k, Math.abs(s), (n) => Math.abs(beta(n)), 1),
    };
  };
  const { value, magnitude } = inner();
  const result = NAIVE_ACTIVATIONS[basis.outer](value);
  return { value: result, magnitude: magnitude + Math.abs(result) };
};

/** Function k of input i of a branch, at x; where edges differ, that of output o. */
export const basisValue = (basis: Basis, i: number, k: number, x: number, o = 0): Approximate => {
  switch (basis._tag) {
    case 'bspline': {
      const row = rowOf(basis.knots, i);
      const knots = Array.from({ length: basis.knots.shape[1]! }, (_, c) => at(basis.knots, row, c));
      const value = coxDeBoor(knots, k, basis.order, x, basis.repeated);
      return { value, magnitude: Math.abs(value) };
    }
    case 'base': {
      const value = NAIVE_ACTIVATIONS[basis.activation](x);
      return { value, magnitude: 1e-6 + Math.abs(value) };
    }
    case 'rbf': {
      const t = (x - at(basis.centers, k)) / basis.width;
      const value = basis.kernel === 'reflectional-switch' ? 1 / Math.cosh(t) ** 2 : Math.exp(-(t ** 2));
      return { value, magnitude: 1e-6 + value };
    }
    case 'polynomial':
      return polynomialValue(basis, k, x);
    case 'symbolic': {
      const name = basis.functions[at(basis.kinds, i, k)]!;
      return symbolicValue(name, at(basis.inner, i, k, 0) * x + at(basis.inner, i, k, 1));
    }
    case 'expression': {
      const { parameters } = basis;
      const [row, size] = [rowOf(parameters, i), parameters.shape.at(-1)!];
      const own = Array.from({ length: size }, (_, p) =>
        basis.edges ? at(parameters, row, k, o, p) : at(parameters, row, k, p),
      );
      const value = naiveExpression(basis.function, x, own);
      return { value, magnitude: 1e-6 + Math.abs(value) };
    }
  }
};
