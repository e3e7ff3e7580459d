/**
 * The distribution of values that a quantizer is fitted to: the occupied bins of a histogram as weighted points, with
 * running sums, so that weight, sum and square sum of any run of points are known at once.
 */
import type { Histogram } from './histogram.js';

export interface Distribution {
  /** [n]: means of the occupied bins, ascending. */
  readonly points: Float64Array;
  /** [n + 1]: how many values the first k points stand for, each as much as it counts. */
  readonly weights: Float64Array;
  /** [n + 1]: sums of the values less `origin`. */
  readonly sums: Float64Array;
  /** [n + 1]: sums of the squares of the values less `origin`. */
  readonly squares: Float64Array;
  /** Subtracted before squares are taken: large values that differ little would cancel. */
  readonly origin: number;
}

/** A run of points [from, to) as weight, sum and square sum about the origin. */
export interface Moments {
  readonly weight: number;
  readonly sum: number;
  readonly square: number;
}

export interface Selection {
  /** Values beyond these are left out. */
  readonly lo?: number;
  readonly hi?: number;
  /** How much a value counts; 1 where absent. */
  readonly weigh?: ((feature: number, value: number) => number) | undefined;
}

/**
 * The values of one feature, or of all of them together. Features share their bins, so that a bin of all features is
 * the sum of theirs.
 */
export const distributionOf = (
  h: Pick<Histogram, 'bins' | 'counts' | 'means'>,
  feature: number | 'all',
  { lo = Number.NEGATIVE_INFINITY, hi = Number.POSITIVE_INFINITY, weigh }: Selection = {},
): Distribution => {
  const features = h.counts.length / h.bins;
  const [from, to] = feature === 'all' ? [0, features] : [feature, feature + 1];
  const counts = new Float64Array(h.bins);
  const sums = new Float64Array(h.bins);
  const squares = new Float64Array(h.bins);
  /** The mean of a bin where all of its values have one: sums would round it. */
  const means = new Float64Array(h.bins);
  let origin: number | undefined;
  for (let b = 0; b < h.bins; b++) {
    for (let f = from; f < to; f++) {
      const count = h.counts[f * h.bins + b]!;
      const mean = h.means[f * h.bins + b]!;
      if (count === 0 || mean < lo || mean > hi) continue;
      origin ??= mean;
      means[b] = counts[b] === 0 || means[b] === mean ? mean : Number.NaN;
      const value = mean - origin;
      const weight = weigh === undefined ? count : count * weigh(f, mean);
      counts[b]! += weight;
      sums[b]! += weight * value;
      squares[b]! += weight * value * value;
    }
  }
  const occupied = Uint32Array.from(counts.keys()).filter((b) => counts[b]! > 0);
  const base = origin ?? 0;
  return {
    points: Float64Array.from(occupied, (b) =>
      Number.isNaN(means[b]!) ? base + sums[b]! / counts[b]! : means[b]!,
    ),
    weights: running(occupied, counts),
    sums: running(occupied, sums),
    squares: running(occupied, squares),
    origin: base,
  };
};

const running = (indices: Uint32Array, values: Float64Array): Float64Array => {
  const result = new Float64Array(indices.length + 1);
  indices.forEach((b, k) => {
    result[k + 1] = result[k]! + values[b]!;
  });
  return result;
};

export const momentsOf = (d: Distribution, from: number, to: number): Moments => ({
  weight: d.weights[to]! - d.weights[from]!,
  sum: d.sums[to]! - d.sums[from]!,
  square: d.squares[to]! - d.squares[from]!,
});

/** The first point of [from, n) that is at least x. */
export const firstAtLeast = (d: Distribution, x: number, from = 0): number => {
  let lo = from;
  let hi = d.points.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (d.points[mid]! < x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
};
