/** The ops that make codes of integers. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import { channel } from '../../ir/constant.js';
import type { Node } from '../../ir/graph.js';
import type { OpOf } from '../../ir/ops/index.js';
import { thresholdList } from '../../ir/quantizer.js';
import { channelIndex } from '../../ir/types.js';
import { requantizeCode } from '../../numeric/fixed-point.js';
import { type Element, type Lowering, noForm, signedOf } from './element.js';
import type { Nets } from './net.js';
import { multiplied, rankedCodes, requantizeSum } from './requantize.js';
import type { Ascending } from './steps.js';

type Elements = ReadonlyArray<Element>;

/** Sums are looked at value by value up to this range. */
const LARGEST_RANGE = 2 ** 20;

export const requantizeElements = (
  { nets, options: { seen } }: Lowering,
  node: Node,
  { mul, shift, bias, quantizer }: OpOf<'requantize'>['attrs'],
  x: Elements,
): Checked<Elements> => {
  const channelOf = channelIndex(node.type);
  const elements: Element[] = [];
  for (const [e, given] of x.entries()) {
    const label = `${node.name}[${e}]`;
    const element = integerOf(nets, given, `${node.operands[0]}[${e}]`);
    const c = channelOf(e);
    const slope = { mul: channel(mul, c), shift };
    const integers =
      element.kind === 'sum'
        ? { lo: element.plan.base, range: element.plan.range }
        : element.kind === 'signed'
          ? { lo: element.signed.lo, range: element.signed.hi - element.signed.lo }
          : { lo: 0, range: Number.POSITIVE_INFINITY };
    if (integers.range >= LARGEST_RANGE) {
      return noForm(node, `element ${e} is of integers that span ${LARGEST_RANGE} or more`);
    }
    const codes: Ascending = Array.from({ length: integers.range + 1 }, (_, v) =>
      requantizeCode(integers.lo + v, bias?.data[c] ?? 0, slope.mul, shift, quantizer.levels),
    );
    const f = occurring(codes, seen?.codes.get(node.name)?.[e]);
    if (element.kind === 'signed') {
      const { net, width, lo } = element.signed;
      const value = (bits: number): number => (bits >= 2 ** (width - 1) ? bits - 2 ** width : bits);
      const product = multiplied(nets, { net, value, start: lo }, f, slope, label);
      if (product === undefined) return noForm(node, `element ${e} has a multiplier of too many bits`);
      elements.push({ kind: 'codes', coded: product });
    } else if (element.kind === 'sum') {
      elements.push({ kind: 'codes', coded: requantizeSum(nets, element.plan, f, slope, label) });
    }
  }
  return E.right(elements);
};

/**
 * The code of an integer that a dequantize has made a float of: as the product with the scale ascends, its thresholds are
 * thresholds of the integers.
 */
export const quantizedElement = (
  state: Lowering,
  node: Node,
  { quantizer }: OpOf<'quantize'>['attrs'],
  element: Element,
  e: number,
): Element | undefined => {
  if (element.kind !== 'real') return undefined;
  const { integer, scale } = element;
  const reached = (threshold: number) => (acc: number) => Math.fround(Math.fround(acc) * scale) >= threshold;
  const c = channelIndex(node.type)(e);
  const thresholds = Array.from(thresholdList(quantizer, c), (t) => firstInteger(reached(t)));
  return bucketed(state, node, e, integer, thresholds);
};

/** Codes by thresholds of integers, which the op itself holds. */
export const bucketizeElements = (
  state: Lowering,
  node: Node,
  { thresholds }: OpOf<'bucketize'>['attrs'],
  x: Elements,
): Elements | undefined => {
  const [rows, count] = [thresholds.shape[0]!, thresholds.shape[1]!];
  const channelOf = channelIndex(node.type);
  const elements = x.flatMap((element, e): Elements => {
    const from = rows === 1 ? 0 : channelOf(e) * count;
    const row = Array.from(thresholds.data.subarray(from, from + count));
    const coded = bucketed(state, node, e, element, row);
    return coded === undefined ? [] : [coded];
  });
  return elements.length === x.length ? elements : undefined;
};

/** The smallest i32 for which an ascending condition holds; 2^31 where it holds for none. */
const firstInteger = (holds: (acc: number) => boolean): number => {
  let [lo, hi] = [-(2 ** 31), 2 ** 31];
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if (holds(mid)) hi = mid;
    else lo = mid + 1;
  }
  return lo;
};

/** The code of an integer: how many of ascending thresholds are at most it. */
const bucketed = (
  { nets, options: { seen } }: Lowering,
  node: Node,
  e: number,
  element: Element,
  thresholds: ReadonlyArray<number>,
): Element | undefined => {
  const label = `${node.name}[${e}]`;
  if (element.kind === 'sum' && element.clamp === undefined && element.plan.range < LARGEST_RANGE) {
    const { plan } = element;
    let code = 0;
    const f: Ascending = Array.from({ length: plan.range + 1 }, (_, v) => {
      while (code < thresholds.length && thresholds[code]! <= plan.base + v) code++;
      return code;
    });
    const left = occurring(f, seen?.codes.get(node.name)?.[e]);
    return { kind: 'codes', coded: requantizeSum(nets, plan, left, undefined, label) };
  }
  const signed = signedOf(nets, element, label);
  if (signed === undefined) return undefined;
  const first = thresholds.filter((t) => t <= signed.lo).length;
  const within = thresholds.filter((t) => t > signed.lo && t <= signed.hi);
  return { kind: 'codes', coded: rankedCodes(nets, signed.net, signed.width, within, first, label) };
};

/** A clamped sum as its bits: what is behind a clamp can no longer be moved. */
const integerOf = (nets: Nets, element: Element, label: string): Element => {
  if (element.kind !== 'sum' || element.clamp === undefined) return element;
  const signed = signedOf(nets, element, label);
  return signed === undefined ? element : { kind: 'signed', signed };
};

/** An ascending function without its ends that were never seen. */
const occurring = (codes: Ascending, seen: Uint8Array | undefined): Ascending => {
  if (seen === undefined) return codes;
  const occurs = (code: number | undefined): boolean => code !== undefined && seen[code] === 1;
  const [first, last] = [codes.findIndex(occurs), codes.findLastIndex(occurs)];
  return codes.map((code, v) => (v >= first && v <= last ? code : undefined));
};
