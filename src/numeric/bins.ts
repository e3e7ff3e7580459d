/**
 * The bins of a histogram: equal ones over the range of the values or, where few values lie far from all others, finer
 * ones where the others are. One value of a million would otherwise put all others into one bin, and nothing could be
 * told of them: neither a percentile nor the mean of the values in a cell.
 */

/** The part of a range that nearly all values lie in. */
export interface Core {
  readonly lo: number;
  readonly hi: number;
}

export interface Bins {
  readonly bins: number;
  /** Smallest and largest finite value; 0 and 0 when there is none. */
  readonly lo: number;
  readonly hi: number;
  /** Absent: equal bins over [lo, hi]. Else an eighth of the bins lies below it and one above, where anything is. */
  readonly core?: Core;
}

/** Bins from `first` to `last` exclusive, equal over [lo, hi]. */
interface Segment {
  readonly first: number;
  readonly last: number;
  readonly lo: number;
  readonly hi: number;
}

const TAIL = 8;

/** Below, bins of tails would leave too few. */
export const FEWEST_FOR_CORE = 2 * TAIL;

/** The runs of equal bins: below the core, the core, above it. The outer ones may hold no bin. */
const segmentsOf = ({ bins, lo, hi, core }: Bins): readonly [Segment, Segment, Segment] => {
  const tail = Math.floor(bins / TAIL);
  const inner = core ?? { lo, hi };
  const below = inner.lo > lo ? tail : 0;
  const above = inner.hi < hi ? tail : 0;
  return [
    { first: 0, last: below, lo, hi: inner.lo },
    { first: below, last: bins - above, lo: inner.lo, hi: inner.hi },
    { first: bins - above, last: bins, lo: inner.hi, hi },
  ];
};

/** A function from finite values of [lo, hi] to the index of their bin. */
export const binIndex = (b: Bins): ((x: number) => number) => {
  const [below, core, above] = segmentsOf(b);
  const indexIn = ({ first, last, lo, hi }: Segment): ((x: number) => number) => {
    const perUnit = hi > lo ? (last - first) / (hi - lo) : 0;
    return (x) => first + Math.max(0, Math.min(last - first - 1, Math.floor((x - lo) * perUnit)));
  };
  const inCore = indexIn(core);
  if (b.core === undefined) return inCore;
  const inBelow = indexIn(below);
  const inAbove = indexIn(above);
  return (x) => (x < core.lo ? inBelow(x) : x > core.hi ? inAbove(x) : inCore(x));
};

/** Where a bin begins and ends. */
export const binEdges = (b: Bins, bin: number): { readonly lo: number; readonly hi: number } => {
  const found = segmentsOf(b).find((s) => bin >= s.first && bin < s.last);
  if (found === undefined) return { lo: b.lo, hi: b.hi };
  const { first, last, lo, hi } = found;
  const edge = (k: number): number => lo + (k * (hi - lo)) / (last - first);
  return { lo: edge(bin - first), hi: edge(bin - first + 1) };
};

/** The width of the bins where most values are. */
export const coreBinWidth = (b: Bins): number => {
  const [, { first, last, lo, hi }] = segmentsOf(b);
  return (hi - lo) / (last - first);
};
