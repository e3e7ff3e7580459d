/**
 * Piecewise polynomials: functions that are made of comparisons of x with constants, of sums and of products. Where
 * the pieces meet and how high their degree can be follows from how they are made; what they are is told by values.
 */
import type { FunctionId, FunctionNode, FunctionTable } from '../functions.js';
import { inductive } from './memo.js';
import { valuesAt } from './pointwise.js';
import type { PolynomialForm } from './polynomial-form.js';

export interface Pieces {
  /** Where pieces meet, ascending; roots of what is compared, in doubles. */
  readonly breaks: ReadonlyArray<number>;
  /** No piece has a higher degree. */
  readonly degree: number;
}

/** More pieces than a basis function has: sums of splines are taken apart first. */
const MOST_BREAKS = 24;

/** The union of two ascending rows; one of them itself where the other adds nothing. */
const merged = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): ReadonlyArray<number> => {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  const out: number[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [p, q] = [a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY];
    out.push(Math.min(p, q));
    if (p <= q) i++;
    if (q <= p) j++;
  }
  return out.length === a.length ? a : out;
};

const NO_BREAKS: ReadonlyArray<number> = [];

type Known = (id: FunctionId) => Pieces | undefined;

interface Context {
  readonly table: FunctionTable;
  readonly forms: (id: FunctionId) => PolynomialForm;
  readonly known: Known;
}

/** What sums of functions have. */
const union = (parts: ArrayLike<FunctionId>, known: Known): Pieces | undefined => {
  let breaks = NO_BREAKS;
  let degree = 0;
  for (let k = 0; k < parts.length; k++) {
    const part = known(parts[k]!);
    if (part === undefined) return undefined;
    breaks = merged(breaks, part.breaks);
    degree = Math.max(degree, part.degree);
    if (breaks.length > MOST_BREAKS) return undefined;
  }
  return { breaks, degree };
};

const withDegree = (pieces: Pieces | undefined, degree: (d: number) => number): Pieces | undefined =>
  pieces === undefined ? undefined : { breaks: pieces.breaks, degree: degree(pieces.degree) };

/** Lines through two points of every piece, and where they are 0 on it. */
const rootsOf = (
  breaks: ReadonlyArray<number>,
  difference: (points: ReadonlyArray<number>) => ReadonlyArray<number>,
): number[] => {
  const [first = 0, last = 0] = [breaks[0], breaks[breaks.length - 1]];
  const reach = Math.max(1, last - first);
  const places = [first - reach, ...breaks, last + reach];
  if (breaks.length === 0) places.splice(1, 1);
  const points = new Array<number>(2 * (places.length - 1)).fill(0);
  for (let j = 0; j + 1 < places.length; j++) {
    points[2 * j] = places[j]! + (places[j + 1]! - places[j]!) / 4;
    points[2 * j + 1] = places[j]! + (3 * (places[j + 1]! - places[j]!)) / 4;
  }
  const values = difference(points);
  const roots: number[] = [];
  for (let j = 0; j + 1 < places.length; j++) {
    const [p, q, fp, fq] = [points[2 * j]!, points[2 * j + 1]!, values[2 * j]!, values[2 * j + 1]!];
    if (fp === fq) continue;
    const root = p - (fp * (q - p)) / (fq - fp);
    const from = j === 0 ? Number.NEGATIVE_INFINITY : places[j]!;
    const to = j + 2 === places.length ? Number.POSITIVE_INFINITY : places[j + 1]!;
    // At the end of a piece, up to rounding, there is a break already.
    const margin = 1e-9 * Math.max(1, Math.abs(root));
    if (root > from + margin && root < to - margin) roots.push(root);
  }
  return roots;
};

/** Where a - b changes its sign, if both are lines on pieces; pieces of the given degree meet there. */
const split = (
  { table, forms, known }: Context,
  a: FunctionId,
  b: FunctionId | undefined,
  degree: number,
): Pieces | undefined => {
  const p = forms(a);
  const q = b === undefined ? undefined : forms(b);
  const linear = (f: PolynomialForm): boolean =>
    (f.generator === table.x || f.generator === undefined) && f.coefficients.length <= 2;
  if (linear(p) && (q === undefined || linear(q))) {
    const slope = (p.coefficients[1] ?? 0) - (q?.coefficients[1] ?? 0);
    const offset = p.coefficients[0]! - (q?.coefficients[0] ?? 0);
    if (slope === 0) return { breaks: NO_BREAKS, degree };
    const root = offset === 0 ? 0 : -offset / slope;
    return Number.isFinite(root) ? { breaks: [root], degree } : undefined;
  }
  const both = union(b === undefined ? [a] : [a, b], known);
  if (both === undefined || both.degree > 1) return undefined;
  const roots = rootsOf(both.breaks, (points) => {
    const values = valuesAt(table, a, points);
    const others = b === undefined ? undefined : valuesAt(table, b, points);
    return values.map((v, j) => v - (others?.[j] ?? 0));
  });
  const breaks = [...new Set([...both.breaks, ...roots])].sort((r, t) => r - t);
  return breaks.length > MOST_BREAKS ? undefined : { breaks, degree };
};

/**
 * Where a function is infinite and has a sign: what replaces infinities by numbers asks that. A polynomial with an
 * infinite coefficient is infinite with one sign on each piece, and one without is nowhere infinite.
 */
const infinityOf = (
  table: FunctionTable,
  test: FunctionId,
  comparison: FunctionId,
  known: Known,
): Pieces | undefined => {
  const callTo = (id: FunctionId): (FunctionNode & { kind: 'call' }) | undefined => {
    const node = table.nodeOf(id);
    if (node.kind !== 'call') return undefined;
    return node.fn === 'bool' ? callTo(node.args[0]!) : node;
  };
  const [infinite, sign] = [callTo(test), callTo(comparison)];
  if (infinite?.fn !== 'is-inf' || (sign?.fn !== 'gt' && sign?.fn !== 'lt')) return undefined;
  const compared = sign.args[0] === infinite.args[0] && table.constantOf(sign.args[1]!) === 0;
  return compared ? withDegree(known(infinite.args[0]!), () => 0) : undefined;
};

const callOf = (context: Context, node: FunctionNode & { kind: 'call' }): Pieces | undefined => {
  const { table, known } = context;
  const [a, b] = [node.args[0]!, node.args[1] ?? 0];
  const all = (): Pieces | undefined => union(node.args, known);
  const constantPieces = (): Pieces | undefined => {
    const pieces = all();
    return pieces?.degree === 0 ? pieces : undefined;
  };
  switch (node.fn) {
    case 'neg':
    case 'add':
    case 'sub':
      return all();
    case 'mul':
      return withDegree(all(), () => (known(a)?.degree ?? 0) + (known(b)?.degree ?? 0));
    case 'div':
      return table.constantOf(b) === undefined ? undefined : known(a);
    case 'pow': {
      const n = table.constantOf(b);
      if (n === undefined || !Number.isInteger(n) || n < 0) return undefined;
      return withDegree(known(a), (d) => d * n);
    }
    case 'eq':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return constantPieces() ?? split(context, a, b, 0);
    case 'min':
    case 'max':
      return constantPieces() ?? split(context, a, b, 1);
    case 'relu':
    case 'abs':
      return constantPieces() ?? split(context, a, undefined, 1);
    case 'and':
      return infinityOf(table, a, b, known) ?? infinityOf(table, b, a, known) ?? constantPieces();
    case 'or':
    case 'xor':
    case 'not':
    case 'bool':
    case 'sign':
    case 'floor':
    case 'ceil':
    case 'round':
    case 'trunc':
      return constantPieces();
    case 'is-nan':
    case 'is-inf':
      // A product with 0/0 or 1/0 is one number on each piece.
      return withDegree(known(a), () => 0);
    case 'where':
      return known(a)?.degree === 0 ? all() : undefined;
    default:
      return undefined;
  }
};

/** The pieces of the functions of a table; undefined for functions that are no piecewise polynomials. */
export const piecesOf = (
  table: FunctionTable,
  forms: (id: FunctionId) => PolynomialForm,
): ((id: FunctionId) => Pieces | undefined) =>
  inductive<Pieces | undefined>(table, (id, known) => {
    const node = table.nodeOf(id);
    switch (node.kind) {
      case 'x':
        return { breaks: NO_BREAKS, degree: 1 };
      case 'constant':
        return { breaks: NO_BREAKS, degree: 0 };
      case 'sum':
        return union(node.parts, known);
      case 'lookup':
        return undefined;
      case 'call':
        return callOf({ table, forms, known }, node);
    }
  });
