/**
 * The closed form of a uniform quantizer, in strict f32.
 *
 *   code(x) = min(levels - 1, trunc_sat((x -f edge) *f inverse))
 *
 * with edge = f32(lo - step/2), inverse = f32(1/step), -f and *f rounded to f32, and trunc_sat truncating
 * towards 0 with everything negative and NaN at 0. Each step is monotone in x, so the code is, and the form
 * *is* a list of thresholds (found by bisection in `thresholdsOf`). WASM computes the same f32 operations.
 */
import { smallestWith } from './float-order.js';

export interface UniformForm {
  readonly edge: number;
  readonly inverse: number;
  readonly levels: number;
}

export const uniformForm = (lo: number, step: number, levels: number): UniformForm => ({
  edge: Math.fround(lo - step / 2),
  inverse: Math.fround(1 / step),
  levels,
});

/** The code of an f32 value. */
export const uniformCode = (form: UniformForm, x: number): number => {
  const scaled = Math.fround(Math.fround(x - form.edge) * form.inverse);
  const top = form.levels - 1;
  return scaled > 0 ? (scaled < top ? Math.trunc(scaled) : top) : 0;
};

/**
 * The levels - 1 ascending f32 thresholds of a monotone code function: thresholds[k] is the smallest f32 whose
 * code is at least k + 1, or Infinity (taken by no finite input) when there is none.
 */
export const thresholdsOf = (codeOf: (x: number) => number, levels: number): Float32Array => {
  const thresholds = new Float32Array(levels - 1);
  for (let k = 0; k < levels - 1; k++) {
    thresholds[k] = smallestWith((x) => codeOf(x) >= k + 1) ?? Number.POSITIVE_INFINITY;
  }
  return thresholds;
};

/** The code by definition: how many of thresholds[offset .. offset + count) are <= x. Binary search; NaN gives 0. */
export const thresholdCode = (thresholds: Float32Array, offset: number, count: number, x: number): number => {
  let lo = 0;
  let hi = count;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (thresholds[offset + mid]! <= x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
};
