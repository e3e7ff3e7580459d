/**
 * f32 values in their order: every f32 but NaN has an integer, ascending with the value. For exact bisection, and for
 * exact order statistics of many values in bounded memory, by radix selection over the bits.
 */

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Position of an f32 in the order of all f32 (-Infinity lowest; -0 directly below +0). */
export const orderOf = (x: number): number => {
  float[0] = x;
  const b = bits[0]!;
  return b >= 0 ? b : -0x80000000 - b - 1;
};

/** The f32 at a position: the inverse of orderOf. */
export const floatAt = (order: number): number => {
  bits[0] = order >= 0 ? order : -0x80000000 - order - 1;
  return float[0]!;
};

export const LOWEST = orderOf(Number.NEGATIVE_INFINITY);
export const HIGHEST = orderOf(Number.POSITIVE_INFINITY);

/** The smallest f32 x with predicate(x), for a predicate that is monotone in x; undefined when none satisfies it. */
export const smallestWith = (predicate: (x: number) => boolean): number | undefined => {
  if (!predicate(Number.POSITIVE_INFINITY)) return undefined;
  let lo = LOWEST;
  let hi = HIGHEST;
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if (predicate(floatAt(mid))) hi = mid;
    else lo = mid + 1;
  }
  return floatAt(lo);
};

const HALF = 16;
const BUCKETS = 2 ** HALF;

/** Shifts positions in the order of f32 (-2^31 to 2^31 - 1) to unsigned ones. */
const OFFSET = 2 ** 31;

/**
 * The values that stand at `ranks` (0: the smallest) when the finite values of `data` are sorted; ranks beyond them give
 * the largest. Two passes over the data and no copy of them. NaN where no value is finite.
 */
export const orderStatistics = (data: Float32Array, ranks: ReadonlyArray<number>): ReadonlyArray<number> => {
  const upper = new Uint32Array(BUCKETS);
  let count = 0;
  for (let j = 0; j < data.length; j++) {
    const x = data[j]!;
    if (x - x !== 0) continue;
    upper[Math.floor((orderOf(x) + OFFSET) / BUCKETS)]!++;
    count++;
  }
  if (count === 0) return ranks.map(() => Number.NaN);
  const places = ranks.map((rank) => placeOf(upper, Math.min(Math.max(0, rank), count - 1)));
  const lower = new Map(places.map(({ bucket }) => [bucket, new Uint32Array(BUCKETS)]));
  for (let j = 0; j < data.length; j++) {
    const x = data[j]!;
    if (x - x !== 0) continue;
    const key = orderOf(x) + OFFSET;
    const bucket = Math.floor(key / BUCKETS);
    const counts = lower.get(bucket);
    if (counts !== undefined) counts[key - bucket * BUCKETS]!++;
  }
  return places.map(({ bucket, rest }) => {
    const { bucket: last } = placeOf(lower.get(bucket)!, rest);
    return floatAt(bucket * BUCKETS + last - OFFSET);
  });
};

/** The bucket that holds a rank, and the rank within it. */
const placeOf = (counts: Uint32Array, rank: number): { readonly bucket: number; readonly rest: number } => {
  let bucket = 0;
  let rest = rank;
  while (rest >= counts[bucket]!) rest -= counts[bucket++]!;
  return { bucket, rest };
};
