/** What the elements of values are while a graph is lowered. */
import type { Seen } from '../../analyses/seen-codes.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Graph, Node, ValueName } from '../../ir/graph.js';
import type { ValueType } from '../../ir/types.js';
import { reduced, type Table } from './codes.js';
import { bitsFor, type Net, type Nets } from './net.js';
import type { InPort } from './ports.js';
import { tableCodes } from './requantize.js';
import { type Coded, type Stairs, stairsNet } from './steps.js';
import { type SumPlan, sumNet, type Term } from './sums.js';

/** An integer in two's complement. */
export interface Signed {
  readonly net: Net;
  readonly width: number;
  readonly lo: number;
  readonly hi: number;
}

/** A sum that is not made yet, and the ends that it is clamped to. */
export interface Sum {
  readonly kind: 'sum';
  readonly plan: SumPlan;
  readonly clamp?: { readonly lo: number; readonly hi: number };
}

export type Element =
  /** An element of the input before it is quantized. */
  | { readonly kind: 'float' }
  /** A float that a dequantize made of an integer: `f32(f32(integer) * scale)`. */
  | { readonly kind: 'real'; readonly integer: Element; readonly scale: number }
  | { readonly kind: 'codes'; readonly coded: Coded }
  | Sum
  | { readonly kind: 'signed'; readonly signed: Signed };

export interface LowerOptions {
  /** Terms of one chain of adders at most. */
  readonly chain: number;
  /** Codes that can occur; of a value that is not in it, all can. */
  readonly seen?: Seen;
}

/** What is known while the nodes of a graph are lowered in order. */
export interface Lowering {
  readonly graph: Graph<'table'>;
  readonly nets: Nets;
  readonly options: LowerOptions;
  readonly types: Map<ValueName, ValueType>;
  readonly values: Map<ValueName, ReadonlyArray<Element>>;
  readonly inputs: ReadonlyArray<InPort>;
}

/** An op, or a use of one, that has no form in logic. */
export const noForm = (node: Node, why: string): Checked<never> =>
  fail('K0602', why, {
    place: { op: node.name },
    hint: 'docs/targets-verilog.md lists the ops that the verilog target takes.',
  });

/** A function of codes as a table over the bits of their net. */
const tableOf = ({ net, codes }: Coded, f: (code: number) => number): Table => ({
  bits: Array.from({ length: net.width }, (_, k) => k),
  values: codes.map((code) => (code < 0 ? 0 : f(code))),
  care: Uint8Array.from(codes, (code) => (code < 0 ? 0 : 1)),
});

export const termOf = (coded: Coded, f: (code: number) => number): Term => ({
  net: coded.net,
  table: tableOf(coded, f),
});

/** Inputs of a LUT: with so few bits a net is as good as a narrower one. */
const FEW_BITS = 6;

/** Codes of codes: other names for the same bits where these are few, else a table. */
export const recoded = (nets: Nets, coded: Coded, f: (code: number) => number, label: string): Coded => {
  const codes = coded.codes.map((c) => (c < 0 ? -1 : f(c)));
  const needed = reduced(tableOf(coded, f)).bits.length;
  if (needed <= FEW_BITS && needed === coded.net.width) return { net: coded.net, codes };
  return tableCodes(
    nets,
    coded.net,
    Array.from(codes, (c) => (c < 0 ? undefined : c)),
    label,
  );
};

/** Bits of two's complement that hold [lo, hi]. */
const signedBits = (lo: number, hi: number): number =>
  1 + Math.max(bitsFor(Math.max(0, hi)), bitsFor(Math.max(0, -lo - 1)));

/** The two's complement of an element that is an integer; undefined for codes and floats. */
export const signedOf = (nets: Nets, element: Element, label: string): Signed | undefined => {
  if (element.kind === 'signed') return element.signed;
  if (element.kind !== 'sum') return undefined;
  const { plan, clamp } = element;
  const [least, most] = [plan.base, plan.base + plan.range];
  const lo = Math.min(most, Math.max(least, clamp?.lo ?? least));
  const hi = Math.max(lo, Math.min(most, clamp?.hi ?? most));
  const width = signedBits(lo, hi);
  if (plan.chains.length === 0) return { net: sumNet(nets, plan, lo, label, width), width, lo, hi };
  const stairs: Stairs = {
    first: lo,
    count: hi - lo + 1,
    shift: 0,
    from: lo - least,
    to: hi + 1 - least,
    below: lo > least,
    above: hi < most,
  };
  return { net: stairsNet(nets, plan, stairs, width, label).net, width, lo, hi };
};

export const productOf = (nets: Nets, a: Signed, b: Signed, label: string): Signed => {
  const ends = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  const [lo, hi] = [Math.min(...ends), Math.max(...ends)];
  const width = signedBits(lo, hi);
  return { net: nets.multiply(a, b, width, label), width, lo, hi };
};
