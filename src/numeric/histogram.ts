/** Histograms of calibration values: per feature, over bins that all features share. */
import { orderStatistics } from './float-order.js';

/** The part of a range that nearly all values lie in. */
export interface Core {
  readonly lo: number;
  readonly hi: number;
}

/**
 * The bins of a histogram: equal ones over the range of the values or, where few values lie far from all others, finer
 * ones where the others are. One value of a million would otherwise put all others into one bin, and nothing could be
 * told of them: neither a percentile nor the mean of the values in a cell.
 */
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
const FEWEST_FOR_CORE = 2 * TAIL;

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

export interface Histogram extends Bins {
  readonly features: number;
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
  const equal = fill(data, features, inner, { bins, lo, hi });
  const core = coreOf(data, equal, { bins, lo, hi }, data.length - skipped);
  const made =
    core === undefined ? { bins, lo, hi, ...equal } : fillOver(data, features, inner, { bins, lo, hi, core });
  return { ...made, features, means: binMeans(made, made.sums), skipped };
};

interface Filled {
  readonly counts: Uint32Array;
  readonly sums: Float64Array;
}

const fillOver = (data: Float32Array, features: number, inner: number, b: Bins): Bins & Filled => ({
  ...b,
  ...fill(data, features, inner, b),
});

const fill = (data: Float32Array, features: number, inner: number, b: Bins): Filled => {
  const counts = new Uint32Array(features * b.bins);
  const sums = new Float64Array(features * b.bins);
  const indexOf = binIndex(b);
  for (let at = 0, f = 0; at < data.length; at += inner, f = f + 1 === features ? 0 : f + 1) {
    for (let j = at; j < at + inner; j++) {
      const x = data[j]!;
      if (x - x !== 0) continue;
      const cell = f * b.bins + indexOf(x);
      counts[cell]!++;
      sums[cell]! += x;
    }
  }
  return { counts, sums };
};

/**
 * Shares of the values that may be left out of a core at each end, with how many times wider than the core the whole
 * range must be for it. Ends of ordinary distributions are nearer: those of a normal one of ten million values lie
 * twice as far out as its outermost thousandths, and three times as far as its outermost twentieths.
 */
const CORES: ReadonlyArray<readonly [share: number, ratio: number]> = [
  [0.001, 4],
  [0.01, 16],
  [0.05, 64],
];

/** Where nearly all values are, if the range of all is much wider. */
const coreOf = (data: Float32Array, { counts }: Filled, b: Bins, total: number): Core | undefined => {
  const { bins, lo, hi } = b;
  if (bins < FEWEST_FOR_CORE || !(hi > lo)) return undefined;
  const totals = new Float64Array(bins);
  for (let j = 0; j < counts.length; j++) totals[j % bins]! += counts[j]!;
  // Bins that stand for a core of that ratio, and one that it may reach into at each end: most data need no second look.
  const wanted = CORES.filter(([share, ratio]) => occupied(totals, total * share) <= bins / ratio + 2);
  if (wanted.length === 0) return undefined;
  const ranks = wanted.flatMap(([share]) => {
    const cut = Math.max(1, Math.floor(total * share));
    return [cut, total - 1 - cut];
  });
  const values = orderStatistics(data, ranks);
  for (const [k, [, ratio]] of wanted.entries()) {
    const core = { lo: values[2 * k]!, hi: values[2 * k + 1]! };
    if (core.hi > core.lo && hi - lo > ratio * (core.hi - core.lo)) return core;
  }
  return undefined;
};

/** How many bins lie between those that hold the first and the last values after `cut` of each end. */
const occupied = (totals: Float64Array, cut: number): number => {
  const limit = Math.max(1, cut);
  let first = 0;
  for (let sum = totals[0]!; sum <= limit && first < totals.length - 1; sum += totals[first]!) first++;
  let last = totals.length - 1;
  for (let sum = totals[last]!; sum <= limit && last > first; sum += totals[last]!) last--;
  return last - first + 1;
};

const binMeans = (b: Bins & Pick<Filled, 'counts'>, sums: Float64Array): Float32Array => {
  const means = new Float32Array(b.counts.length);
  const middles = Float64Array.from({ length: b.bins }, (_, bin) => {
    const { lo, hi } = binEdges(b, bin);
    return (lo + hi) / 2;
  });
  for (let cell = 0; cell < b.counts.length; cell++) {
    const count = b.counts[cell]!;
    means[cell] = count > 0 ? sums[cell]! / count : middles[cell % b.bins]!;
  }
  return means;
};

/** A histogram without data over an assumed range. */
export const emptyHistogram = (features: number, bins: number, lo: number, hi: number): Histogram => {
  const counts = new Uint32Array(features * bins);
  const b = { bins, lo, hi, counts };
  return { ...b, features, means: binMeans(b, new Float64Array(counts.length)), skipped: 0 };
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
