/** Values that break quantizers: NaN, infinities, zeros, the ends of f32, and what 32-bit integers do not hold. */
export const SPECIAL = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  2 ** 31,
  2 ** 32,
  1e20,
];
