/** Which quantizer an activation gets: from its histogram, its bits, and the knots of the layer that reads it. */
import { type BSpline, knotRow } from '../ir/basis.js';
import { constant, f32Data } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import type { Quantizer, Thresholds, Uniform } from '../ir/quantizer.js';
import { isUniform } from '../numeric/bspline.js';
import { distributionOf } from '../numeric/distribution.js';
import { type Cells, lloydMax } from '../numeric/lloyd-max.js';
import type { Range } from '../numeric/range-search.js';
import {
  type Calibrated,
  chooseRange,
  histogramOf,
  isSearched,
  outerRange,
  type RangeOptions,
  symmetricRange,
  type Weigh,
} from './choose-range.js';
import type { CodePoint } from './code-points.js';

/** What a quantizer is wanted to be. */
export interface Wanted {
  readonly bits: number;
  readonly align: 'free' | 'knots';
  readonly quantizer: 'uniform' | 'lloyd';
  /** Whether it must have all 2^bits levels: values that are joined side by side have equally many. */
  readonly allLevels: boolean;
}

export interface Chosen {
  readonly quantizer: Quantizer;
  readonly notes: ReadonlyArray<string>;
}

/**
 * A quantizer of at most 2^bits levels. Levels of a uniform one stand at the ends of its range: unless values are cut
 * off, the smallest and largest calibrated values are represented exactly (background pixels matter).
 */
// Long: of the three kinds of quantizer, each falls back to the next with what is known of the range by then.
export const chooseQuantizer = (
  options: RangeOptions,
  wanted: Wanted,
  stats: ObserveAttrs,
  point: Pick<CodePoint, 'layers' | 'first' | 'mixed'>,
  /** Asked for with `ranges=histogram`: how much an error of a value matters to the layers that read it. */
  slopesOf: (h: Calibrated) => Weigh | undefined,
): Chosen => {
  const { layers, first } = point;
  const histogram = histogramOf(stats);
  const weigh = options.ranges === 'histogram' && stats.samples > 0 ? slopesOf(histogram) : undefined;
  const unweighed =
    options.ranges === 'histogram' && stats.samples > 0 && weigh === undefined
      ? ['errors of all values count alike: no layer reads them directly that is small enough']
      : [];
  const features = stats.counts.shape[0]!;
  const { bits } = wanted;
  const perFeature = !point.mixed && (first ? options.inputRanges : options.hiddenRanges) === 'feature';
  if (wanted.quantizer === 'lloyd') {
    const made = stats.samples === 0 ? undefined : lloydOver(options, histogram, wanted, perFeature, weigh);
    if (made !== undefined) return { quantizer: made, notes: unweighed };
    const why = stats.samples === 0 ? 'there are no calibration data' : 'that many cells are not sought';
    const plain = chooseQuantizer(options, { ...wanted, quantizer: 'uniform' }, stats, point, slopesOf);
    return { ...plain, notes: [`codes are uniform: ${why}`, ...plain.notes] };
  }
  // Knots are in units of the value that a layer reads: they say nothing where something stands between.
  const spline = layers
    .filter((l) => l.asItIs)
    .flatMap((l) => l.attrs.branches.map((b) => b.basis))
    .find((b): b is BSpline => b._tag === 'bspline');
  // [-m, m] has an odd number of levels, of which the middle one is 0; with one bit there are its ends only.
  const symmetric = options.symmetry === 'symmetric';
  const levels = symmetric && bits > 1 ? 2 ** bits - 1 : 2 ** bits;
  const stands = wanted.align === 'knots' ? 'middle' : options.values;
  const unsearched: Array<number | 'all'> = [];
  const rangeOf = (feature: number | 'all'): Range => {
    const chosen = chooseRange(options, histogram, levels, feature, stands, weigh);
    if (!chosen.searched) unsearched.push(feature);
    const roomy =
      !first && stats.samples > 0 && !chosen.searched ? withMargin(chosen, options.margin / 100) : chosen;
    const wide = options.range === 'extend' && spline !== undefined ? union(roomy, support(spline)) : roomy;
    return symmetric ? symmetricRange(wide) : wide;
  };
  const notesOf = (): ReadonlyArray<string> =>
    isSearched(options) && stats.samples > 0 && unsearched.length > 0
      ? [
          ...unweighed,
          `${unsearched[0] === 'all' ? 'the range is' : `${unsearched.length} of ${features} ranges are`} not searched: ${levels} levels are finer than the histogram tells apart`,
        ]
      : unweighed;

  if (wanted.align === 'knots') {
    const all = rangeOf('all');
    const aligned = spline === undefined ? undefined : alignedQuantizer(spline, all, bits);
    if (aligned !== undefined) return { quantizer: aligned, notes: notesOf() };
    const why =
      spline === undefined || !sharedUniform(spline)
        ? 'its knots are not uniform or not shared'
        : `${bits} bits are too few for the intervals in range`;
    return {
      quantizer: uniformOver([all], levels),
      notes: [`codes are not aligned to the knots: ${why}`, ...notesOf()],
    };
  }
  const ranges = perFeature ? Array.from({ length: features }, (_, f) => rangeOf(f)) : [rangeOf('all')];
  return { quantizer: uniformOver(ranges, levels), notes: notesOf() };
};

const lloydOver = (
  options: RangeOptions,
  histogram: Calibrated,
  { bits, allLevels }: Wanted,
  perFeature: boolean,
  weigh: Weigh | undefined,
): Quantizer | undefined => {
  const features = histogram.counts.length / histogram.bins;
  const ranges = perFeature
    ? Array.from({ length: features }, (_, f) => outerRange(options, histogram, f))
    : [outerRange(options, histogram, 'all')];
  return lloydQuantizer(histogram, bits, ranges, allLevels, weigh);
};

const union = (a: Range, b: Range): Range => ({
  lo: Math.min(a.lo, b.lo),
  hi: Math.max(a.hi, b.hi),
});

/** New data reaches a little further than calibration data did; inputs often end exactly where they end. */
const withMargin = ({ lo, hi }: Range, share: number): Range => ({
  lo: lo - (hi - lo) * share,
  hi: hi + (hi - lo) * share,
});

/** Where the spline is not 0 everywhere: the whole knot vector of all rows. */
const support = ({ knots }: BSpline): Range => {
  const values = f32Data(knots);
  return { lo: values.reduce((a, b) => Math.min(a, b)), hi: values.reduce((a, b) => Math.max(a, b)) };
};

/** One range, or one for each feature, as a quantizer with levels at both ends. */
const uniformOver = (ranges: ReadonlyArray<Range>, levels: number): Uniform => {
  const steps = Float32Array.from(ranges, ({ lo, hi }) => stepOver(lo, hi, levels));
  const los = Float32Array.from(ranges, ({ lo }) => lo);
  const single = ranges.length === 1;
  return {
    _tag: 'uniform',
    lo: single ? los[0]! : constant(F32, [los.length], los),
    step: single ? steps[0]! : constant(F32, [steps.length], steps),
    levels,
  };
};

/**
 * The step between levels. A range without width, or one too narrow for f32 arithmetic around `lo`, gets a
 * step that f32 can tell apart.
 */
const stepOver = (lo: number, hi: number, levels: number): number => {
  const finest = Math.max(Math.abs(lo), Math.abs(hi), 2 ** -100) * 2 ** -22;
  const step = (hi - lo) / (levels - 1);
  return hi > lo ? Math.max(step, finest) : Math.max(1 / levels, finest);
};

/** Whether all inputs share one row of equally spaced knots (rows that are all alike count as one). */
const sharedUniform = (spline: BSpline): boolean => {
  const [rows, count] = [spline.knots.shape[0]!, spline.knots.shape[1]!];
  const { data } = spline.knots;
  for (let j = count; j < rows * count; j++) if (data[j] !== data[j % count]) return false;
  return isUniform(knotRow(spline, 0));
};

/**
 * Levels at t_k + j * h / 2^m for a knot t_k at or below the range, with the largest m for which the range
 * fits 2^bits levels: the low m bits of a code are the fraction, the rest the interval.
 */
const alignedQuantizer = (spline: BSpline, range: Range, bits: number): Uniform | undefined => {
  if (!sharedUniform(spline)) return undefined;
  const row = knotRow(spline, 0);
  const first = row.knots[row.offset]!;
  const h = (row.knots[row.offset + row.count - 1]! - first) / (row.count - 1);
  // A calibrated end that is within rounding of a knot is meant to be that knot.
  const slack = 1e-4;
  const from = Math.floor((range.lo - first) / h + slack);
  for (let m = bits; m >= 0; m--) {
    const levels = Math.ceil(((range.hi - first) / h - from) * 2 ** m - slack) + 1;
    if (levels > 2 ** bits) continue;
    return {
      _tag: 'uniform',
      lo: Math.fround(first + from * h),
      step: Math.fround(h / 2 ** m),
      levels: Math.max(2, levels),
    };
  }
  return undefined;
};

/**
 * A quantizer of at most 2^bits levels, shared or with a row for each feature, from the values within `ranges` (one
 * for each row). It has as many levels as the row that needs most; in the others the last thresholds are infinite, so
 * that their codes do not occur, and stand for what the last code that does stands for. `exactly`: 2^bits levels in
 * any case. `weigh`: how much an error of a value counts. Undefined without data, and where cells are too many to be sought.
 */
const lloydQuantizer = (
  h: Calibrated,
  bits: number,
  ranges: ReadonlyArray<Range>,
  exactly: boolean,
  weigh?: Weigh,
): Thresholds | undefined => {
  const shared = ranges.length === 1;
  const rows: Cells[] = [];
  for (const [f, range] of ranges.entries()) {
    const feature = shared ? 'all' : f;
    // A feature that does not matter is cut as if all its values did, one that was NaN throughout as all features are.
    const d = [
      distributionOf(h, feature, { ...range, weigh }),
      distributionOf(h, feature, range),
      distributionOf(h, 'all'),
    ].find(({ points }) => points.length > 0);
    const cells = d === undefined ? undefined : lloydMax(d, 2 ** bits);
    if (cells === undefined) return undefined;
    rows.push(cells);
  }
  const most = rows.reduce((n, { centroids }) => Math.max(n, centroids.length), 2);
  const levels = exactly ? 2 ** bits : most;
  const thresholds = new Float32Array(rows.length * (levels - 1)).fill(Number.POSITIVE_INFINITY);
  const values = new Float32Array(rows.length * levels);
  for (const [r, { centroids, thresholds: between }] of rows.entries()) {
    thresholds.set(between, r * (levels - 1));
    values.fill(centroids.at(-1)!, r * levels, (r + 1) * levels);
    values.set(centroids, r * levels);
  }
  return {
    _tag: 'thresholds',
    levels,
    thresholds: constant(F32, [rows.length, levels - 1], thresholds),
    values: constant(F32, [rows.length, levels], values),
  };
};
