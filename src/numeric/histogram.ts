/** Histograms of calibration values: per feature, over bins that all features share. */

export interface Histogram {
  readonly features: number;
  readonly bins: number;
  /** Smallest and largest finite value; 0 and 0 when there is none. */
  readonly lo: number;
  readonly hi: number;
  /** [features, bins]. */
  readonly counts: Uint32Array;
  /** [features, bins]: mean of the values in a bin, its middle where it is empty. */
  readonly means: Float32Array;
  /** Values that were NaN or infinite and left out. */
  readonly skipped: number;
}

/** Bins `data` ([samples, features, inner], row-major) over its own range. */
export const histogram = (data: Float32Array, features: number, bins: number, inner = 1): Histogram => {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  let skipped = 0;
  for (let j = 0; j < data.length; j++) {
    const x = data[j]!;
    if (x - x !== 0) skipped++;
    else {
      if (x < lo) lo = x;
      if (x > hi) hi = x;
    }
  }
  if (lo > hi) {
    lo = 0;
    hi = 0;
  }
  const counts = new Uint32Array(features * bins);
  const sums = new Float64Array(features * bins);
  const perUnit = hi > lo ? bins / (hi - lo) : 0;
  for (let at = 0, f = 0; at < data.length; at += inner, f = f + 1 === features ? 0 : f + 1) {
    for (let j = at; j < at + inner; j++) {
      const x = data[j]!;
      if (x - x !== 0) continue;
      const cell = f * bins + Math.min(bins - 1, Math.floor((x - lo) * perUnit));
      counts[cell]!++;
      sums[cell]! += x;
    }
  }
  return { features, bins, lo, hi, counts, means: binMeans(counts, sums, lo, hi, bins), skipped };
};

const binMeans = (
  counts: Uint32Array,
  sums: Float64Array,
  lo: number,
  hi: number,
  bins: number,
): Float32Array => {
  const means = new Float32Array(counts.length);
  for (let cell = 0; cell < counts.length; cell++) {
    const count = counts[cell]!;
    means[cell] = count > 0 ? sums[cell]! / count : lo + (((cell % bins) + 0.5) * (hi - lo)) / bins;
  }
  return means;
};

/** A histogram without data over an assumed range. */
export const emptyHistogram = (features: number, bins: number, lo: number, hi: number): Histogram => {
  const counts = new Uint32Array(features * bins);
  return {
    features,
    bins,
    lo,
    hi,
    counts,
    means: binMeans(counts, new Float64Array(counts.length), lo, hi, bins),
    skipped: 0,
  };
};

/**
 * Range after cutting `share` of all values off each end (0 keeps the extremes). Bounds are means of bins, so
 * they are values that occur.
 */
export const clippedRange = (
  h: Pick<Histogram, 'bins' | 'lo' | 'hi' | 'counts' | 'means'>,
  share: number,
  feature: number | 'all',
): { lo: number; hi: number } => {
  const features = h.counts.length / h.bins;
  const [from, to] = feature === 'all' ? [0, features] : [feature, feature + 1];
  const totals = new Float64Array(h.bins);
  const low = new Float64Array(h.bins).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(h.bins).fill(Number.NEGATIVE_INFINITY);
  let total = 0;
  for (let f = from; f < to; f++) {
    for (let b = 0; b < h.bins; b++) {
      const count = h.counts[f * h.bins + b]!;
      if (count === 0) continue;
      const mean = h.means[f * h.bins + b]!;
      totals[b]! += count;
      low[b] = Math.min(low[b]!, mean);
      high[b] = Math.max(high[b]!, mean);
      total += count;
    }
  }
  if (total === 0) return { lo: h.lo, hi: h.hi };
  const cut = total * share;
  let first = 0;
  for (let sum = totals[0]!; sum <= cut && first < h.bins - 1; sum += totals[first]!) first++;
  let last = h.bins - 1;
  for (let sum = totals[last]!; sum <= cut && last > first; sum += totals[last]!) last--;
  if (share === 0 && feature === 'all') return { lo: h.lo, hi: h.hi };
  return { lo: low[first]!, hi: Math.max(low[first]!, high[last]!) };
};
