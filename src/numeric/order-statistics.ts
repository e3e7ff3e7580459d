/** Exact order statistics of many floats in bounded memory: radix selection over the bits of f32 values. */
import { floatAt, orderOf } from './float-order.js';

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
