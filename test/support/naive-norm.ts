/**
 * Layer and instance norm of accumulators once more: in whole numbers of any size, every one of which is shown to
 * `see`, and in real numbers.
 */

/** Called with the name of an intermediate (those of numeric/integer-norm.ts) and its value. */
export type See = (name: string, value: bigint) => void;

const floorDivide = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
};

const bits = (x: bigint): bigint => BigInt(x.toString(2).length);
const shifted = (x: bigint, by: bigint): bigint => (by >= 0n ? x << by : x >> -by);

/** floor(sqrt(x)), by Newton's method. */
export const bigSqrt = (x: bigint): bigint => {
  if (x < 2n) return x;
  let root = 1n << ((bits(x) + 1n) / 2n);
  for (;;) {
    const next = (root + x / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
};

export interface NormParameters {
  readonly epsilon: number;
  readonly gain: number;
  readonly gainShift: number;
  readonly offset: number;
  readonly levels: number;
}

/** The code of group[which]. */
export const bigNorm = (
  group: ReadonlyArray<number>,
  which: number,
  { epsilon, gain, gainShift, offset, levels }: NormParameters,
  see: See = () => {},
): number => {
  const note = (name: string, value: bigint): bigint => {
    see(name, value);
    return value;
  };
  const n = BigInt(group.length);
  let sum = 0n;
  for (const a of group) sum = note('S', sum + BigInt(a));
  const mean = note('M', floorDivide(note('8S', 8n * sum + n / 2n), n));
  let w = BigInt(epsilon);
  for (const a of group) {
    const d = note('d', 8n * BigInt(a) - mean);
    w = note('W', w + note('d^2', d * d));
  }
  const k = note('k', bits(w) - 30n);
  const m = note('m', shifted(w, -k));
  const v = note('v', m / n);
  const even = 30n - bits(v);
  const c = note('c', (k - even) % 2n === 0n ? even : even - 1n);
  const q = note('q', bigSqrt(note("v'", shifted(v, c))));
  const r = note('r', (1n << 30n) / q);
  const h = (k - c) / 2n;
  const magnitude = note('P', note('r|G|', r * BigInt(Math.abs(gain)) + (1n << 15n)) >> 16n);
  const t = note('t', (8n * BigInt(group[which]!) - mean) * (gain < 0 ? -magnitude : magnitude));
  const s = note('s', BigInt(gainShift) + 14n + h);
  const top = BigInt(levels - 1);
  const clamp = (code: bigint): number => Number(code < 0n ? 0n : code > top ? top : code);
  if (s < 1n && t !== 0n) return t > 0n ? Number(top) : 0;
  const term = s < 1n || s > 30n ? 0n : note('t + half', t + (1n << (s - 1n))) >> s;
  return clamp(note('code', term + BigInt(offset)));
};

/**
 * What the code approximates before it is rounded and clamped, with a bound for the distance: (a - mean) / sigma
 * * gain + offset, sigma^2 the variance plus epsilon.
 */
export const realNorm = (
  group: ReadonlyArray<number>,
  which: number,
  { epsilon, gain, gainShift, offset }: NormParameters,
): { readonly value: number; readonly bound: number } => {
  const n = group.length;
  const mean = group.reduce((a, b) => a + b, 0) / n;
  const variance = group.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  // All in units of an eighth of an accumulator, as epsilon is.
  const sigma = Math.sqrt(64 * variance + epsilon / n);
  const slope = gain / 2 ** gainShift;
  const z = (8 * (group[which]! - mean)) / sigma;
  // The mean is off by up to 1/2, which adds up to 1/4 to the variance; v, q and r lose 2^-14 (half of which counts,
  // under the root), 2^-14 and 2^-15 of themselves; P is off by 1/2, when r |G| / 2^16 is at least |G| / 2.
  const relative = 0.125 / sigma ** 2 + 2 ** -15 + 2 ** -14 + 2 ** -15 + 1 / Math.max(1, Math.abs(gain));
  return {
    value: z * slope + offset,
    bound: 0.5 + Math.abs(slope) * (0.5 / sigma + Math.abs(z) * relative) * (1 + 2 ** -10),
  };
};
