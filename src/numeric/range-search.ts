/**
 * Ranges of uniform quantizers by search: what a range costs, and how the cheapest is found. Levels stand at
 * lo + k * step, at both ends of the range, and a value has the code of the nearest level.
 */
import { type Distribution, firstAtLeast, momentsOf } from './distribution.js';

export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Calls back for every cell of the range that holds points: its level, and the points [from, to) in it. */
const eachCell = (
  d: Distribution,
  { lo, hi }: Range,
  levels: number,
  visit: (level: number, from: number, to: number) => void,
): void => {
  const step = (hi - lo) / (levels - 1);
  const n = d.points.length;
  for (let k = 0, from = 0; k < levels && from < n; k++) {
    const to = k === levels - 1 ? n : firstAtLeast(d, lo + (k + 0.5) * step, from);
    if (to > from) visit(lo + k * step, from, to);
    from = to;
  }
};

/**
 * The squared error of all values, those beyond the ends included, when a code stands for its level (`middle`) or for
 * the mean of the values that have it (`mean`).
 */
export const squaredError = (
  d: Distribution,
  range: Range,
  levels: number,
  stands: 'mean' | 'middle',
): number => {
  let total = 0;
  eachCell(d, range, levels, (level, from, to) => {
    const { weight, sum, square } = momentsOf(d, from, to);
    const value = stands === 'mean' ? sum / weight : level - d.origin;
    total += Math.max(0, square - 2 * value * sum + value * value * weight);
  });
  return total;
};

/** Steps along each end at first: about 550 ranges are looked at, and the best is within a few percent of the optimum. */
const COARSE = 32;

/**
 * The range within `full` that costs least: both ends on a coarse grid first, then around the best with steps half as
 * wide, down to `finest`. Of ranges that cost the same, the widest. `symmetric`: of the ranges [-m, m].
 */
export const searchRange = (
  full: Range,
  cost: (range: Range) => number,
  finest: number,
  symmetric: boolean,
): Range => {
  const width = symmetric ? Math.max(Math.abs(full.lo), Math.abs(full.hi)) : full.hi - full.lo;
  /** The range with so much cut off the lower and the upper end. */
  const cut = (below: number, above: number): Range =>
    symmetric ? { lo: above - width, hi: width - above } : { lo: full.lo + below, hi: full.hi - above };
  let best = { below: 0, above: 0, cost: cost(cut(0, 0)) };
  const consider = (below: number, above: number): void => {
    if (below < 0 || above < 0 || below + above >= width) return;
    const found = cost(cut(below, above));
    if (found < best.cost) best = { below, above, cost: found };
  };
  let step = width / COARSE;
  for (let i = 0; i < (symmetric ? 1 : COARSE); i++) {
    for (let j = 0; i + j < COARSE; j++) consider(i * step, j * step);
  }
  while (step > finest) {
    step /= 2;
    const { below, above } = best;
    for (const i of symmetric ? [0] : [-step, 0, step]) {
      for (const j of [-step, 0, step]) consider(below + i, above + j);
    }
  }
  return cut(best.below, best.above);
};
