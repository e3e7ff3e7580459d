/**
 * From sums to codes. A requantization that is a shift with clamped ends needs no multiplication: the sum is raised so
 * that its codes are a range of bits, and that the clamped ends show in the bits above them.
 */
import { reduced, type Table } from './codes.js';
import { type Bound, bitsFor, type Net, type Nets } from './net.js';
import { tableLuts } from './split.js';
import { type SumPlan, sumNet } from './sums.js';

/**
 * An ascending function of what the chains of a plan give: its value by the sum from 0 on. Undefined, at the ends only:
 * cannot occur.
 */
export type Ascending = ReadonlyArray<number | undefined>;

/** Codes as bits of a net. */
export interface Coded {
  readonly net: Net;
  /** What a value of the net stands for; -1: cannot occur. */
  readonly codes: Int32Array;
}

/** A staircase: code = first + floor((v - from) / 2^shift), clamped below `from` and from `to` on. */
export interface Stairs {
  readonly first: number;
  readonly count: number;
  readonly shift: number;
  readonly from: number;
  readonly to: number;
  /** Whether anything that can occur is below `from`, and from `to` on. */
  readonly below: boolean;
  readonly above: boolean;
}

/** The staircase that a function is; undefined where its steps are not all of one height and of one width. */
export const stairsOf = (codes: Ascending): Stairs | undefined => {
  const at: number[] = [];
  let before: number | undefined;
  const first = codes.find((code) => code !== undefined);
  for (const [v, code] of codes.entries()) {
    if (code === undefined) continue;
    if (before !== undefined && code !== before) {
      if (code !== before + 1) return undefined;
      at.push(v);
    }
    before = code;
  }
  if (first === undefined || at.length < 2) return undefined;
  const width = at[1]! - at[0]!;
  const shift = Math.log2(width);
  if (!Number.isInteger(shift) || at.some((v, k) => k > 0 && v - at[k - 1]! !== width)) return undefined;
  const [from, to] = [at[0]! - width, at.at(-1)! + width];
  const occurs = (code: number | undefined): boolean => code !== undefined;
  return {
    first,
    count: at.length + 1,
    shift,
    from,
    to,
    below: codes.slice(0, Math.max(0, from)).some(occurs),
    above: codes.slice(to).some(occurs),
  };
};

/** How a staircase is made of bits: the sum raised by `raise`, its bits from `shift` on, and the clamps. */
interface Layout {
  readonly raise: number;
  readonly low: Condition | undefined;
  readonly high: Condition | undefined;
  readonly luts: number;
}

/** Whether the raised sum is below a threshold, or not: a table of its upper bits, or a comparison of all of them. */
type Condition =
  | { readonly kind: 'table'; readonly table: Table; readonly luts: number }
  | { readonly kind: 'below' | 'reached'; readonly threshold: number; readonly luts: number };

/** Bits that a table of a condition may look at. */
const MOST_CONDITION_BITS = 16;

/** A condition on the raised sum, which is from `lo` to `hi`. */
const condition = (kind: 'below' | 'reached', threshold: number, lo: number, hi: number): Condition => {
  const width = bitsFor(hi);
  let skip = 0;
  while (skip < width && threshold % 2 ** (skip + 1) === 0) skip++;
  const bits = Array.from({ length: width - skip }, (_, k) => skip + k);
  // A comparison is a carry chain of which every LUT takes two bits.
  if (bits.length > MOST_CONDITION_BITS) return { kind, threshold, luts: Math.ceil(bits.length / 2) };
  const holds = (v: number): boolean => v < threshold === (kind === 'below');
  const values = Int32Array.from({ length: 2 ** bits.length }, (_, k) => (holds(k * 2 ** skip) ? 1 : 0));
  const care = Uint8Array.from(values, (_, k) => ((k + 1) * 2 ** skip > lo && k * 2 ** skip <= hi ? 1 : 0));
  const table = reduced({ bits, values, care });
  return { kind: 'table', table, luts: tableLuts(table) };
};

const layoutOf = (stairs: Stairs, plan: SumPlan, raise: number): Layout => {
  const { from, to, count, below, above } = stairs;
  const [lo, hi] = [raise, plan.range + raise];
  const low = below ? condition('below', from + raise, lo, hi) : undefined;
  const high = above ? condition('reached', to + raise, lo, hi) : undefined;
  const bits = bitsFor(count - 1);
  const clamps = [low, high].flatMap((c) => (c === undefined ? [] : [c.luts]));
  // Registers have a set or reset of their own, so that one clamp costs its condition; two need a LUT for each bit.
  const choice = clamps.length === 2 ? bits : 0;
  const over = Math.max(0, raise - plan.slack);
  const wider = clamps.length === 0 ? 0 : Math.max(0, bitsFor(hi) - bitsFor(plan.range));
  const luts = clamps.reduce((a, b) => a + b, 0) + choice + bitsFor(over) + wider;
  return { raise, low, high, luts };
};

/** The bit that says whether a condition on a net holds. */
const conditionNet = (nets: Nets, of: Net, when: Condition, label: string): Net => {
  if (when.kind === 'table') return nets.table(of, when.table.bits, when.table.values, label);
  const reached = nets.rank(of, undefined, [when.threshold], label);
  return when.kind === 'reached' ? reached : nets.table(reached, [0], Int32Array.of(1, 0), label);
};

/** Powers of two that divide an integer, 2^32 at most. */
const evenness = (n: number): number => (n === 0 ? 32 : 31 - Math.clz32(n & -n));

/** Raises that are tried at most. */
const MOST_RAISES = 24;

/** Raises to try: those that cost nothing or lie near, and put the clamps at multiples of large powers of two. */
const raisesFor = (
  { from, to, shift, count }: Stairs,
  plan: SumPlan,
  modulus: number | undefined,
  residue: number,
): ReadonlyArray<number> => {
  const step = modulus ?? 2 ** shift;
  const wanted = modulus === undefined ? -from : residue;
  const least = ((wanted % step) + step) % step;
  const window = 2 ** (bitsFor(count - 1) + shift);
  const most = Math.max(plan.slack, least) + 2 * Math.max(window, step);
  const raises: number[] = [];
  for (let raise = least; raise <= most; raise += step) raises.push(raise);
  const merit = (raise: number): number => Math.max(evenness(from + raise), evenness(to + raise));
  return [least, ...raises.sort((a, b) => merit(b) - merit(a) || a - b).slice(0, MOST_RAISES)];
};

/**
 * The codes of a staircase. `exact` asks for a net whose value is the code modulo 2^bits; otherwise the codes are those
 * bits of the sum that are cheapest.
 */
export const stairsNet = (
  nets: Nets,
  plan: SumPlan,
  stairs: Stairs,
  exact: number | undefined,
  label: string,
): Coded => {
  const { first, count, shift, from, below, above } = stairs;
  const clamped = below || above;
  const bits = exact ?? bitsFor(count - 1);
  const modulus = exact === undefined ? undefined : 2 ** (exact + shift);
  // (v + raise) >> shift must be first + ((v - from) >> shift), modulo 2^bits.
  const residue = first * 2 ** shift - from;
  const layouts = raisesFor(stairs, plan, modulus, residue).map((raise) => layoutOf(stairs, plan, raise));
  const best = layouts.reduce((a, b) => (b.luts < a.luts ? b : a));
  const encode = (code: number): number => {
    const v = from + (code - first) * 2 ** shift + best.raise;
    return Math.floor(v / 2 ** shift) % 2 ** bits;
  };
  const total = sumNet(nets, plan, best.raise, label, clamped ? undefined : bits + shift);
  const sliced = nets.slice(total, shift, Math.min(bits, Math.max(1, total.width - shift)), label);
  const bound = (when: Condition | undefined, code: number): Bound | undefined =>
    when === undefined ? undefined : { when: conditionNet(nets, total, when, label), give: encode(code) };
  const net = clamped
    ? nets.clamp(sliced, bound(best.low, first), bound(best.high, first + count - 1), label)
    : sliced;
  const codes = new Int32Array(2 ** net.width).fill(-1);
  for (let k = 0; k < count; k++) codes[encode(first + k)] = first + k;
  return { net, codes };
};
