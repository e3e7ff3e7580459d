/** Amounts of work: what costs are counted in. docs/costs.md tells the formulas. */
import type { Cost } from '../ir/op-definition.js';
import type { GraphCost } from './graph-cost.js';

/** Work and memory of a part of a program for one sample. */
export type Work = GraphCost;

export const NO_WORK: Work = { macs: 0, adds: 0, bitOps: 0, reads: 0, bytes: 0 };

/** Multiply-accumulates of operands of so many bits: the product of the widths each (as KANtize counts). */
export const products = (macs: number, left: number, right: number): Work => ({
  ...NO_WORK,
  macs,
  bitOps: macs * left * right,
});

/** Additions, subtractions and comparisons of so many bits: the width each. */
export const additions = (adds: number, bits: number): Work => ({ ...NO_WORK, adds, bitOps: adds * bits });

export const sumOf = (parts: ReadonlyArray<Work>): Work =>
  parts.reduce(
    (a, b) => ({
      macs: a.macs + b.macs,
      adds: a.adds + b.adds,
      bitOps: a.bitOps + b.bitOps,
      reads: a.reads + b.reads,
      bytes: a.bytes + b.bytes,
    }),
    NO_WORK,
  );

/** As often. */
export const times = (n: number, w: Work): Work => ({
  macs: n * w.macs,
  adds: n * w.adds,
  bitOps: n * w.bitOps,
  reads: n * w.reads,
  bytes: n * w.bytes,
});

/** What an op says that it costs. */
export const workOf = (cost: Cost): Work => ({
  macs: cost.macs,
  adds: cost.adds,
  bitOps: cost.macs * cost.macBits[0] * cost.macBits[1] + cost.adds * cost.addBits,
  reads: cost.reads,
  bytes: cost.bytes,
});
