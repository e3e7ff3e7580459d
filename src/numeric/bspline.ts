/**
 * B-spline basis functions by the Cox-de Boor recursion (de Boor, A Practical Guide to Splines, ch. IX).
 *
 * Knots t_0..t_{G+2p}; K = G + p functions; intervals are half-open, outside [t_0, t_{G+2p}) all functions
 * are 0, and 0/0 on repeated knots counts as 0: as the term that has it, or as the whole function.
 */

/** A row of a knot array: `knots[offset .. offset + count)`, ascending. */
export interface KnotRow {
  readonly knots: Float32Array;
  readonly offset: number;
  readonly count: number;
  /** At every degree a function is 0 as a whole where one of its two terms is 0/0, not only without that term. */
  readonly vanishing?: boolean;
}

/** The s with t_s <= x < t_{s+1}, or -1 outside [t_0, t_last) and for NaN. */
export const spanOf = (row: KnotRow, x: number): number => {
  const { knots, offset, count } = row;
  if (!(x >= knots[offset]! && x < knots[offset + count - 1]!)) return -1;
  let lo = 0;
  let hi = count - 1;
  // t_lo <= x < t_hi throughout; ends at the last s with t_s <= x, which skips intervals of length 0.
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if (x >= knots[offset + mid]!) lo = mid;
    else hi = mid;
  }
  return lo;
};

/**
 * Values at x of the p + 1 functions that can be non-zero there: out[r] = B_{s-p+r, p}(x) for r in 0..p, with
 * s the span of x. Functions whose index is outside [0, K) are reported as 0. Returns s - p, the index of the
 * function in out[0] (which may be negative), or `undefined` outside the knots, where out is all 0.
 */
export const basisAt = (row: KnotRow, order: number, x: number, out: Float64Array): number | undefined => {
  out.fill(0, 0, order + 1);
  const span = spanOf(row, x);
  if (span < 0) return undefined;
  const { knots, offset, count } = row;
  // out[r] holds B_{span-order+r, q}; degree q only touches r in order-q..order, so one array suffices.
  out[order] = 1;
  for (let q = 1; q <= order; q++) {
    for (let r = order - q; r <= order; r++) {
      const k = span - order + r;
      let value = 0;
      if (k >= 0 && k + q < count && r > order - q) {
        const t0 = knots[offset + k]!;
        const width = knots[offset + k + q]! - t0;
        if (width > 0) value += ((x - t0) / width) * out[r]!;
      }
      if (k + 1 >= 0 && k + 1 + q < count && r < order) {
        const t1 = knots[offset + k + 1 + q]!;
        const width = t1 - knots[offset + k + 1]!;
        if (width > 0) value += ((t1 - x) / width) * out[r + 1]!;
      }
      out[r] = row.vanishing === true && isUndefined(row, k, q) ? 0 : value;
    }
  }
  const functions = count - order - 1;
  for (let r = 0; r <= order; r++) {
    const k = span - order + r;
    if (k < 0 || k >= functions) out[r] = 0;
  }
  return span - order;
};

/** Whether a term of B_{k,q} divides by a distance of knots that is 0. The term is 0/0 at every x, not only there. */
const isUndefined = ({ knots, offset, count }: KnotRow, k: number, q: number): boolean => {
  if (k < 0 || k + 1 + q >= count) return false;
  const at = offset + k;
  return knots[at] === knots[at + q] || knots[at + 1] === knots[at + 1 + q];
};

/** Whether a row's knots are equally spaced up to f32 rounding. */
export const isUniform = (row: KnotRow): boolean => {
  const { knots, offset, count } = row;
  const first = knots[offset]!;
  const step = (knots[offset + count - 1]! - first) / (count - 1);
  if (!(step > 0)) return false;
  const scale = Math.max(Math.abs(first), Math.abs(knots[offset + count - 1]!));
  // A few units in the last place of the largest knot, plus drift of a running sum in f32.
  const tolerance = scale * 2 ** -22 + step * 1e-5;
  for (let i = 0; i < count; i++) {
    if (Math.abs(knots[offset + i]! - (first + i * step)) > tolerance) return false;
  }
  return true;
};
