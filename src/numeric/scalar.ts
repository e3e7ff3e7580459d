/**
 * Scalar functions by name: what the elementwise ops of tensor programs compute, and what the functions of an
 * expression basis are made of. All in doubles, from the compiler's own transcendental functions, so that values are
 * the same on every machine. Truth is 1 and 0; what is not 0 counts as true.
 */
import { acos, asin, atan, cos, erf, exp, log, sigmoid, sin, tan, tanh } from './transcendental.js';

const truth = (b: boolean): number => (b ? 1 : 0);

/** To the nearest integer, of two equally near the even one. */
export const roundHalfEven = (x: number): number => {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
};

/**
 * x to the power of y by repeated squaring where y is a small integer, as the square root where it is one half, by
 * exp and log otherwise: NaN for a negative x then, as C's pow has it.
 */
export const power = (x: number, y: number): number => {
  if (Number.isInteger(y) && Math.abs(y) <= 64) {
    let result = 1;
    let factor = x;
    for (let n = Math.abs(y); n > 0; n >>= 1) {
      if (n & 1) result *= factor;
      factor *= factor;
    }
    return y < 0 ? 1 / result : result;
  }
  if (y === 0.5) return Math.sqrt(x);
  if (x === 0) return y > 0 ? 0 : Number.POSITIVE_INFINITY;
  if (x < 0 && Number.isInteger(y)) return (y % 2 === 0 ? 1 : -1) * exp(y * log(-x));
  return exp(y * log(x));
};

export const UNARY_SCALARS = {
  neg: (x: number): number => -x,
  abs: (x: number): number => Math.abs(x),
  sign: (x: number): number => Math.sign(x),
  reciprocal: (x: number): number => 1 / x,
  sqrt: (x: number): number => Math.sqrt(x),
  exp,
  log,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh: (x: number): number => (exp(x) - exp(-x)) / 2,
  cosh: (x: number): number => (exp(x) + exp(-x)) / 2,
  tanh,
  asinh: (x: number): number => Math.sign(x) * log(Math.abs(x) + Math.sqrt(x * x + 1)),
  acosh: (x: number): number => log(x + Math.sqrt(x * x - 1)),
  atanh: (x: number): number => (Math.abs(x) <= 1 ? log((1 + x) / (1 - x)) / 2 : Number.NaN),
  erf,
  sigmoid,
  softplus: (x: number): number => (x > 40 ? x : log(1 + exp(x))),
  relu: (x: number): number => Math.max(x, 0),
  floor: (x: number): number => Math.floor(x),
  ceil: (x: number): number => Math.ceil(x),
  round: roundHalfEven,
  trunc: (x: number): number => Math.trunc(x),
  not: (x: number): number => truth(x === 0),
  'is-nan': (x: number): number => truth(Number.isNaN(x)),
  'is-inf': (x: number): number => truth(x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY),
  /** What a conversion to truth values makes. */
  bool: (x: number): number => truth(x !== 0),
} as const;

export const BINARY_SCALARS = {
  add: (x: number, y: number): number => x + y,
  sub: (x: number, y: number): number => x - y,
  mul: (x: number, y: number): number => x * y,
  div: (x: number, y: number): number => x / y,
  pow: power,
  min: (x: number, y: number): number => Math.min(x, y),
  max: (x: number, y: number): number => Math.max(x, y),
  /** The remainder with the sign of the divisor, as Python has it. */
  mod: (x: number, y: number): number => x - Math.floor(x / y) * y,
  /** The remainder with the sign of the dividend, as C has it. */
  fmod: (x: number, y: number): number => x % y,
  eq: (x: number, y: number): number => truth(x === y),
  lt: (x: number, y: number): number => truth(x < y),
  le: (x: number, y: number): number => truth(x <= y),
  gt: (x: number, y: number): number => truth(x > y),
  ge: (x: number, y: number): number => truth(x >= y),
  and: (x: number, y: number): number => truth(x !== 0 && y !== 0),
  or: (x: number, y: number): number => truth(x !== 0 || y !== 0),
  xor: (x: number, y: number): number => truth((x !== 0) !== (y !== 0)),
  /** x where it is not negative, y times x elsewhere. */
  prelu: (x: number, y: number): number => (x < 0 ? y * x : x),
} as const;

export const TERNARY_SCALARS = {
  where: (c: number, x: number, y: number): number => (c !== 0 ? x : y),
} as const;

export type UnaryScalar = keyof typeof UNARY_SCALARS;
export type BinaryScalar = keyof typeof BINARY_SCALARS;
export type TernaryScalar = keyof typeof TERNARY_SCALARS;
export type ScalarFunction = UnaryScalar | BinaryScalar | TernaryScalar;

export const isUnaryScalar = (name: string): name is UnaryScalar => Object.hasOwn(UNARY_SCALARS, name);
export const isBinaryScalar = (name: string): name is BinaryScalar => Object.hasOwn(BINARY_SCALARS, name);
export const isTernaryScalar = (name: string): name is TernaryScalar => Object.hasOwn(TERNARY_SCALARS, name);
export const isScalarFunction = (name: string): name is ScalarFunction =>
  isUnaryScalar(name) || isBinaryScalar(name) || isTernaryScalar(name);

/** How many arguments a function takes. */
export const arityOf = (name: ScalarFunction): 1 | 2 | 3 =>
  isUnaryScalar(name) ? 1 : isBinaryScalar(name) ? 2 : 3;

/** The function at its arguments; what it has no use for is not read. */
export const applyScalar = (name: ScalarFunction, a: number, b: number, c: number): number =>
  isUnaryScalar(name)
    ? UNARY_SCALARS[name](a)
    : isBinaryScalar(name)
      ? BINARY_SCALARS[name](a, b)
      : TERNARY_SCALARS[name](a, b, c);
