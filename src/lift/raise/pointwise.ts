/**
 * Values of functions at several points at once: an op is looked up once for all of them. Rows are plain arrays: there are
 * as many as functions, and short.
 */
import {
  applyScalar,
  BINARY_SCALARS,
  isBinaryScalar,
  isUnaryScalar,
  type ScalarFunction,
  UNARY_SCALARS,
} from '../../numeric/scalar.js';
import { entryOf, type FunctionId, type FunctionNode, type FunctionTable, partsOf } from '../functions.js';
import { inductive } from './memo.js';

type Row = ReadonlyArray<number>;

const callAt = (fn: ScalarFunction, args: ReadonlyArray<Row>, out: number[]): void => {
  const [a, b, c] = [args[0]!, args[1] ?? args[0]!, args[2] ?? args[0]!];
  if (isUnaryScalar(fn)) {
    const f = UNARY_SCALARS[fn];
    for (let j = 0; j < out.length; j++) out[j] = f(a[j]!);
  } else if (isBinaryScalar(fn)) {
    const f = BINARY_SCALARS[fn];
    for (let j = 0; j < out.length; j++) out[j] = f(a[j]!, b[j]!);
  } else {
    for (let j = 0; j < out.length; j++) out[j] = applyScalar(fn, a[j]!, b[j]!, c[j]!);
  }
};

const lookupAt = (table: Float64Array, arg: Row, out: number[]): void => {
  for (let j = 0; j < out.length; j++) out[j] = entryOf(table, arg[j]!);
};

/** A node at all points, from the values of its parts. */
const nodeAt = (node: FunctionNode, points: Row, of: (id: FunctionId) => Row): Row => {
  if (node.kind === 'x') return points;
  const out = new Array<number>(points.length).fill(node.kind === 'constant' ? node.value : 0);
  if (node.kind === 'constant') return out;
  if (node.kind === 'call') callAt(node.fn, node.args.map(of), out);
  else if (node.kind === 'lookup') lookupAt(node.table, of(node.arg), out);
  else {
    node.parts.forEach((part, p) => {
      const [values, factor] = [of(part), node.factors[p]!];
      for (let j = 0; j < out.length; j++) out[j]! += factor * values[j]!;
    });
  }
  return out;
};

/** Values of a function at some points. */
export const valuesAt = (table: FunctionTable, id: FunctionId, points: Row): Row => {
  const known = new Map<FunctionId, Row>();
  for (const part of partsOf(table.nodeOf, [id])) {
    known.set(
      part,
      nodeAt(table.nodeOf(part), points, (p) => known.get(p)!),
    );
  }
  return known.get(id)!;
};

/** Values of functions at points that are always the same: what functions have in common is evaluated once. */
export const sampler = (table: FunctionTable, points: Row): ((id: FunctionId) => Row) =>
  inductive<Row>(table, (id, of) => nodeAt(table.nodeOf(id), points, of));

/** Values of functions at every entry of the tables of `size` entries that are looked up at `arg`. */
export const entrySampler = (
  table: FunctionTable,
  arg: FunctionId,
  size: number,
): ((id: FunctionId) => Row) => {
  // What is no function of the entries is not asked for.
  const unknown = new Array<number>(size).fill(Number.NaN);
  return inductive<Row>(table, (id, of) => {
    const node = table.nodeOf(id);
    const entries = node.kind === 'lookup' && node.arg === arg && node.table.length === size;
    return entries ? Array.from(node.table) : nodeAt(node, unknown, of);
  });
};
