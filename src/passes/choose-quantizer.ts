/** Which quantizer an activation gets: from its histogram, its bits, and the knots of the layer that reads it. */
import { type BSpline, knotRow } from '../ir/basis.js';
import { constant, f32Data } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import type { Uniform } from '../ir/quantizer.js';
import { isUniform } from '../numeric/bspline.js';
import { clippedRange, type Histogram } from '../numeric/histogram.js';
import type { CodePoint } from './code-points.js';

export interface RangeOptions {
  readonly clip: number;
  readonly range: 'clamp' | 'extend';
  readonly align: 'free' | 'knots';
  /** Percent of a hidden range added at each end. */
  readonly margin: number;
  readonly hiddenRanges: 'feature' | 'tensor';
}

export interface Chosen {
  readonly quantizer: Uniform;
  readonly notes: ReadonlyArray<string>;
}

interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/**
 * A uniform quantizer of at most 2^bits levels. Levels stand at its ends: the smallest and largest calibrated
 * values are represented exactly (background pixels matter).
 */
export const chooseQuantizer = (
  options: RangeOptions,
  bits: number,
  stats: ObserveAttrs,
  { layers, first }: Pick<CodePoint, 'layers' | 'first'>,
): Chosen => {
  const hidden = !first;
  // Knots are in units of the value that a layer reads: they say nothing where something stands between.
  const spline = layers
    .filter((l) => l.asItIs)
    .flatMap((l) => l.attrs.branches.map((b) => b.basis))
    .find((b): b is BSpline => b._tag === 'bspline');
  const histogram = { bins: stats.counts.shape[1]!, ...stats, ...dataOf(stats) };
  const widen = (r: Interval): Interval => {
    const roomy = hidden && stats.samples > 0 ? withMargin(r, options.margin / 100) : r;
    return options.range === 'extend' && spline !== undefined ? union(roomy, support(spline)) : roomy;
  };
  const all = widen(clippedRange(histogram, options.clip / 100, 'all'));

  if (options.align === 'knots') {
    const aligned = spline === undefined ? undefined : alignedQuantizer(spline, all, bits);
    if (aligned !== undefined) return { quantizer: aligned, notes: [] };
    const why =
      spline === undefined || !sharedUniform(spline)
        ? 'its knots are not uniform or not shared'
        : `${bits} bits are too few for the intervals in range`;
    return { quantizer: uniformOver([all], bits), notes: [`codes are not aligned to the knots: ${why}`] };
  }
  if (!hidden || options.hiddenRanges === 'tensor') return { quantizer: uniformOver([all], bits), notes: [] };
  const features = stats.counts.shape[0]!;
  const ranges = Array.from({ length: features }, (_, f) =>
    widen(wholeBins(histogram, clippedRange(histogram, options.clip / 100, f))),
  );
  return { quantizer: uniformOver(ranges, bits), notes: [] };
};

/**
 * A range between means of bins, widened to whole bins. Bins are as wide as all features together need them: a
 * feature that is small beside others may lie in one bin, whose mean alone would tell nothing of its width.
 */
const wholeBins = (h: Pick<Histogram, 'lo' | 'hi' | 'bins'>, { lo, hi }: Interval): Interval => {
  const width = (h.hi - h.lo) / h.bins;
  if (!(width > 0)) return { lo, hi };
  const binOf = (mean: number): number =>
    Math.min(h.bins - 1, Math.max(0, Math.floor((mean - h.lo) / width)));
  return {
    lo: Math.min(lo, h.lo + binOf(lo) * width),
    hi: Math.max(hi, h.lo + (binOf(hi) + 1) * width),
  };
};

/** The histogram's arrays as what their element types say they are. */
const dataOf = (stats: ObserveAttrs): { counts: Uint32Array; means: Float32Array } => ({
  counts: stats.counts.data instanceof Uint32Array ? stats.counts.data : Uint32Array.from(stats.counts.data),
  means: stats.means.data instanceof Float32Array ? stats.means.data : Float32Array.from(stats.means.data),
});

const union = (a: Interval, b: Interval): Interval => ({
  lo: Math.min(a.lo, b.lo),
  hi: Math.max(a.hi, b.hi),
});

/** New data reaches a little further than calibration data did; inputs often end exactly where they end. */
const withMargin = ({ lo, hi }: Interval, share: number): Interval => ({
  lo: lo - (hi - lo) * share,
  hi: hi + (hi - lo) * share,
});

/** Where the spline is not 0 everywhere: the whole knot vector of all rows. */
const support = ({ knots }: BSpline): Interval => {
  const values = f32Data(knots);
  return { lo: values.reduce((a, b) => Math.min(a, b)), hi: values.reduce((a, b) => Math.max(a, b)) };
};

/** One range, or one for each feature, as a quantizer with levels at both ends. */
const uniformOver = (ranges: ReadonlyArray<Interval>, bits: number): Uniform => {
  const levels = 2 ** bits;
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
export const sharedUniform = (spline: BSpline): boolean => {
  const [rows, count] = [spline.knots.shape[0]!, spline.knots.shape[1]!];
  const { data } = spline.knots;
  for (let j = count; j < rows * count; j++) if (data[j] !== data[j % count]) return false;
  return isUniform(knotRow(spline, 0));
};

/**
 * Levels at t_k + j * h / 2^m for a knot t_k at or below the range, with the largest m for which the range
 * fits 2^bits levels: the low m bits of a code are the fraction, the rest the interval.
 */
const alignedQuantizer = (spline: BSpline, range: Interval, bits: number): Uniform | undefined => {
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
