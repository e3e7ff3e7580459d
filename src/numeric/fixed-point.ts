/**
 * Requantization: from an accumulator to a code, by one multiplication and one shift.
 *
 *   code = clamp((v * mul + 2^(shift-1)) >> shift, 0, levels - 1)          v = acc + bias, mul > 0
 *
 * computed exactly. The form is monotone in v, so clamping v first to [0, hi], where hi is the smallest value with
 * the top code (`clampBounds`), changes nothing. Then 32 bits are enough on every target, in one of two ways:
 *
 * *Narrow*: the products themselves fit, H * mul + 2^(shift-1) < 2^31, where H = min(hi, 2^31 - 1) is the largest
 * clamped v of 32 bits.
 *
 * *Wide*: v is split into v = vh * 2^12 + vl with 0 <= vl < 2^12, and with shift >= 13
 *
 *   (v * mul + 2^(shift-1)) >> shift = (vh * mul + ((vl * mul) >> 12) + 2^(shift-13)) >> (shift - 12)
 *
 * because vh * mul and 2^(shift-13) are integers: dividing by 2^12 and rounding down first loses nothing. What must
 * fit is vl * mul, so mul < 2^19 (4095 * 2^19 < 2^31), and the sum, which grows with v and at v = H is
 * floor(H * mul / 2^12) + 2^(shift-13): it must be below 2^31. The wide form is what lets a multiplier keep its
 * precision where accumulators are very much finer than codes. Its shifts end at 43, where the rounding alone is 2^30.
 */

/** Largest shift of either form. */
export const MAX_SHIFT = 43;
/** Bits of the low part of a split value. */
export const SPLIT_BITS = 12;

/** How products are formed. */
export type ProductForm = 'narrow' | 'wide';

/** Largest clamped value of 32 bits. */
const largestValue = (mul: number, shift: number, levels: number): number =>
  Math.min(clampBounds(mul, shift, levels).hi, 2 ** 31 - 1);

/** Whether the products of a multiplier fit 32 bits as they are. */
export const fitsNarrow = (mul: number, shift: number, levels: number): boolean =>
  largestValue(mul, shift, levels) * mul + 2 ** (shift - 1) < 2 ** 31;

/** Whether its split products do. */
export const fitsWide = (mul: number, shift: number, levels: number): boolean =>
  shift > SPLIT_BITS &&
  shift <= MAX_SHIFT &&
  mul < 2 ** 19 &&
  // Below 2^50: exact.
  Math.floor((largestValue(mul, shift, levels) * mul) / 2 ** SPLIT_BITS) + 2 ** (shift - 1 - SPLIT_BITS) <
    2 ** 31;

/** The form that all outputs of an op can share: narrow before wide. Undefined when there is none. */
export const productForm = (
  muls: ArrayLike<number>,
  shift: number,
  levels: number,
): ProductForm | undefined => {
  const all = (fits: typeof fitsNarrow): boolean => {
    for (let o = 0; o < muls.length; o++) if (!fits(muls[o]!, shift, levels)) return false;
    return true;
  };
  return all(fitsNarrow) ? 'narrow' : all(fitsWide) ? 'wide' : undefined;
};

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

/** The smallest k with 2^k >= x, for positive finite x: by comparison with powers of two, which are exact. */
const ceilExponent = (x: number): number => {
  let k = -1074;
  for (let power = 2 ** -1074; power < x; power *= 2) k++;
  return k;
};

/**
 * The shift for the largest ratio of an op. All multipliers of ratios up to it share a form at this shift.
 *
 * Narrow where that leaves the multiplier 15 bits, or so many that rounding it moves no code by more than a 128th.
 * Otherwise wide with a multiplier of 16 bits, or with what the codes leave room for.
 */
export const shiftFor = (largestRatio: number, levels: number): number => {
  const codeBits = ceilLog2(levels + 2);
  let narrow = 30 - codeBits;
  while (narrow > 1 && multiplierFor(largestRatio, narrow) > 2 ** 30) narrow--;
  const enough = Math.min(2 ** 15, 64 * levels);
  if (multiplierFor(largestRatio, narrow) >= enough) return narrow;
  const wide = Math.min(MAX_SHIFT, 43 - codeBits, 16 - ceilExponent(largestRatio));
  return Math.max(narrow, wide);
};

/**
 * Bounds [lo, hi] on acc + bias outside of which the code no longer changes: at 0 and below it is 0, and hi
 * is the smallest value that has the top code. Clamping to them first gives the same code for every accumulator.
 * Exact where (levels - 1) * 2^shift is below 2^53 or hi is above 2^31 (a bound that no accumulator reaches).
 */
export const clampBounds = (mul: number, shift: number, levels: number): { lo: number; hi: number } => {
  const half = 2 ** (shift - 1);
  // code >= levels - 1  <=>  v * mul + half >= (levels - 1) * 2^shift
  const hi = Math.ceil(((levels - 1) * 2 ** shift - half) / mul);
  return { lo: 0, hi: Math.max(0, hi) };
};

/** The code of an accumulator: exact in doubles where `productForm` gives a form, or levels * 2^shift < 2^52. */
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
