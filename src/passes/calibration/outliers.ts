/**
 * Values of calibration data that lie far from all others of their input: missing values that were given a number, single
 * faults, samples of other units. One of them sets the range of all codes.
 *
 * What is looked for is a gap, not a distance in deviations, which distributions with long tails have by nature: a few
 * values such that between them and all others lies many times the width of those others.
 */
import { orderStatistics } from '../../numeric/float-order.js';
import type { Range } from '../../numeric/range-search.js';

/** Values of one input, or of one channel of images, that lie apart. */
export interface Outliers {
  readonly channel: number;
  /** The one that lies farthest out, and the sample that it stands in. */
  readonly value: number;
  readonly sample: number;
  /** Samples that hold such values. */
  readonly samples: number;
  /** Values below all others, and above. */
  readonly below: number;
  readonly above: number;
  /** What all others lie in. */
  readonly others: Range;
}

/** Widths of all other values that must lie between. */
const GAP = 8;

/** Fewer values do not tell what is usual. */
const FEWEST = 16;

/** At most this share of the values lies apart. */
const MOST = 0.25;

/** Numbers that stand for missing values: 999, 9999, ..., and bounds of number types. */
const isMarker = (x: number): boolean => /^9{3,}$/.test(String(Math.abs(x))) || Math.abs(x) >= 1e30;

interface Apart {
  readonly from: number;
  readonly to: number;
}

/**
 * The runs of ascending finite values that lie apart, below and above. Widths are counted from the quartile on the other
 * side, so that outliers there do not matter.
 */
const runsApart = (sorted: Float32Array): ReadonlyArray<Apart> => {
  const n = sorted.length;
  const most = Math.floor(n * MOST);
  const [low, high] = [sorted[Math.floor(n / 4)]!, sorted[Math.ceil((3 * n) / 4) - 1]!];
  const runs: Apart[] = [];
  for (let k = 1; k <= most; k++) {
    const gap = sorted[k]! - sorted[k - 1]!;
    if (gap > 0 && gap > GAP * (high - sorted[k]!)) {
      runs.push({ from: 0, to: k });
      break;
    }
  }
  for (let k = n - 1; k >= n - most; k--) {
    const gap = sorted[k]! - sorted[k - 1]!;
    if (gap > 0 && gap > GAP * (sorted[k - 1]! - low)) {
      runs.push({ from: k, to: n });
      break;
    }
  }
  return runs;
};

/** At most this share of the values, at each end, does not count as usual. */
const UNUSUAL = 0.01;

/** The value that more than half of a channel has, by Boyer and Moore's vote; undefined where there is none. */
const commonest = (
  data: Float32Array,
  channels: number,
  inner: number,
  channel: number,
): number | undefined => {
  let [candidate, votes] = [Number.NaN, 0];
  for (let at = channel * inner; at < data.length; at += channels * inner) {
    for (let j = at; j < at + inner; j++) {
      const x = data[j]!;
      if (votes === 0) candidate = x;
      votes += x === candidate ? 1 : -1;
    }
  }
  let count = 0;
  for (let at = channel * inner; at < data.length; at += channels * inner) {
    for (let j = at; j < at + inner; j++) if (data[j] === candidate) count++;
  }
  return 2 * count * channels > data.length ? candidate : undefined;
};

/**
 * The range of all but the outermost hundredths of [samples, channels, inner]. What more than half of a channel has counts
 * once: in sparse data, where nearly all values are 0, the few others are usual none the less.
 */
const usualOf = (data: Float32Array, channels: number, inner: number): Range => {
  const others = data.slice();
  const often: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const value = commonest(data, channels, inner, channel);
    if (value === undefined) continue;
    often.push(value);
    for (let at = channel * inner; at < data.length; at += channels * inner) {
      for (let j = at; j < at + inner; j++) if (data[j] === value) others[j] = Number.NaN;
    }
  }
  const count = others.reduce((n, x) => (x - x === 0 ? n + 1 : n), 0);
  // At least one at each end: of few values, one may be a fault.
  const ends = Math.min(Math.ceil(count * UNUSUAL), Math.max(0, Math.ceil(count / 2) - 1));
  const ranks = [ends, count - 1 - ends];
  const found = [...often, ...(count === 0 ? [] : orderStatistics(others, ranks))];
  return {
    lo: found.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    hi: found.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
};

/** Rare values of an input that is nearly constant are usual where other inputs have such values too. */
const isStrange = (x: number, { lo, hi }: Range): boolean =>
  isMarker(x) || x < lo - GAP * (hi - lo) || x > hi + GAP * (hi - lo);

/** Values of one channel in the order of the samples, without NaN and infinities. */
const columnOf = (data: Float32Array, channels: number, inner: number, channel: number): Float32Array => {
  const samples = data.length / (channels * inner);
  const values = new Float32Array(samples * inner);
  let count = 0;
  for (let s = 0; s < samples; s++) {
    const at = (s * channels + channel) * inner;
    for (let j = at; j < at + inner; j++) if (Number.isFinite(data[j]!)) values[count++] = data[j]!;
  }
  return values.subarray(0, count);
};

/** Outliers of [samples, channels, inner], at most one entry a channel, in the order of the channels. */
export const outliersOf = (data: Float32Array, channels: number, inner: number): ReadonlyArray<Outliers> => {
  const usual = usualOf(data, channels, inner);
  const found: Outliers[] = [];
  for (let channel = 0; channel < channels; channel++) {
    if (!hasStrange(data, channels, inner, channel, usual)) continue;
    const sorted = columnOf(data, channels, inner, channel).sort();
    if (sorted.length < FEWEST) continue;
    const runs = runsApart(sorted).filter(({ from, to }) =>
      isStrange(sorted[from === 0 ? 0 : to - 1]!, usual),
    );
    if (runs.length > 0) found.push(described(data, channels, inner, channel, sorted, runs));
  }
  return found;
};

/** Whether a sort is worth it. */
const hasStrange = (
  data: Float32Array,
  channels: number,
  inner: number,
  channel: number,
  usual: Range,
): boolean => {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = channel * inner; at < data.length; at += channels * inner) {
    for (let j = at; j < at + inner; j++) {
      const x = data[j]!;
      if (x - x !== 0) continue;
      if (x < lo) lo = x;
      if (x > hi) hi = x;
    }
  }
  return lo <= hi && (isStrange(lo, usual) || isStrange(hi, usual));
};

const described = (
  data: Float32Array,
  channels: number,
  inner: number,
  channel: number,
  sorted: Float32Array,
  runs: ReadonlyArray<Apart>,
): Outliers => {
  const below = runs.find(({ from }) => from === 0)?.to ?? 0;
  const above = runs.find(({ from }) => from > 0)?.from ?? sorted.length;
  const others = { lo: sorted[below]!, hi: sorted[above - 1]! };
  const middle = (others.lo + others.hi) / 2;
  let [value, sample, samples, seen] = [middle, 0, 0, -1];
  for (let s = 0, at = channel * inner; at < data.length; s++, at += channels * inner) {
    for (let j = at; j < at + inner; j++) {
      const x = data[j]!;
      if (x - x !== 0 || (x >= others.lo && x <= others.hi)) continue;
      if (seen !== s) samples++;
      seen = s;
      if (Math.abs(x - middle) > Math.abs(value - middle)) [value, sample] = [x, s];
    }
  }
  return { channel, value, sample, samples, below, above: sorted.length - above, others };
};
