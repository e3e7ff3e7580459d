/**
 * Requantization: from an accumulator to a code, by one multiplication and one shift.
 *
 *   code = clamp(((acc + bias) * mul + 2^(shift-1)) >> shift, 0, levels - 1)
 *
 * computed exactly. The form is monotone in acc (mul > 0), so clamping acc + bias first to the bounds below,
 * which map to the end codes themselves, changes nothing; and then every product is below
 * (levels + 1) * 2^shift, which `fixedPoint` keeps under 2^31: 32-bit targets need no wider arithmetic.
 */

export interface FixedPoint {
  readonly mul: number;
  readonly shift: number;
}

/**
 * The multiplier for `ratio` = accumulator scale / code step at a given shift, at least 1.
 * `ratio` must be positive and finite.
 */
export const multiplierFor = (ratio: number, shift: number): number =>
  Math.max(1, Math.round(ratio * 2 ** shift));

/**
 * The smallest k with 2^k >= n, for integers n from 1 to 2^31. Not by logarithms: engines may round those
 * differently, and the bytes of programs depend on it.
 */
export const ceilLog2 = (n: number): number => 32 - Math.clz32(n - 1);

/** The largest shift for which codes up to levels - 1 keep every clamped product below 2^31 and mul below 2^31. */
export const shiftFor = (largestRatio: number, levels: number): number => {
  let shift = 30 - ceilLog2(levels + 2);
  while (shift > 1 && multiplierFor(largestRatio, shift) > 2 ** 30) shift--;
  return shift;
};

/**
 * Bounds [lo, hi] on acc + bias outside of which the code no longer changes: at 0 and below it is 0, and hi
 * is the smallest value that has the top code. Clamping to them first gives the same code for every accumulator.
 */
export const clampBounds = (mul: number, shift: number, levels: number): { lo: number; hi: number } => {
  const half = 2 ** (shift - 1);
  // code >= levels - 1  <=>  v * mul + half >= (levels - 1) * 2^shift
  const hi = Math.ceil(((levels - 1) * 2 ** shift - half) / mul);
  return { lo: 0, hi: Math.max(0, hi) };
};

/** The code of an accumulator: exact for every acc + bias below 2^53. */
export const requantizeCode = (
  acc: number,
  bias: number,
  mul: number,
  shift: number,
  levels: number,
): number => {
  const { hi } = clampBounds(mul, shift, levels);
  const v = Math.min(Math.max(acc + bias, 0), hi);
  return Math.min(Math.floor((v * mul + 2 ** (shift - 1)) / 2 ** shift), levels - 1);
};
