/** Quantizers whose codes split into the interval between knots and the fraction within it, by shift and mask. */
import { type BSpline, knotRow } from '../ir/basis.js';
import type { Uniform } from '../ir/quantizer.js';
import { isUniform } from '../numeric/bspline.js';
import type { Range } from '../numeric/range-search.js';

/** Whether all inputs share one row of equally spaced knots (rows that are all alike count as one). */
export const sharedUniform = (spline: BSpline): boolean => {
  const [rows, count] = [spline.knots.shape[0]!, spline.knots.shape[1]!];
  const { data } = spline.knots;
  for (let j = count; j < rows * count; j++) if (data[j] !== data[j % count]) return false;
  return isUniform(knotRow(spline, 0));
};

/**
 * Levels at t_k + j * h / 2^m for a knot t_k at or below the range, with the largest m for which the range
 * fits 2^bits levels: the low m bits of a code are the fraction, the rest the interval.
 */
export const alignedQuantizer = (spline: BSpline, range: Range, bits: number): Uniform | undefined => {
  if (!sharedUniform(spline)) return undefined;
  const row = knotRow(spline, 0);
  const first = row.knots[row.offset]!;
  const h = (row.knots[row.offset + row.count - 1]! - first) / (row.count - 1);
  // A calibrated end that is within rounding of a knot is meant to be that knot.
  const slack = 1e-4;
  const from = Math.floor((range.lo - first) / h + slack);
  for (let m = bits; m >= 0; m--) {
    const levels = Math.ceil(((range.hi - first) / h - from) * 2 ** m - slack) + 1;
    if (levels > 2 ** bits) continue;
    return {
      _tag: 'uniform',
      lo: Math.fround(first + from * h),
      step: Math.fround(h / 2 ** m),
      levels: Math.max(2, levels),
    };
  }
  return undefined;
};
