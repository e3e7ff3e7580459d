/**
 * Activations of polynomials: layers that put silu behind Gram polynomials of tanh(x). The IR has them where the
 * polynomials are those of one recurrence, of all degrees from 1 on.
 */
import type { Polynomial } from '../../ir/basis.js';
import { constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { Activation } from '../../numeric/activations.js';
import type { FunctionId, FunctionTable } from '../functions.js';
import { isTanhOfX, type PolynomialForm } from './polynomial-form.js';
import type { Slot } from './slots.js';

export type Outer = Slot & { readonly kind: 'outer' };

/** Of the largest coefficient. */
const TOLERANCE = 1e-6;

const OF_CALLS: ReadonlyMap<string, Activation> = new Map([
  ['relu', 'relu'],
  ['sigmoid', 'sigmoid'],
  ['tanh', 'tanh'],
  ['softplus', 'softplus'],
]);

/** The activation that a function ends with, and of what. */
const lastActivation = (
  table: FunctionTable,
  id: FunctionId,
): readonly [Activation, FunctionId] | undefined => {
  const node = table.nodeOf(id);
  if (node.kind !== 'call') return undefined;
  const [a, b] = [node.args[0]!, node.args[1] ?? 0];
  const activation = OF_CALLS.get(node.fn);
  if (activation !== undefined) return [activation, a];
  if (node.fn !== 'mul') return undefined;
  const isSigmoidOf = (s: FunctionId, g: FunctionId): boolean => {
    const other = table.nodeOf(s);
    return other.kind === 'call' && other.fn === 'sigmoid' && other.args[0] === g;
  };
  return isSigmoidOf(b, a) ? ['silu', a] : isSigmoidOf(a, b) ? ['silu', b] : undefined;
};

/** The function as an activation of a polynomial of x or tanh(x); undefined where it is none, or one of x itself. */
export const outerOf = (
  table: FunctionTable,
  forms: (id: FunctionId) => PolynomialForm,
  id: FunctionId,
): Outer | undefined => {
  const last = lastActivation(table, id);
  if (last === undefined) return undefined;
  const [activation, inner] = last;
  const { generator, coefficients } = forms(inner);
  const ofX = generator === table.x;
  if (generator === undefined || (ofX && coefficients.length <= 2)) return undefined;
  if (!ofX && !isTanhOfX(table, generator)) return undefined;
  return {
    kind: 'outer',
    activation,
    squash: ofX ? 'none' : 'tanh',
    coefficients: [...coefficients],
    origin: { id, factor: 1, offset: 0 },
  };
};

type Row = ReadonlyArray<number>;

const near = (a: Row, b: Row): boolean => {
  const scale = Math.max(1, ...a.map(Math.abs));
  return Array.from({ length: Math.max(a.length, b.length) }, (_, n) =>
    Math.abs((a[n] ?? 0) - (b[n] ?? 0)),
  ).every((d) => d <= TOLERANCE * scale);
};

/** a * s * p - b * q. */
const step = (a: number, p: Row, b: number, q: Row): Row =>
  Array.from({ length: p.length + 1 }, (_, n) => a * (p[n - 1] ?? 0) - b * (q[n] ?? 0));

/** Whether rows[n] follow P_{n+1} = a_n s P_n - b_n P_{n-1}. */
const follows = (rows: ReadonlyArray<Row>, a: (n: number) => number, b: (n: number) => number): boolean =>
  rows.every((row, n) => n < 2 || near(row, step(a(n - 1), rows[n - 1]!, b(n - 1), rows[n - 2]!)));

/** The basis whose polynomials these are: rows[n] the coefficients of degree n, rows[0] that of 1. */
const familyOf = (rows: ReadonlyArray<Row>): Pick<Polynomial, 'family' | 'beta'> | undefined => {
  if (!near(rows[1]!, [0, 1])) return undefined;
  if (
    follows(
      rows,
      () => 2,
      () => 1,
    )
  )
    return { family: 'chebyshev' };
  if (
    follows(
      rows,
      (n) => (2 * n + 1) / (n + 1),
      (n) => n / (n + 1),
    )
  )
    return { family: 'legendre' };
  // Monic ones: what s P_n has too much is a multiple of P_{n-1}, whose own first coefficient is 1.
  const beta = Float32Array.from(rows, (_, n) =>
    n === 0 || n + 1 >= rows.length ? 0 : (rows[n]![n - 2] ?? 0) - (rows[n + 1]![n - 1] ?? 0),
  );
  return follows(
    rows,
    () => 1,
    (n) => beta[n]!,
  )
    ? { family: 'gram', beta: constant(F32, [beta.length], beta) }
    : undefined;
};

/** The basis of all polynomials under one activation, or undefined where they are not of one recurrence. */
export const outerBasis = (slots: ReadonlyArray<Outer>): Polynomial | undefined => {
  const first = slots[0]!;
  const degree = Math.max(...slots.map((s) => s.coefficients.length - 1));
  if (slots.length !== degree || new Set(slots.map((s) => s.coefficients.length)).size !== degree)
    return undefined;
  const rows: Row[] = [[1]];
  for (const { coefficients } of slots) rows[coefficients.length - 1] = coefficients;
  const family = familyOf(rows);
  if (family === undefined) return undefined;
  return { _tag: 'polynomial', ...family, degree, squash: first.squash, outer: first.activation };
};
