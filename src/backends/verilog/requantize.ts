/**
 * Codes of sums, by the cheapest of: bits of the sum itself, a table, a multiplication with a constant that is itself a
 * sum of small tables, one for every few bits of the sum, or a search among thresholds. All give the codes of the
 * definition for every sum that can occur; the multiplication is searched for the fewest fraction bits that do.
 */
import { filled, reduced, type Table } from './codes.js';
import { bitsFor, type Net, type Nets } from './net.js';
import { type Ascending, type Coded, stairsNet, stairsOf } from './steps.js';
import { planSum, type SumPlan, sumNet, type Term } from './sums.js';

/** mul / 2^shift, the slope of a requantization. */
export interface Slope {
  readonly mul: number;
  readonly shift: number;
}

/** Bits of a sum up to which a table makes its codes. */
const TABLE_BITS = 7;
/** Bits of a sum up to which it is as good as a code. */
const CODE_BITS = 6;

/** The codes of all values of a net, where code v of it is f(v). */
const codesOfNet = (net: Net, f: Ascending): Int32Array =>
  Int32Array.from({ length: 2 ** net.width }, (_, v) => f[v] ?? -1);

export const requantizeSum = (
  nets: Nets,
  plan: SumPlan,
  f: Ascending,
  slope: Slope | undefined,
  label: string,
): Coded => {
  const [first, last] = endsOf(f);
  if (first === last) return { net: nets.constant(0, label), codes: Int32Array.of(first) };
  const stairs = stairsOf(f);
  if (stairs !== undefined) return stairsNet(nets, plan, stairs, undefined, label);
  const width = bitsFor(plan.range);
  const codeBits = bitsFor(last - first);
  if (width <= CODE_BITS || width <= codeBits) {
    const net = sumNet(nets, plan, 0, label);
    return { net, codes: codesOfNet(net, f) };
  }
  const sum = sumNet(nets, plan, 0, label);
  if (width <= TABLE_BITS) return tableCodes(nets, sum, f, label);
  const product =
    slope === undefined
      ? undefined
      : multiplied(nets, { net: sum, value: (v) => v, start: 0 }, f, slope, label);
  return product ?? rankedCodes(nets, sum, undefined, thresholdsOf(f, 0), first, label);
};

/** The codes of the smallest and the largest value that can occur. */
const endsOf = (f: Ascending): readonly [number, number] => {
  const seen = f.filter((code) => code !== undefined);
  return [seen[0] ?? 0, seen.at(-1) ?? 0];
};

/** Where an ascending function that starts at `start` rises, once for each unit. */
const thresholdsOf = (f: Ascending, start: number): ReadonlyArray<number> => {
  const thresholds: number[] = [];
  let before: number | undefined;
  for (const [v, code] of f.entries()) {
    if (code === undefined) continue;
    for (let c = before ?? code; c < code; c++) thresholds.push(start + v);
    before = code;
  }
  return thresholds;
};

/** Codes as the number of thresholds that an integer has reached, from `first` on; of `width` bits in two's complement. */
export const rankedCodes = (
  nets: Nets,
  of: Net,
  width: number | undefined,
  thresholds: ReadonlyArray<number>,
  first: number,
  label: string,
): Coded => {
  if (thresholds.length === 0) return { net: nets.constant(0, label), codes: Int32Array.of(first) };
  const net = nets.rank(of, width, thresholds, label);
  const codes = Int32Array.from({ length: 2 ** net.width }, (_, r) =>
    r <= thresholds.length ? first + r : -1,
  );
  return { net, codes };
};

/** Codes made by a table of all bits of a net; they start at 0. The function need not ascend. */
export const tableCodes = (nets: Nets, of: Net, f: Ascending, label: string): Coded => {
  const first = f.reduce<number>((least, code) => Math.min(least, code ?? least), 2 ** 31);
  const codes = codesOfNet(of, f);
  const table = reduced(
    filled({
      bits: Array.from({ length: of.width }, (_, k) => k),
      values: codes.map((c) => (c < 0 ? 0 : c - first)),
      care: Uint8Array.from(codes, (c) => (c < 0 ? 0 : 1)),
    }),
  );
  // Without a register between, synthesis joins it with each of the tables that read the codes.
  const held = table.bits.length > CODE_BITS;
  const net = nets.table(of, table.bits, table.values, label, held);
  const made = new Int32Array(2 ** net.width).fill(-1);
  for (const code of codes) if (code >= 0) made[code - first] = code;
  return { net, codes: made };
};

/** A net and the index into an ascending function that each chunk of its bits adds. */
export interface Multiplicand {
  readonly net: Net;
  /** The integer that the bits stand for; additive over chunks of them. */
  readonly value: (bits: number) => number;
  /** The integer that the ascending function starts at. */
  readonly start: number;
}

/** The bits of a net in chunks: five each, which adders take for nothing, and up to six on top for the first table. */
const chunksOf = (width: number): ReadonlyArray<{ readonly from: number; readonly bits: number }> => {
  const chunks: { from: number; bits: number }[] = [];
  let from = 0;
  while (width - from > 6) {
    chunks.push({ from, bits: 5 });
    from += 5;
  }
  return [{ from, bits: width - from }, ...chunks];
};

/** floor(value * mul * 2^fraction / 2^shift), exact. */
const scaled = (value: number, { mul, shift }: Slope, fraction: number): number =>
  Number((BigInt(value) * BigInt(mul) * 2n ** BigInt(fraction)) >> BigInt(shift));

const MOST_FRACTION = 20;

/**
 * code = clamp((sum over chunks of table(chunk) + constant) >> fraction), with the fewest fraction bits that are exact;
 * undefined where none are.
 */
export const multiplied = (
  nets: Nets,
  { net, value, start }: Multiplicand,
  f: Ascending,
  slope: Slope,
  label: string,
): Coded | undefined => {
  const [first, last] = endsOf(f);
  if (first === last) return { net: nets.constant(0, label), codes: Int32Array.of(first) };
  const chunks = chunksOf(net.width);
  const everywhere = Int32Array.from({ length: 2 ** net.width }, (_, bits) => bits);
  const atSteps = Int32Array.from(stepsOf(f), (v) => (v + start) & (2 ** net.width - 1));
  for (let fraction = 0; fraction <= MOST_FRACTION; fraction++) {
    const tables = chunks.map(({ from, bits }) =>
      Int32Array.from({ length: 2 ** bits }, (_, c) => scaled(value(c * 2 ** from), slope, fraction)),
    );
    const product = (bits: number): number => {
      let sum = 0;
      for (const [k, chunk] of chunks.entries()) {
        sum += tables[k]![(bits >> chunk.from) & (2 ** chunk.bits - 1)]!;
      }
      return sum;
    };
    const codeAt = (bits: number): number | undefined => f[value(bits) - start];
    const constantsFor = (at: Int32Array) => constantsAt(at, codeAt, product, [first, last], fraction);
    // Too few fraction bits show where the code rises; only what passes there is tried everywhere.
    const near = constantsFor(atSteps);
    if (near.lower > near.upper) continue;
    const { lower, upper, lo, hi } = constantsFor(everywhere);
    if (lower > upper) continue;
    const constant = roundest(lower, upper);
    const terms = chunks.map(({ from, bits }, k): Term => {
      const table: Table = {
        bits: Array.from({ length: bits }, (_, j) => from + j),
        values: tables[k]!,
        care: chunkCare(net.width, (v) => f[value(v) - start] !== undefined, from, bits),
      };
      return { net, table };
    });
    const plan = planSum(terms, 0, terms.length);
    const stairs = {
      first,
      count: last - first + 1,
      shift: fraction,
      from: first * 2 ** fraction - constant - plan.base,
      to: (last + 1) * 2 ** fraction - constant - plan.base,
      below: lo + constant < first * 2 ** fraction,
      above: hi + constant >= (last + 1) * 2 ** fraction,
    };
    return stairsNet(nets, { ...plan, range: hi - plan.base }, stairs, undefined, label);
  }
  return undefined;
};

/** Which constants give the codes at some values of the net, and the products there. */
const constantsAt = (
  at: Int32Array,
  codeAt: (bits: number) => number | undefined,
  product: (bits: number) => number,
  [first, last]: readonly [number, number],
  fraction: number,
) => {
  let [lower, upper] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const bits of at) {
    const code = codeAt(bits);
    if (code === undefined) continue;
    const p = product(bits);
    lo = Math.min(lo, p);
    hi = Math.max(hi, p);
    if (code > first) lower = Math.max(lower, code * 2 ** fraction - p);
    if (code < last) upper = Math.min(upper, (code + 1) * 2 ** fraction - 1 - p);
  }
  return { lower, upper, lo, hi };
};

/** The integer of an interval with the most zeros at its end: it is the cheapest to add. */
const roundest = (lower: number, upper: number): number => {
  let constant = Math.ceil(lower);
  for (let step = 1; Math.ceil(lower / step) * step <= upper; step *= 2) {
    constant = Math.ceil(lower / step) * step;
  }
  return constant;
};

/** Where an ascending function rises, and the places before. */
const stepsOf = (f: Ascending): ReadonlyArray<number> => {
  const steps: number[] = [];
  for (let v = 1; v < f.length; v++) if (f[v] !== f[v - 1]) steps.push(v - 1, v);
  return steps;
};

/** Which values of a chunk can occur. */
const chunkCare = (
  width: number,
  occurs: (bits: number) => boolean,
  from: number,
  bits: number,
): Uint8Array => {
  const care = new Uint8Array(2 ** bits);
  for (let v = 0; v < 2 ** width; v++) {
    if (occurs(v)) care[Math.floor(v / 2 ** from) % 2 ** bits] = 1;
  }
  return care;
};
