/** Sums of products with constants: functions where all that is summed has one source, sums of functions otherwise. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { TensorNode, ValueId } from '../../tensor/program.js';
import {
  asSources,
  elementsAt,
  factorAt,
  NO_SOURCE,
  type RowsTerm,
  type Term,
  type Traced,
  type Varying,
} from '../traced.js';
import type { Tracer } from './state.js';
import { cutOfTerms } from './sums.js';

/** What is summed: as a term, but for the factors of elements. */
export type Rows = Omit<RowsTerm, 'kind' | 'factor'>;

const NONE = -1;
const SEVERAL = -2;

/** For each patch its only source, NONE or SEVERAL. */
const patchSources = ({ offset, tap, operand: { source } }: Rows): Int32Array =>
  Int32Array.from(offset, (from) => {
    let found = NONE;
    for (let j = 0; j < tap.length; j++) {
      const s = source[from + tap[j]!]!;
      if (s === NO_SOURCE || s === found) continue;
      if (found !== NONE) return SEVERAL;
      found = s;
    }
    return found;
  });

/** Whether an element really has several sources, weights that are 0 taking nothing. */
const hasSeveral = (rows: Rows, e: number): boolean => {
  const { offset, tap, operand, weights, row, patch } = rows;
  const from = offset[patch[e]!]!;
  const at = row[e]! * tap.length;
  let found = NONE;
  for (let j = 0; j < tap.length; j++) {
    if (weights[at + j] === 0) continue;
    const s = operand.source[from + tap[j]!]!;
    if (s === NO_SOURCE || s === found) continue;
    if (found !== NONE) return true;
    found = s;
  }
  return false;
};

/** The sum at an element as one function. */
const single = (t: Tracer, rows: Rows, e: number): { source: number; fn: number } => {
  const { offset, tap, operand, weights, row, patch } = rows;
  const from = offset[patch[e]!]!;
  const at = row[e]! * tap.length;
  let source = NO_SOURCE;
  let constant = 0;
  const parts: number[] = [];
  const factors: number[] = [];
  for (let j = 0; j < tap.length; j++) {
    const weight = weights[at + j]!;
    if (weight === 0) continue;
    const u = from + tap[j]!;
    const factor = weight * factorAt(operand, u);
    const literal = t.table.constantOf(operand.fn[u]!);
    if (literal !== undefined) {
      constant += factor * literal;
      continue;
    }
    source = operand.source[u]!;
    parts.push(operand.fn[u]!);
    factors.push(factor);
  }
  if (parts.length === 0) return { source: NO_SOURCE, fn: t.table.constant(constant) };
  if (constant !== 0) {
    parts.push(t.table.constant(1));
    factors.push(constant);
  }
  return { source, fn: t.table.sum(Int32Array.from(parts), Float64Array.from(factors)) };
};

/** One product for each element needs no sum: the weight stands beside the function. */
const singleProducts = ({ offset, tap, operand, weights, row, patch }: Rows): Varying => {
  const at = (e: number): number => offset[patch[e]!]! + tap[0]!;
  return {
    tag: 'varying',
    source: patch.map((_, e) => operand.source[at(e)]!),
    fn: patch.map((_, e) => operand.fn[at(e)]!),
    factor: Float64Array.from(patch, (_, e) => weights[row[e]!]! * factorAt(operand, at(e))),
  };
};

/** Summands up to which values that are stacked and then summed are added one by one. */
const MOST_SUMMANDS = 4;

/** Sums of a few values, element by element, as a program writes them that stacks branches: no layer, but additions. */
const asPointwise = (t: Tracer, rows: Rows): ReadonlyArray<Term> | undefined => {
  const { operand, patch, row, offset, tap, weights, plane } = rows;
  const alone = patch.length === offset.length && new Set(patch).size === patch.length;
  if (plane !== undefined || tap.length > MOST_SUMMANDS || patch.length < 2 || !alone) return undefined;
  const zero = t.table.constant(0);
  if (operand.fn.some((f, u) => operand.source[u] === NO_SOURCE && f !== zero)) return undefined;
  return Array.from(tap, (_, j): Term => {
    const at = patch.map((p) => offset[p]! + tap[j]!);
    const part = elementsAt(t.table, operand, at);
    const factor = Float64Array.from(at, (u, e) => weights[row[e]! * tap.length + j]! * factorAt(operand, u));
    return { kind: 'pointwise', operand: { ...part, factor } };
  });
};

/** The value that rows are. Every element has a patch. */
export const traceRows = (t: Tracer, node: TensorNode, value: ValueId, given: Rows): Checked<Traced> => {
  const rows: Rows = { ...given, operand: asSources(given.operand) };
  const { patch, tap } = rows;
  const of = patchSources(rows);
  const many = of.includes(SEVERAL) && patch.some((p, e) => of[p] === SEVERAL && hasSeveral(rows, e));
  if (many) {
    const terms = asPointwise(t, rows) ?? [{ kind: 'rows', ...rows }];
    return cutOfTerms(t, node, value, terms, new Float64Array(patch.length));
  }
  if (tap.length === 1) return E.right(singleProducts(rows));
  const source = new Int32Array(patch.length);
  const fn = new Int32Array(patch.length);
  for (let e = 0; e < patch.length; e++) {
    const s = single(t, rows, e);
    source[e] = s.source;
    fn[e] = s.fn;
  }
  return E.right({ tag: 'varying', source, fn });
};
