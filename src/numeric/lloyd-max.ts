/**
 * Non-uniform quantizers: the cells that leave the least squared error (Lloyd 1957/1982, Max 1960).
 *
 * A weighted set of points on a line has its best cells among the runs of consecutive points, so that the optimum is
 * found by dynamic programming (Wu 1991), and not only a fixed point of Lloyd's iteration, which depends on where it
 * starts: with D_m(j) the least error of the first j points in m cells,
 *
 *   D_m(j) = min over i < j of D_{m-1}(i) + error of the points i..j-1 about their mean
 *
 * The best i does not decrease with j, which divide and conquer makes use of: O(levels * n * log n). At the optimum
 * every point is in the cell of its nearest centroid, so that thresholds midway between centroids give these cells.
 */
import { type Distribution, momentsOf } from './distribution.js';

/** Work, points times levels, up to which cells are sought. */
const LARGEST_SEARCH = 2 ** 22;

export interface Cells {
  /** Ascending f32, all different. */
  readonly centroids: Float32Array;
  /** One fewer, ascending f32: centroids[k] < thresholds[k] <= centroids[k + 1]. */
  readonly thresholds: Float32Array;
}

/**
 * At most `levels` cells; fewer where there are fewer points (or points that f32 does not tell apart). Undefined
 * without points, and where finding cells would take too long.
 */
export const lloydMax = (d: Distribution, levels: number): Cells | undefined => {
  const n = d.points.length;
  if (n === 0) return undefined;
  if (n > levels && n * levels > LARGEST_SEARCH) return undefined;
  const starts = n <= levels ? Uint32Array.from(d.points.keys()) : bestStarts(d, levels);
  const centroids: number[] = [];
  for (const [k, from] of starts.entries()) {
    const to = starts[k + 1] ?? n;
    const { weight, sum } = momentsOf(d, from, to);
    const centroid = Math.fround(to === from + 1 ? d.points[from]! : d.origin + sum / weight);
    if (centroid > (centroids.at(-1) ?? Number.NEGATIVE_INFINITY)) centroids.push(centroid);
  }
  const ascending = Float32Array.from(centroids);
  return { centroids: ascending, thresholds: midways(ascending) };
};

/** Midway between neighbours in f32; where rounding gives the lower one, the upper one. */
const midways = (centroids: Float32Array): Float32Array =>
  Float32Array.from({ length: centroids.length - 1 }, (_, k) => {
    const [below, above] = [centroids[k]!, centroids[k + 1]!];
    const midway = Math.fround(below + (above - below) / 2);
    return midway > below ? midway : above;
  });

/** The first point of each of `levels` cells, for more points than levels. */
const bestStarts = (d: Distribution, levels: number): Uint32Array => {
  const { weights, sums, squares } = d;
  const n = d.points.length;
  /** Squared error of the points i..j-1 about their mean; rounding may leave it below 0. */
  const error = (i: number, j: number): number => {
    const sum = sums[j]! - sums[i]!;
    return Math.max(0, squares[j]! - squares[i]! - (sum * sum) / (weights[j]! - weights[i]!));
  };
  // D_m(j) for the m of the round before and of this one, and the best i of every round.
  let before = Float64Array.from({ length: n + 1 }, (_, j) => (j === 0 ? 0 : error(0, j)));
  let current = new Float64Array(n + 1);
  const choices = new Uint32Array((levels - 1) * (n + 1));
  for (let m = 2; m <= levels; m++) {
    const row = (m - 2) * (n + 1);
    const solve = (lo: number, hi: number, from: number, to: number): void => {
      if (lo > hi) return;
      const j = (lo + hi) >> 1;
      let [best, least] = [from, Number.POSITIVE_INFINITY];
      for (let i = Math.max(from, m - 1); i <= Math.min(to, j - 1); i++) {
        const total = before[i]! + error(i, j);
        if (total < least) [best, least] = [i, total];
      }
      current[j] = least;
      choices[row + j] = best;
      solve(lo, j - 1, from, best);
      solve(j + 1, hi, best, to);
    };
    // Every cell holds a point, so that m cells need m points.
    solve(m, n, m - 1, n - 1);
    [before, current] = [current, before];
  }
  const starts = new Uint32Array(levels);
  for (let m = levels, j = n; m > 1; m--) {
    j = choices[(m - 2) * (n + 1) + j]!;
    starts[m - 1] = j;
  }
  return starts;
};
