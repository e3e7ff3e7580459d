/** Non-uniform quantizers of activations: cells of least squared error, from the calibration histogram. */
import { constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { Thresholds } from '../ir/quantizer.js';
import { distributionOf } from '../numeric/distribution.js';
import { type Cells, lloydMax } from '../numeric/lloyd-max.js';
import type { Range } from '../numeric/range-search.js';
import type { Calibrated, Weigh } from './choose-range.js';

/**
 * A quantizer of at most 2^bits levels, shared or with a row for each feature, from the values within `ranges` (one
 * for each row). It has as many levels as the row that needs most; in the others the last thresholds are infinite, so
 * that their codes do not occur, and stand for what the last code that does stands for. `exactly`: 2^bits levels in
 * any case. `weigh`: how much an error of a value counts. Undefined without data, and where cells are too many to be sought.
 */
export const lloydQuantizer = (
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
