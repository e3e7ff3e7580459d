/**
 * Tables as sums of functions that an adder takes in for nothing.
 *
 * An adder on a carry chain has one LUT of six inputs at each bit, of which it needs two. So one of its operands may be
 * a function of five bits at no cost beyond the adder itself. A table T of six bits is rarely such a function, but a
 * smooth one is close: with P of its upper five bits, T - P is 0 or 1, one function of six bits, and it enters the same
 * adder as its carry. An edge then costs its width and one LUT, where a table and an adder cost twice its width.
 *
 * Steeper tables, and those of more bits, are sums of two such functions of different bits and of one or two carries.
 * Whether p(s) + q(t) + (0 or 1) can be T is a system of difference constraints.
 */
import { bitOf, boundsOf, lutsFor, reduced, type Table } from './codes.js';
import { type Constraints, solveDifferences } from './difference.js';
import { bitsFor } from './net.js';

/** Inputs that the LUT of an adder has left. */
const FREE = 5;

/** A table of values from 0 as `parts`, each added by an adder, and `carries` of one bit. */
export interface Split {
  readonly parts: ReadonlyArray<Table>;
  readonly carries: ReadonlyArray<Table>;
  /** LUTs of all, with those of the adders. */
  readonly luts: number;
}

const isWire = ({ bits, values }: Table): boolean => bits.length === 1 && values[0] === 0 && values[1] === 1;

/** LUTs of a table on its own, bit by bit. */
export const tableLuts = (table: Table): number => {
  let luts = 0;
  for (let bit = 0; bit < bitsFor(boundsOf(table).hi); bit++) {
    const one = bitOf(table, bit);
    luts += isWire(one) ? 0 : lutsFor(one.bits.length);
  }
  return luts;
};

/** LUTs of a table with the adder that takes it: bits of few inputs are free. */
const addedLuts = (table: Table): number => {
  let luts = 0;
  for (let bit = 0; bit < bitsFor(boundsOf(table).hi); bit++) {
    const inputs = bitOf(table, bit).bits.length;
    luts += 1 + (inputs <= FREE ? 0 : lutsFor(inputs));
  }
  return luts;
};

/** For every code, the number that its bits `pick` make, the lowest first. */
type Index = Int32Array;

const indices = new Map<string, Index>();

/** Tables by the thousand are split along the same few bits. */
const indexOf = (pick: ReadonlyArray<number>, codes: number): Index => {
  const key = `${codes}:${pick.join()}`;
  const known = indices.get(key);
  if (known !== undefined) return known;
  const index = new Int32Array(codes);
  for (const [k, bit] of pick.entries()) {
    for (let code = 0; code < codes; code++) index[code]! += ((code >> bit) & 1) << k;
  }
  indices.set(key, index);
  return index;
};

const carryOf = (table: Table, rest: (code: number) => number): Table =>
  reduced({
    ...table,
    values: table.values.map((v, code) => (table.care[code] === 1 ? v - rest(code) : 0)),
  });

const partOf = (table: Table, pick: ReadonlyArray<number>, values: Int32Array, care: Uint8Array): Table =>
  reduced({ bits: pick.map((k) => table.bits[k]!), values, care });

/** p of the bits `pick` with T - p in {0, 1}. */
const withOne = (table: Table, pick: ReadonlyArray<number>): Split | undefined => {
  const size = 2 ** pick.length;
  const index = indexOf(pick, table.values.length);
  const lo = new Int32Array(size).fill(2 ** 30);
  const hi = new Int32Array(size).fill(-1);
  for (let code = 0; code < table.values.length; code++) {
    if (table.care[code] !== 1) continue;
    const at = index[code]!;
    lo[at] = Math.min(lo[at]!, table.values[code]!);
    hi[at] = Math.max(hi[at]!, table.values[code]!);
    if (hi[at]! - lo[at]! > 1) return undefined;
  }
  // One less than the largest value may spare a bit.
  const top = boundsOf(table).hi - 1;
  const care = lo.map((v) => (v < 2 ** 30 ? 1 : 0));
  const values = lo.map((v, k) => (care[k] === 1 ? Math.max(0, Math.min(v, top)) : 0));
  const part = partOf(table, pick, values, Uint8Array.from(care));
  const carry = carryOf(table, (code) => values[index[code]!]!);
  const luts = addedLuts(part) + tableLuts(carry);
  return { parts: bitsFor(boundsOf(part).hi) === 0 ? [] : [part], carries: [carry], luts };
};

/** p of the bits `first` and q of the bits `second`, of at most these widths, with T - p - q in [0, slack]. */
const solveTwo = (
  table: Table,
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number>,
  widths: readonly [number, number],
  slack: number,
): { readonly p: Int32Array; readonly q: Int32Array } | undefined => {
  const [ps, qs] = [2 ** first.length, 2 ** second.length];
  const [pIndex, qIndex] = [indexOf(first, table.values.length), indexOf(second, table.values.length)];
  const most = 2 * table.values.length + 2 * (ps + qs);
  const from = new Int32Array(most);
  const to = new Int32Array(most);
  const weight = new Int32Array(most);
  let count = 0;
  const add = (f: number, t: number, w: number): void => {
    from[count] = f;
    to[count] = t;
    weight[count++] = w;
  };
  // Node 0 is zero, then come p, then -q.
  for (let code = 0; code < table.values.length; code++) {
    if (table.care[code] !== 1) continue;
    const [p, q] = [1 + pIndex[code]!, 1 + ps + qIndex[code]!];
    add(q, p, table.values[code]!);
    add(p, q, slack - table.values[code]!);
  }
  for (let k = 0; k < ps; k++) {
    add(0, 1 + k, 2 ** widths[0] - 1);
    add(1 + k, 0, 0);
  }
  for (let k = 0; k < qs; k++) {
    add(0, 1 + ps + k, 0);
    add(1 + ps + k, 0, 2 ** widths[1] - 1);
  }
  const constraints: Constraints = { from, to, weight, count };
  // No two unknowns of a solution are further apart than the largest sum.
  const x = solveDifferences(1 + ps + qs, constraints, 2 ** widths[0] + 2 ** widths[1]);
  if (x === undefined) return undefined;
  const zero = x[0]!;
  return {
    p: Int32Array.from({ length: ps }, (_, k) => x[1 + k]! - zero),
    q: Int32Array.from({ length: qs }, (_, k) => zero - x[1 + ps + k]!),
  };
};

const withTwo = (
  table: Table,
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number>,
  slack: number,
): Split | undefined => {
  const width = bitsFor(boundsOf(table).hi);
  // Without bounds on the widths first: most pairs fail there.
  if (solveTwo(table, first, second, [width, width], slack) === undefined) return undefined;
  const { hi } = boundsOf(table);
  for (let total = 1; total <= 2 * width; total++) {
    for (let narrow = 1; 2 * narrow <= total + 1; narrow++) {
      for (const widths of [[total - narrow, narrow] as const, [narrow, total - narrow] as const]) {
        if (2 ** widths[0] + 2 ** widths[1] - 2 + slack < hi) continue;
        const found = solveTwo(table, first, second, widths, slack);
        if (found !== undefined) return twoOf(table, first, second, found, slack);
      }
    }
  }
  return undefined;
};

const twoOf = (
  table: Table,
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number>,
  { p, q }: { readonly p: Int32Array; readonly q: Int32Array },
  slack: number,
): Split => {
  const codes = table.values.length;
  const [pIndex, qIndex] = [indexOf(first, codes), indexOf(second, codes)];
  const sum = (code: number): number => p[pIndex[code]!]! + q[qIndex[code]!]!;
  const rest = carryOf(table, sum);
  const carries = Array.from({ length: slack }, (_, k) =>
    reduced({ ...rest, values: rest.values.map((v) => (v > k ? 1 : 0)) }),
  ).filter((c) => boundsOf(c).hi > 0);
  const cared = (index: Index, size: number): Uint8Array => {
    const care = new Uint8Array(size);
    table.care.forEach((c, code) => {
      if (c === 1) care[index[code]!] = 1;
    });
    return care;
  };
  const parts = [
    partOf(table, first, p, cared(pIndex, p.length)),
    partOf(table, second, q, cared(qIndex, q.length)),
  ].filter((part) => boundsOf(part).hi > 0);
  const luts =
    parts.reduce((n, part) => n + addedLuts(part), 0) + carries.reduce((n, c) => n + tableLuts(c), 0);
  return { parts, carries, luts };
};

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);

/** The whole table to one adder. */
const whole = (table: Table): Split => ({
  parts: boundsOf(table).hi > 0 ? [table] : [],
  carries: [],
  luts: addedLuts(table),
});

/** p of the upper five bits and the rest as a table of all bits: for steep tables of many bits. */
const withRest = (table: Table): Split | undefined => {
  const n = table.bits.length;
  const pick = range(n - FREE, n);
  const index = indexOf(pick, table.values.length);
  const lo = new Int32Array(2 ** FREE).fill(2 ** 30);
  table.values.forEach((v, code) => {
    if (table.care[code] === 1) lo[index[code]!] = Math.min(lo[index[code]!]!, v);
  });
  const care = Uint8Array.from(lo, (v) => (v < 2 ** 30 ? 1 : 0));
  const values = lo.map((v) => (v < 2 ** 30 ? v : 0));
  const part = partOf(table, pick, values, care);
  const rest = carryOf(table, (code) => values[index[code]!]!);
  const parts = [part, rest].filter((t) => boundsOf(t).hi > 0);
  return { parts, carries: [], luts: parts.reduce((n, t) => n + addedLuts(t), 0) };
};

/** The cheapest way to add a table whose values start at 0. */
export const splitTable = (table: Table): Split => {
  const t = reduced(table);
  const n = t.bits.length;
  if (n <= FREE) return whole(t);
  if (boundsOf(t).hi === 1) return { parts: [], carries: [t], luts: tableLuts(t) };
  const found: Split[] = [whole(t)];
  const keep = (split: Split | undefined): void => {
    if (split !== undefined) found.push(split);
  };
  if (n === FREE + 1)
    for (const drop of range(0, n))
      keep(
        withOne(
          t,
          range(0, n).filter((k) => k !== drop),
        ),
      );
  else if (n <= 2 * FREE) keep(withOne(t, range(n - FREE, n)));
  // Two functions overlap in the upper bits, where the slope of a smooth table changes slowly.
  if (found.length === 1 && n <= 2 * FREE - 2) {
    const low = range(0, n - FREE);
    const second = [...low, ...range(n - (FREE - low.length), n)];
    for (const slack of [1, 2]) keep(withTwo(t, range(n - FREE, n), second, slack));
    keep(withRest(t));
  }
  return found.reduce((best, s) => (s.luts < best.luts ? s : best));
};
