/**
 * Transcendental functions from additions, multiplications and divisions only.
 *
 * `Math.exp` and its kin may differ in the last bit between engines. Tables are computed from these functions
 * instead, so that the same checkpoint gives the same bytes on every platform (IEEE 754 fixes +, -, *, / and
 * sqrt exactly). Relative error is below 1e-14 where not said otherwise: far finer than any table.
 */

const LN2_HI = 0.6931471803691238; // ln 2 with its low 21 bits cleared, so that k * LN2_HI is exact
const LN2_LO = 1.9082149292705877e-10; // ln 2 - LN2_HI

/** 2^k for an integer k in [-1074, 1023], built from its bits. */
const powerOfTwo = (k: number): number => {
  if (k < -1022) return 2 ** -1022 * powerOfTwo(k + 1022);
  word[HIGH] = (k + 1023) << 20;
  word[LOW] = 0;
  return double[0]!;
};

// One double seen as two words; which word is the high one depends on the machine.
const double = new Float64Array(1);
const word = new Uint32Array(double.buffer);
double[0] = 1;
const HIGH = word[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;

/** e^x. Reduces x to r in [-ln2/2, ln2/2] and sums the Taylor series of e^r to the 13th term. */
export const exp = (x: number): number => {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x / Math.LN2 + 0.5);
  const r = x - k * LN2_HI - k * LN2_LO;
  let sum = 1;
  for (let n = 13; n >= 1; n--) sum = 1 + (sum * r) / n;
  return k > 1023 ? sum * powerOfTwo(1023) * powerOfTwo(k - 1023) : sum * powerOfTwo(k);
};

/** Natural logarithm of x > 0 (NaN below 0, -Infinity at 0): x = m * 2^e with m near 1, ln m by 2 artanh((m-1)/(m+1)). */
export const log = (x: number): number => {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  const scaled = x < 2.2250738585072014e-308;
  double[0] = scaled ? x * 2 ** 54 : x;
  let e = ((word[HIGH]! >>> 20) & 0x7ff) - 1023 - (scaled ? 54 : 0);
  word[HIGH] = (word[HIGH]! & 0x000fffff) | 0x3ff00000;
  let m = double[0]!;
  if (m > Math.SQRT2) {
    m /= 2;
    e += 1;
  }
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = 1 / n + s2 * sum;
  return e * LN2_HI + (2 * s * sum + e * LN2_LO);
};

/** Hyperbolic tangent. */
export const tanh = (x: number): number => {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a > 22) return x > 0 ? 1 : -1;
  if (a < 0.5) {
    // Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))): below, 1 - 2/(e+1) would cancel.
    let tail = 19;
    for (let n = 17; n >= 1; n -= 2) tail = n + (x * x) / tail;
    return x / tail;
  }
  const e = exp(2 * a);
  const y = 1 - 2 / (e + 1);
  return x > 0 ? y : -y;
};

/** Logistic function 1 / (1 + e^-x), without overflow on either side. */
export const sigmoid = (x: number): number => {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
};

/**
 * Error function: erf(x) = 2/sqrt(pi) * e^(-x^2) * sum_n 2^n x^(2n+1) / (1*3*...*(2n+1)); absolute error
 * below 1e-14. All terms are positive, so nothing cancels; beyond 6 the result is 1 in double precision.
 */
export const erf = (x: number): number => {
  if (Number.isNaN(x) || x === 0) return x;
  const a = Math.abs(x);
  if (a > 6) return x > 0 ? 1 : -1;
  let term = a;
  let sum = a;
  for (let n = 1; n < 200 && term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  const y = 1.1283791670955126 * exp(-a * a) * sum;
  return x > 0 ? y : -y;
};

// The absolute error of trigonometric functions is below 1e-13 for |x| up to 1e6 (for tan where it is below 1). Beyond,
// sin and cos stay within [-1, 1], but their phase is that of the multiples of the double nearest to 2 pi.

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
