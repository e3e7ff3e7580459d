/**
 * Layer and instance norm in integers: exact, the same on every target, with nothing wider than 32 bits (sums of
 * squares are kept as two words). For a group of N accumulators a_j with |a_j| <= 2048, N <= 2^16:
 *
 *   S = sum a_j                                     M = floor((8 S + floor(N / 2)) / N)      mean, 3 bits of fraction
 *   d_j = 8 a_j - M                                 W = E + sum d_j^2                        E: epsilon, at least 1
 *   m 2^k ~ W with m in [2^29, 2^30)                v = floor(m / N)                         variance is v 2^k
 *   v' = v 2^c in [2^28, 2^30), k - c even          q = floor(sqrt(v'))                      in [2^14, 2^15)
 *   r = floor(2^30 / q)                             h = (k - c) / 2                          1 / sigma is r 2^(-30-h)
 *   P = (r |G| + 2^15) >> 16, with the sign of G    t = d P                                  |t| <= 2^30
 *   s = g + 14 + h                                  code = clamp(((t + 2^(s-1)) >> s) + B, 0, levels - 1)
 *
 * where G / 2^g is gain / step of the channel and B its offset in codes. Shifts of m towards smaller k lose bits of
 * W below 2^-29 of it. Where s < 1 the code saturates by the sign of t, where s > 30 the first term is 0.
 *
 * For s >= 1 the code, before it is clamped, is off from z G / 2^g + B, with z the real (a - mean) / sigma and sigma in
 * eighths of an accumulator, by at most (and a thousandth of the second term)
 *
 *   1/2 + |G| / 2^g (1 / (2 sigma) + |z| (2^-13 + 1 / (8 sigma^2) + 1 / |G|))
 *
 * of which the mean gives the terms with sigma, the roundings of v, q and r give 2^-13 (2^-12 where N is above 2^15), and
 * that of P gives 1 / |G|.
 */

/** Largest magnitude of an input, and largest group. */
export const NORM_INPUT_LIMIT = 2048;
export const NORM_GROUP_LIMIT = 2 ** 16;
/** |G| is below this. */
export const NORM_GAIN_LIMIT = 2 ** 15;

/** Mean with 3 bits of fraction, reciprocal standard deviation r and its exponent h. */
export interface NormStatistics {
  readonly mean: number;
  readonly reciprocal: number;
  readonly exponent: number;
}

const bitLength = (x: number): number => {
  let bits = 0;
  for (let rest = x; rest >= 1; rest = Math.floor(rest / 2)) bits++;
  return bits;
};

/** floor(sqrt(x)) for an integer 0 <= x < 2^32, bit by bit. */
export const integerSqrt = (x: number): number => {
  let root = 0;
  for (let bit = 2 ** 15; bit >= 1; bit /= 2) {
    if ((root + bit) * (root + bit) <= x) root += bit;
  }
  return root;
};

/** The statistics of `count` accumulators from data[at] on; `epsilon` is E above. */
export const normStatistics = (
  data: ArrayLike<number>,
  at: number,
  count: number,
  epsilon: number,
): NormStatistics => {
  let sum = 0;
  for (let j = at; j < at + count; j++) sum += data[j]!;
  const mean = Math.floor((8 * sum + Math.floor(count / 2)) / count);
  let w = epsilon;
  for (let j = at; j < at + count; j++) {
    const d = 8 * data[j]! - mean;
    w += d * d;
  }
  // W stays below 2^47, so that doubles hold it exactly.
  const k = bitLength(w) - 30;
  const m = k >= 0 ? Math.floor(w / 2 ** k) : w * 2 ** -k;
  const v = Math.floor(m / count);
  let c = 30 - bitLength(v);
  if ((k - c) % 2 !== 0) c--;
  const root = integerSqrt(c >= 0 ? v * 2 ** c : Math.floor(v / 2 ** -c));
  return { mean, reciprocal: Math.floor(2 ** 30 / root), exponent: (k - c) / 2 };
};

/** The code of one accumulator from the statistics of its group. */
export const normCode = (
  { mean, reciprocal, exponent }: NormStatistics,
  a: number,
  gain: number,
  gainShift: number,
  offset: number,
  levels: number,
): number => {
  const magnitude = Math.floor((reciprocal * Math.abs(gain) + 2 ** 15) / 2 ** 16);
  const t = (8 * a - mean) * (gain < 0 ? -magnitude : magnitude);
  const s = gainShift + 14 + exponent;
  const top = levels - 1;
  if (s < 1) return t > 0 ? top : t < 0 ? 0 : Math.min(Math.max(offset, 0), top);
  const scaled = s > 30 ? 0 : Math.floor((t + 2 ** (s - 1)) / 2 ** s);
  return Math.min(Math.max(scaled + offset, 0), top);
};
