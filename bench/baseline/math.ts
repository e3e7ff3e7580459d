/**
 * Elementary functions of four floats at once, about as exact as f32 is (test/bench/baseline.test.ts holds the errors).
 * They are the usual ones of numeric libraries: Cephes for exp and sin, Eigen's rational functions for tanh and erf.
 */
import type { Activation } from '../../src/numeric/activations.js';
import type { SymbolicFunction } from '../../src/numeric/symbolic.js';
import { type Code, floatsOf, ROUNDER, type Use } from './code.js';

type Vectorized = (code: Code, x: Use) => Use;

/** e^x = 2^n e^r with n = round(x / ln 2): n goes into the exponent by an integer addition, e^r is a polynomial. */
export const exp: Vectorized = (code, x) => {
  const { constant, add, sub, mul, least, greatest, polynomial } = floatsOf(code);
  const { asm, vector } = code;
  const { i32x4 } = asm.m;
  // Below, 2^n would leave the normal numbers; above, the largest float.
  const clamped = greatest(least(x, constant(88)), constant(-87));
  const shifted = add(mul(clamped, constant(Math.LOG2E)), constant(ROUNDER));
  const n = sub(shifted, constant(ROUNDER));
  // ln 2 in two parts, so that n times the first is exact.
  const r = sub(sub(clamped, mul(n, constant(0.693359375))), mul(n, constant(-2.1219444e-4)));
  const tail = polynomial(
    r,
    [1.98756915e-4, 1.39819995e-3, 8.33345191e-3, 4.16657959e-2, 1.66666655e-1, 5.00000012e-1],
  );
  const power = add(add(mul(mul(tail, r), r), r), constant(1));
  return vector(i32x4.add(power(), i32x4.shl(shifted(), asm.m.i32.const(23))));
};

const negated = (code: Code, x: Use): Use => code.vector(code.asm.m.f32x4.neg(x()));

const sigmoid: Vectorized = (code, x) => {
  const { constant, add, div } = floatsOf(code);
  return div(constant(1), add(exp(code, negated(code, x)), constant(1)));
};

const silu: Vectorized = (code, x) => {
  const { constant, add, div } = floatsOf(code);
  return div(x, add(exp(code, negated(code, x)), constant(1)));
};

/** x P(x^2) / Q(x^2) on [-limit, limit], where the function is as good as constant beyond. */
const rational =
  (limit: number, p: ReadonlyArray<number>, q: ReadonlyArray<number>): Vectorized =>
  (code, x) => {
    const { constant, mul, div, least, greatest, polynomial } = floatsOf(code);
    const c = greatest(least(x, constant(limit)), constant(-limit));
    const squared = mul(c, c);
    return div(mul(polynomial(squared, p), c), polynomial(squared, q));
  };

const tanh = rational(
  7.905311107635498,
  [
    -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8,
    1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3,
  ],
  [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3],
);

const erf = rational(
  4,
  [
    -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5,
    -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2,
  ],
  [
    -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3,
    -1.42647390514189e-2,
  ],
);

const gelu: Vectorized = (code, x) => {
  const { constant, add, mul } = floatsOf(code);
  const half = mul(x, constant(0.5));
  return add(mul(half, erf(code, mul(x, constant(Math.SQRT1_2)))), half);
};

const geluTanh: Vectorized = (code, x) => {
  const { constant, add, mul } = floatsOf(code);
  const half = mul(x, constant(0.5));
  const inner = mul(x, add(mul(mul(x, x), constant(0.7978845608 * 0.044715)), constant(0.7978845608)));
  return add(mul(half, tanh(code, inner)), half);
};

/** f(x) where x < 0 and x elsewhere. */
const belowZero =
  (f: Vectorized): Vectorized =>
  (code, x) => {
    const { m } = code.asm;
    const zero = floatsOf(code).constant(0);
    const below = f(code, x);
    return code.vector(m.v128.bitselect(below(), x(), m.f32x4.lt(x(), zero())));
  };

const expMinusOne =
  (factor: number): Vectorized =>
  (code, x) => {
    const { constant, sub, mul } = floatsOf(code);
    return mul(sub(exp(code, x), constant(1)), constant(factor));
  };

const scaledBy =
  (factor: number, f: Vectorized): Vectorized =>
  (code, x) =>
    floatsOf(code).mul(f(code, x), floatsOf(code).constant(factor));

const identity: Vectorized = (_, x) => x;

/** The activations that there is vector code for. */
export const ACTIVATION_CODE: Partial<Record<Activation, Vectorized>> = {
  silu,
  gelu,
  gelu_tanh: geluTanh,
  relu: (code, x) => floatsOf(code).greatest(x, floatsOf(code).constant(0)),
  leaky_relu: belowZero(scaledBy(0.01, identity)),
  elu: belowZero(expMinusOne(1)),
  selu: scaledBy(1.0507009873554805, belowZero(expMinusOne(1.6732632423543772))),
  tanh,
  sigmoid,
  identity,
  zero: (code) => floatsOf(code).constant(0),
};

/**
 * sin(x + quarter * pi / 2): the octant by Cody and Waite's reduction in three parts, then the polynomial of sine or
 * of cosine. Exact to f32 for |x| up to some thousands.
 */
const sine =
  (quarter: 0 | 1): Vectorized =>
  (code, x) => {
    const { constant, bits, add, sub, mul, polynomial } = floatsOf(code);
    const { asm, vector } = code;
    const { m } = asm;
    const shifted = add(mul(x, constant(2 / Math.PI)), constant(ROUNDER));
    const n = sub(shifted, constant(ROUNDER));
    const r = sub(
      sub(sub(x, mul(n, constant(1.5703125))), mul(n, constant(4.837512969970703e-4))),
      mul(n, constant(7.549789948768648e-8)),
    );
    const s = mul(r, r);
    const sin = add(mul(mul(polynomial(s, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), s), r), r);
    const cos = add(
      mul(mul(polynomial(s, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]), s), s),
      sub(constant(1), mul(s, constant(0.5))),
    );
    const quadrant = vector(m.i32x4.add(shifted(), bits(quarter)()));
    const odd = vector(m.i32x4.eq(m.v128.and(quadrant(), bits(1)()), bits(1)()));
    const sign = vector(m.i32x4.shl(m.v128.and(quadrant(), bits(2)()), m.i32.const(30)));
    return vector(m.v128.xor(m.v128.bitselect(cos(), sin(), odd()), sign()));
  };

const power = (n: number): Vectorized => {
  const raised: Vectorized = (code, x) => {
    const { mul } = floatsOf(code);
    return n === 1 ? x : mul(power(n - 1)(code, x), x);
  };
  return raised;
};

const reciprocal =
  (f: Vectorized): Vectorized =>
  (code, x) =>
    floatsOf(code).div(floatsOf(code).constant(1), f(code, x));

const root: Vectorized = (code, x) => code.vector(code.asm.m.f32x4.sqrt(x()));

/** The symbolic functions that there is vector code for. */
export const SYMBOLIC_CODE: Partial<Record<SymbolicFunction, Vectorized>> = {
  '0': (code) => floatsOf(code).constant(0),
  x: identity,
  'x^2': power(2),
  'x^3': power(3),
  'x^4': power(4),
  'x^5': power(5),
  '1/x': reciprocal(identity),
  '1/x^2': reciprocal(power(2)),
  sqrt: root,
  'x^0.5': root,
  '1/sqrt(x)': reciprocal(root),
  exp,
  abs: (code, x) => code.vector(code.asm.m.f32x4.abs(x())),
  sin: sine(0),
  cos: sine(1),
  tanh,
  gaussian: (code, x) => exp(code, negated(code, floatsOf(code).mul(x, x))),
};
