/**
 * Trigonometric functions from additions, multiplications and divisions only: see transcendental.ts for why.
 * Absolute error is below 1e-13 for |x| up to 1e6 (for tan where it is below 1). Beyond, sin and cos stay within
 * [-1, 1], but their phase is that of the multiples of the double nearest to 2 pi.
 */

// pi/2 in three parts: the first two have enough trailing zero bits that multiples up to 2^20 are exact.
const PIO2_1 = 1.5707963267341256;
const PIO2_2 = 6.077100506303966e-11;
const PIO2_3 = 2.0222662487959506e-21;

/** Up to here the parts of pi/2 reduce to the stated error. */
const REDUCED_LIMIT = 1e6;

/** Taylor series of sin around 0 for |r| <= pi/4. */
const sinSeries = (r: number): number => {
  const r2 = r * r;
  let sum = 1;
  for (let n = 17; n >= 3; n -= 2) sum = 1 - (sum * r2) / (n * (n - 1));
  return r * sum;
};

/** Taylor series of cos around 0 for |r| <= pi/4. */
const cosSeries = (r: number): number => {
  const r2 = r * r;
  let sum = 1;
  for (let n = 18; n >= 2; n -= 2) sum = 1 - (sum * r2) / (n * (n - 1));
  return sum;
};

/** sin(x + quarter * pi/2), by reduction to the nearest multiple of pi/2. NaN for infinities. */
const quarterTurn = (x: number, quarter: number): number => {
  if (x - x !== 0) return Number.NaN;
  // The remainder of doubles is exact on every engine.
  const y = Math.abs(x) <= REDUCED_LIMIT ? x : x % (2 * Math.PI);
  const k = Math.floor(y / (Math.PI / 2) + 0.5);
  const r = y - k * PIO2_1 - k * PIO2_2 - k * PIO2_3;
  const turn = (((k + quarter) % 4) + 4) % 4;
  if (turn === 0) return sinSeries(r);
  if (turn === 1) return cosSeries(r);
  return turn === 2 ? -sinSeries(r) : -cosSeries(r);
};

export const sin = (x: number): number => quarterTurn(x, 0);

export const cos = (x: number): number => quarterTurn(x, 1);

export const tan = (x: number): number => sin(x) / cos(x);

/**
 * Arc tangent. Twice atan(x) = 2 atan(x / (1 + sqrt(1 + x^2))) brings |x| <= 1 below 0.2; then the series.
 */
export const atan = (x: number): number => {
  if (Number.isNaN(x)) return x;
  if (x < 0) return -atan(-x);
  if (x > 1) return Math.PI / 2 - atan(1 / x);
  const half = x / (1 + Math.sqrt(1 + x * x));
  const quarter = half / (1 + Math.sqrt(1 + half * half));
  const q2 = quarter * quarter;
  let sum = 0;
  for (let n = 25; n >= 1; n -= 2) sum = 1 / n - q2 * sum;
  return 4 * quarter * sum;
};

/** Arc sine on [-1, 1]; NaN outside. */
export const asin = (x: number): number => {
  if (!(x >= -1 && x <= 1)) return Number.NaN;
  return Math.abs(x) === 1 ? (x * Math.PI) / 2 : atan(x / Math.sqrt((1 - x) * (1 + x)));
};

/** Arc cosine on [-1, 1]; NaN outside. */
export const acos = (x: number): number => Math.PI / 2 - asin(x);
