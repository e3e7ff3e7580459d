/** The values that the entries of a basis table are multiplied by, in integers. */
import { type Constant, constant, f32Data } from '../ir/constant.js';
import type { TypedArray } from '../ir/element.js';
import { int, maxOf, uint } from '../ir/element.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { nearestEntry } from '../numeric/table-scale.js';
import { distinctFractions, fill, type SampledBasis } from './sample-basis.js';

/** Bits that base-table entries should at least use, so that a coarse basis does not coarsen the base branch. */
const BASE_BITS = 8;

export interface QuantizedBasis {
  readonly bits: number;
  readonly table: Constant;
  /** [rows, levels]: row of the table. */
  readonly frac: Uint32Array;
  readonly shift: number;
  /** Value of one unit of (basis << shift) and of base entries. */
  readonly unit: number;
  /** [rows, levels]. */
  readonly base: { readonly data: TypedArray; readonly bits: number } | undefined;
  /** Whether the largest base value is below 2^15 units. */
  readonly baseFits: boolean;
}

/** B-spline values at `bits` bits, and the finer unit in which the base branch counts beside them. */
export const quantizeBasis = (
  sampled: SampledBasis,
  baseValues: Float64Array | undefined,
  width: number,
  bits: number,
): QuantizedBasis => {
  const largest = sampled.values.reduce((a, b) => Math.max(a, b), 0);
  const scale = largest > 0 ? largest / (2 ** bits - 1) : 1;
  const fractions = distinctFractions(sampled, scale, width);
  const baseLargest = baseValues?.reduce((a, v) => Math.max(a, Math.abs(v)), 0) ?? 0;
  const shift = baseShift(scale, baseLargest, bits);
  const unit = scale / 2 ** shift;
  const baseBits = Math.min(16, Math.max(2, Math.ceil(Math.log2(baseLargest / unit + 1)) + 1));
  const base = int(baseBits);
  return {
    bits,
    table: constant(uint(bits), [fractions.count, width], fractions.table(bits)),
    frac: fractions.index,
    shift,
    unit,
    base:
      baseValues === undefined
        ? undefined
        : {
            data: fill(base, baseValues.length, (e) => nearestEntry(baseValues[e]! / unit, maxOf(base))),
            bits: baseBits,
          },
    baseFits: bits === 1 || baseLargest / unit <= 2 ** 15 - 1,
  };
};

/** Left shift of basis values that gives base entries at least BASE_BITS bits and keeps both within i16. */
const baseShift = (basisScale: number, baseLargest: number, basisBits: number): number => {
  if (baseLargest === 0) return 0;
  let shift = 0;
  while (
    shift + basisBits < 15 &&
    baseLargest / (basisScale / 2 ** shift) < 2 ** (BASE_BITS - 1) - 1 &&
    baseLargest / (basisScale / 2 ** (shift + 1)) <= 2 ** 15 - 1
  ) {
    shift++;
  }
  return shift;
};

const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((n, v) => n + v * v, 0) / Math.max(1, values.length));

/**
 * By how much base weights are larger than coefficients, as a power of two. Both share the scale of their output, so the
 * weights are divided by it and what they are multiplied by takes it: else the larger of the two would take all bits of
 * the other.
 */
export const baseRatio = ({ branches }: KanAttrs): number => {
  const of = (tag: 'base' | 'bspline'): number =>
    branches.filter((b) => b.basis._tag === tag).reduce((n, b) => n + rootMeanSquare(f32Data(b.weights)), 0);
  const [base, spline] = [of('base'), of('bspline')];
  if (base === 0 || spline === 0) return 1;
  return 2 ** Math.max(-MOST_RATIO, Math.min(MOST_RATIO, Math.round(Math.log2(base / spline))));
};

/** Ratios are kept within 2^-4 and 2^4, so that base values keep bits enough beside basis values. */
const MOST_RATIO = 4;
