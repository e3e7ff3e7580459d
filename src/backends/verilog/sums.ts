/**
 * Sums of tables of nets as chains of adders: every table is moved to start at 0, the constants of all are one, and that
 * one hides where a table does not use all values of its bits.
 */
import { invariant } from '../../diagnostics/index.js';
import { boundsOf, filled, mapped, reduced, type Table } from './codes.js';
import { bitsFor, type Net, type Nets } from './net.js';
import { type Split, splitTable, tableLuts } from './split.js';

/** A function of a net. */
export interface Term {
  readonly net: Net;
  readonly table: Table;
}

/** What one adder takes besides the sum so far. */
interface Step {
  readonly part?: Piece;
  readonly carry?: Piece;
}

interface Piece {
  readonly net: Net;
  readonly table: Table;
  /** Which term it is of. */
  readonly term: number;
}

interface Chain {
  readonly first: Piece;
  readonly steps: ReadonlyArray<Step>;
}

export interface SumPlan {
  /** The sum is what the chains give and this. */
  readonly base: number;
  /** What the chains give is from 0 to this, or from `from` on where that is given. */
  readonly range: number;
  /** The sum is no less than the base and this: what else the chains can give does not occur. */
  readonly from?: number;
  /** By how much the parts may be raised at no cost. */
  readonly slack: number;
  readonly chains: ReadonlyArray<Chain>;
  /** The range of each term. */
  readonly ranges: ReadonlyArray<number>;
}

interface Prepared {
  readonly net: Net;
  readonly table: Table;
  readonly split: Split;
  readonly term: number;
}

/** Terms of one net are one term: their tables add up without hardware. */
const joined = (terms: ReadonlyArray<Term>): ReadonlyArray<Term> => {
  const byNet = new Map<string, Term>();
  for (const { net, table } of terms) {
    const key = `${net.id}:${table.bits.join()}`;
    const other = byNet.get(key)?.table;
    byNet.set(
      key,
      other === undefined
        ? { net, table }
        : { net, table: { ...table, values: table.values.map((v, k) => v + other.values[k]!) } },
    );
  }
  return [...byNet.values()];
};

/** The plan of bias + the sum of terms, no chain having more than `longest` of them. */
export const planSum = (terms: ReadonlyArray<Term>, bias: number, longest: number): SumPlan => {
  let base = bias;
  const prepared: Prepared[] = [];
  const ranges: number[] = [];
  for (const { net, table } of joined(terms)) {
    const { lo, hi } = boundsOf(table);
    base += lo;
    if (hi === lo) continue;
    const moved = reduced(mapped(table, (v) => v - lo));
    prepared.push({ net, table: moved, split: splitTable(moved), term: ranges.length });
    ranges.push(hi - lo);
  }
  const count = Math.max(1, Math.ceil(prepared.length / longest));
  const size = Math.ceil(prepared.length / count);
  const chains = Array.from({ length: count }, (_, k) => prepared.slice(k * size, (k + 1) * size))
    .filter((chunk) => chunk.length > 0)
    .map(chainOf);
  const slack = partsOf(chains).reduce((n, piece) => n + slackOf(piece), 0);
  return { base, range: ranges.reduce((a, b) => a + b, 0), slack, chains, ranges };
};

/** The plan where the sum is from `lo` to `hi` only. */
export const narrowed = (plan: SumPlan, lo: number, hi: number): SumPlan => {
  const most = Math.min(hi, plan.base + plan.range);
  const least = Math.min(most, Math.max(lo, plan.base));
  if (plan.chains.length === 0) return plan;
  return { ...plan, base: least, range: most - least, from: (plan.from ?? 0) + least - plan.base };
};

const partsOf = (chains: ReadonlyArray<Chain>): ReadonlyArray<Piece> =>
  chains.flatMap(({ first, steps }) => [first, ...steps.flatMap(({ part }) => part ?? [])]);

const maxOf = ({ table }: Piece): number => boundsOf(table).hi;

const slackOf = (piece: Piece): number => 2 ** bitsFor(maxOf(piece)) - 1 - maxOf(piece);

/**
 * The first term of a chain has no adder, so that its table is made as it is: the one which gains least from being split.
 * Every other part brings an adder, and that adder a place for a carry.
 */
const chainOf = (terms: ReadonlyArray<Prepared>): Chain => {
  const gain = ({ table, split }: Prepared): number => tableLuts(table) - split.luts;
  const head = terms.reduce((best, t) => (gain(t) < gain(best) ? t : best));
  const piece = ({ net, term }: Prepared, table: Table): Piece => ({ net, term, table });
  const steps: { part?: Piece; carry?: Piece }[] = [];
  const waiting: Piece[] = [];
  for (const t of terms) {
    if (t === head) continue;
    const carries = t.split.carries.map((c) => piece(t, c));
    for (const part of t.split.parts) {
      const carry = carries.shift();
      steps.push({ part: piece(t, part), ...(carry === undefined ? {} : { carry }) });
    }
    waiting.push(...carries);
  }
  // Carries without an adder of their own go where one has none, and two of those that are left share an adder.
  for (const step of steps) {
    if (step.carry !== undefined || waiting.length === 0) continue;
    step.carry = waiting.shift()!;
  }
  while (waiting.length > 0) {
    const [carry, part] = [waiting.shift()!, waiting.shift()];
    steps.push({ carry, ...(part === undefined ? {} : { part }) });
  }
  return { first: piece(head, head.table), steps };
};

/** Raises parts by `constant` in all: where nothing is lost first, later ones before earlier ones, and then one of them. */
const raised = (chains: ReadonlyArray<Chain>, constant: number): ReadonlyMap<Piece, number> => {
  const raises = new Map<Piece, number>();
  let left = constant;
  const parts = [...partsOf(chains)].reverse();
  for (const piece of parts) {
    const by = Math.min(left, slackOf(piece));
    if (by > 0) raises.set(piece, by);
    left -= by;
  }
  if (left > 0) {
    const widest = parts.reduce((best, p) => (maxOf(p) > maxOf(best) ? p : best), parts[0]!);
    raises.set(widest, (raises.get(widest) ?? 0) + left);
  }
  return raises;
};

/** Follows how large sums can get: no part of a term is more than the term. */
class Bound {
  private readonly seen = new Map<number, number>();
  constructor(
    private readonly ranges: ReadonlyArray<number>,
    private readonly raises: ReadonlyMap<number, number>,
  ) {}
  add({ term }: Piece, max: number): this {
    this.seen.set(term, (this.seen.get(term) ?? 0) + max);
    return this;
  }
  get max(): number {
    let sum = 0;
    for (const [term, max] of this.seen) {
      sum += Math.min(max, this.ranges[term]! + (this.raises.get(term) ?? 0));
    }
    return sum;
  }
}

/** The net of the chains less `from` and `constant`, modulo 2^width where a width is given. */
export const sumNet = (nets: Nets, plan: SumPlan, constant: number, label: string, width?: number): Net => {
  if (plan.from === undefined) return chainsNet(nets, plan, constant, label, width);
  const needed = bitsFor(plan.range + constant);
  return chainsNet(nets, plan, constant - plan.from, label, Math.min(needed, width ?? needed));
};

const chainsNet = (nets: Nets, plan: SumPlan, constant: number, label: string, width?: number): Net => {
  const wanted = width === undefined ? constant : ((constant % 2 ** width) + 2 ** width) % 2 ** width;
  invariant(wanted >= 0, 'a sum of tables from 0 cannot be lowered');
  if (plan.chains.length === 0) return nets.constant(wanted, label);
  const raises = raised(plan.chains, wanted);
  const byTerm = new Map<number, number>();
  for (const [{ term }, by] of raises) byTerm.set(term, (byTerm.get(term) ?? 0) + by);
  const netOf = (piece: Piece): Net => {
    const by = raises.get(piece) ?? 0;
    const full = mapped(piece.table, (v) => (width === undefined ? v + by : (v + by) % 2 ** width));
    const { bits, values } = reduced(filled(full));
    return nets.table(piece.net, bits, values, label);
  };
  const sums = plan.chains.map(({ first, steps }) => {
    const local = new Bound(plan.ranges, byTerm);
    const take = (piece: Piece): Net => {
      const net = netOf(piece);
      local.add(piece, net.max);
      return net;
    };
    let sum = take(first);
    for (const { part, carry } of steps) {
      const b = part === undefined ? undefined : take(part);
      const c = carry === undefined ? undefined : take(carry);
      const addends = {
        a: sum,
        ...(b === undefined ? {} : { b }),
        ...(c === undefined ? {} : { carry: c }),
      };
      sum = nets.add(addends, local.max, label, width);
    }
    return { sum, max: local.max };
  });
  return sums.reduce(({ sum, max }, next) => ({
    sum: nets.add({ a: sum, b: next.sum }, max + next.max, label, width),
    max: max + next.max,
  })).sum;
};
