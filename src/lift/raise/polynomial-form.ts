/**
 * Every function as a polynomial of one generator: the variable, or the largest part that is no polynomial of less.
 * Recurrences, powers and products that a program unrolls come out as coefficients, by arithmetic on them.
 */
import { applyScalar } from '../../numeric/scalar.js';
import type { FunctionId, FunctionNode, FunctionTable } from '../functions.js';
import { inductive } from './memo.js';

type Row = ReadonlyArray<number>;

/** sum over n of coefficients[n] * g^n, g the generator; without one, a constant. */
export interface PolynomialForm {
  readonly generator: FunctionId | undefined;
  /** Ascending; the last is not 0, unless it is the only one. */
  readonly coefficients: Row;
}

/** Higher degrees are left as they are: their coefficients cancel too much to be found by arithmetic on powers. */
export const MOST_DEGREE = 20;

/** How far a bound may cut into the range of tanh: libraries keep acos off its ends with a few units of f32. */
const BOUND_MARGIN = 2e-6;

const trimmed = (c: Row): Row => {
  let n = c.length;
  while (n > 1 && c[n - 1] === 0) n--;
  return n === c.length ? c : c.slice(0, n);
};

const plus = (a: Row, b: Row, factor: number): Row => {
  const out = Array.from({ length: Math.max(a.length, b.length) }, (_, n) => a[n] ?? 0);
  for (let n = 0; n < b.length; n++) out[n]! += factor * b[n]!;
  return out;
};

const times = (a: Row, b: Row): Row => {
  const out = new Array<number>(a.length + b.length - 1).fill(0);
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) out[i + j]! += a[i]! * b[j]!;
  }
  return out;
};

const scaled = (a: Row, factor: number): Row => a.map((v) => v * factor);

const toPower = (a: Row, n: number): Row => {
  let out: Row = [1];
  for (let k = 0; k < n; k++) out = times(out, a);
  return out;
};

/** T_n of a polynomial. */
const chebyshevOf = (n: number, q: Row): Row => {
  let [before, now]: [Row, Row] = [[1], q];
  if (n === 0) return before;
  for (let k = 1; k < n; k++) [before, now] = [now, plus(scaled(times(q, now), 2), before, -1)];
  return now;
};

const degreeOf = (c: Row): number => c.length - 1;

/** A node as a polynomial of polynomials: of which functions, and the coefficients from theirs. */
interface Composition {
  readonly operands: ReadonlyArray<FunctionId>;
  readonly compose: (...polynomials: ReadonlyArray<Row>) => Row | undefined;
}

type Forms = (id: FunctionId) => PolynomialForm;

const powerOf = (table: FunctionTable, base: FunctionId, exponent: FunctionId): Composition | undefined => {
  const n = table.constantOf(exponent);
  if (n === undefined || !Number.isInteger(n) || n < 0) return undefined;
  const node = table.nodeOf(base);
  // |q|^n is q^n for even n.
  const even = n % 2 === 0 && node.kind === 'call' && node.fn === 'abs' ? node.args[0]! : base;
  return {
    operands: [even],
    compose: (q) => (degreeOf(q!) * n > MOST_DEGREE ? undefined : toPower(q!, n)),
  };
};

/** cos(n * acos(s)) is T_n(s). */
const cosineOf = (table: FunctionTable, of: Forms, angle: FunctionId): Composition | undefined => {
  const { generator, coefficients } = of(angle);
  if (generator === undefined || coefficients.length !== 2 || coefficients[0] !== 0) return undefined;
  const node = table.nodeOf(generator);
  const n = Math.abs(coefficients[1]!);
  if (node.kind !== 'call' || node.fn !== 'acos' || !Number.isInteger(n)) return undefined;
  return {
    operands: [node.args[0]!],
    compose: (q) => (degreeOf(q!) * n > MOST_DEGREE ? undefined : chebyshevOf(n, q!)),
  };
};

/** A bound that tanh does not reach, but for the last digits of f32. */
const boundedOf = (
  table: FunctionTable,
  of: Forms,
  fn: 'min' | 'max',
  [a, b]: readonly [FunctionId, FunctionId],
): Composition | undefined => {
  const [bound, inner] = table.constantOf(a) === undefined ? [b, a] : [a, b];
  const limit = table.constantOf(bound);
  const { generator, coefficients } = of(inner);
  if (limit === undefined || generator === undefined) return undefined;
  const node = table.nodeOf(generator);
  if (node.kind !== 'call' || node.fn !== 'tanh') return undefined;
  if (coefficients.length !== 2 || coefficients[0] !== 0 || coefficients[1] !== 1) return undefined;
  const free = fn === 'min' ? limit >= 1 - BOUND_MARGIN : limit <= BOUND_MARGIN - 1;
  return free ? { operands: [inner], compose: (q) => q } : undefined;
};

const compositionOf = (table: FunctionTable, of: Forms, node: FunctionNode): Composition | undefined => {
  if (node.kind === 'sum') {
    return {
      operands: [...node.parts],
      compose: (...polynomials) => polynomials.reduce((total, q, j) => plus(total, q, node.factors[j]!), [0]),
    };
  }
  if (node.kind !== 'call') return undefined;
  const [a, b] = [node.args[0]!, node.args[1] ?? 0];
  // A plain switch, as in all that is done for every function: layers have a hundred thousand of them.
  switch (node.fn) {
    case 'neg':
      return { operands: [a], compose: (p) => scaled(p!, -1) };
    case 'add':
      return { operands: [a, b], compose: (p, q) => plus(p!, q!, 1) };
    case 'sub':
      return { operands: [a, b], compose: (p, q) => plus(p!, q!, -1) };
    case 'mul':
      return {
        operands: [a, b],
        compose: (p, q) => (degreeOf(p!) + degreeOf(q!) > MOST_DEGREE ? undefined : times(p!, q!)),
      };
    case 'div': {
      const divisor = table.constantOf(b);
      if (divisor === undefined) return undefined;
      return { operands: [a], compose: (p) => p!.map((v) => v / divisor) };
    }
    case 'pow':
      return powerOf(table, a, b);
    case 'cos':
      return cosineOf(table, of, a);
    case 'min':
    case 'max':
      return boundedOf(table, of, node.fn, [a, b]);
    default:
      return undefined;
  }
};

/** The one generator of all that is not constant; undefined where there are several or none. */
const commonGenerator = (forms: ReadonlyArray<PolynomialForm>): FunctionId | undefined => {
  let common: FunctionId | undefined;
  for (const { generator } of forms) {
    if (generator === undefined) continue;
    if (common !== undefined && common !== generator) return undefined;
    common = generator;
  }
  return common;
};

/** The value of a call whose arguments have turned out to be constants, such as cos(0 * acos(s)). */
const constantValue = (node: FunctionNode, of: Forms): number | undefined => {
  if (node.kind !== 'call') return undefined;
  const forms = node.args.map(of);
  if (forms.some((f) => f.generator !== undefined)) return undefined;
  const [a = 0, b = 0, c = 0] = forms.map((f) => f.coefficients[0]!);
  return applyScalar(node.fn, a, b, c);
};

const LINE: Row = [0, 1];

/** The polynomial forms of the functions of a table. */
export const polynomialForms = (table: FunctionTable): Forms =>
  inductive<PolynomialForm>(table, (id, of) => {
    const node = table.nodeOf(id);
    if (node.kind === 'constant') return { generator: undefined, coefficients: [node.value] };
    const itself = { generator: id, coefficients: LINE };
    const value = constantValue(node, of);
    if (value !== undefined) return { generator: undefined, coefficients: [value] };
    const composition = compositionOf(table, of, node);
    if (composition === undefined) return itself;
    const forms = composition.operands.map(of);
    const generator = commonGenerator(forms);
    if (generator === undefined) return itself;
    const coefficients = composition.compose(...forms.map((f) => f.coefficients));
    if (coefficients === undefined || !coefficients.every(Number.isFinite)) return itself;
    const kept = trimmed(coefficients);
    return { generator: kept.length > 1 ? generator : undefined, coefficients: kept };
  });

/** Whether a function is tanh(x): the generator of polynomials on -1..1. */
export const isTanhOfX = (table: FunctionTable, id: FunctionId): boolean => {
  const node = table.nodeOf(id);
  return node.kind === 'call' && node.fn === 'tanh' && node.args[0] === table.x;
};

/**
 * The same polynomial by Chebyshev polynomials of the first kind: x^n is 2^(1 - n) times the sum over k of C(n, k)
 * T_{n - 2k}, with half of the last where n - 2k is 0.
 */
export const toChebyshev = (coefficients: Row): Row => {
  const out = new Array<number>(coefficients.length).fill(0);
  for (let n = 0; n < coefficients.length; n++) {
    let binomial = 1;
    for (let k = 0; 2 * k <= n; k++) {
      const share = n === 0 ? 1 : 2 * k === n ? 2 ** -n : 2 ** (1 - n);
      out[n - 2 * k]! += coefficients[n]! * share * binomial;
      binomial = (binomial * (n - k)) / (k + 1);
    }
  }
  return out;
};

/** Sum of c[n] T_n(s), by Clenshaw's recurrence. */
export const chebyshevSum = (c: Row, s: number): number => {
  let [b1, b2] = [0, 0];
  for (let n = c.length - 1; n > 0; n--) [b1, b2] = [c[n]! + 2 * s * b1 - b2, b1];
  return c[0]! + s * b1 - b2;
};

/** Larger sums of coefficients lose more than 4e-6 of the values when they are rounded to f32. */
const MOST_CANCELLATION = 64;

/**
 * Whether coefficients in f32 give a sum of Chebyshev polynomials well, also where its argument is on one side of 0 only:
 * polynomials that are made for 0..1 are huge on the other side, and their coefficients with them.
 */
export const isWellConditioned = (c: Row): boolean => {
  const size = c.reduce((total, v) => total + Math.abs(v), 0);
  const peak = (sign: number): number => {
    let most = 0;
    for (let j = 0; j <= 24; j++) most = Math.max(most, Math.abs(chebyshevSum(c, (sign * j) / 24)));
    return most;
  };
  return size <= MOST_CANCELLATION * Math.min(peak(1), peak(-1));
};
