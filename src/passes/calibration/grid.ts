/** Whether values are of the scale that the layers which read them were trained on: that of their grids. */
import type { Branch } from '../../ir/basis.js';
import { orderStatistics } from '../../numeric/float-order.js';
import type { CodePoint } from '../code-points.js';

/** Where the functions of a layer are defined by their weights, one interval for all inputs or one for each. */
export interface Grid {
  readonly layer: string;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

/** From the p-th knot to the p-th last, or from the first center to the last; undefined for functions without a grid. */
const gridOfBranch = ({ basis }: Branch): Pick<Grid, 'lo' | 'hi'> | undefined => {
  if (basis._tag === 'rbf') {
    const centers = Float64Array.from(basis.centers.data);
    return {
      lo: Float64Array.of(centers.reduce((a, b) => Math.min(a, b))),
      hi: Float64Array.of(centers.reduce((a, b) => Math.max(a, b))),
    };
  }
  if (basis._tag !== 'bspline') return undefined;
  const [rows, count] = [basis.knots.shape[0]!, basis.knots.shape[1]!];
  const at = (row: number, k: number): number => basis.knots.data[row * count + k]!;
  return {
    lo: Float64Array.from({ length: rows }, (_, r) => at(r, basis.order)),
    hi: Float64Array.from({ length: rows }, (_, r) => at(r, count - 1 - basis.order)),
  };
};

/** The grid of the first layer that reads a value as it is. */
export const gridOf = ({ layers }: CodePoint): Grid | undefined => {
  for (const { name, attrs, asItIs } of layers) {
    const found = asItIs ? attrs.branches.map(gridOfBranch).find((g) => g !== undefined) : undefined;
    if (found !== undefined) return { layer: name, ...found };
  }
  return undefined;
};

export type Misfit =
  /** `outside`: the share of values outside of their grid; `lo`, `hi`: what 98 % of the values lie in. */
  | { readonly _tag: 'large'; readonly outside: number; readonly lo: number; readonly hi: number }
  /** All values lie in a small share of their grid. */
  | { readonly _tag: 'small'; readonly share: number; readonly lo: number; readonly hi: number };

/** Values outside of the grid by this share are of another scale, however near they are. */
const NEARLY_ALL = 0.75;

/** Fewer of them are where they lie so many half widths of the grid away: means and deviations of 3 reach less far. */
const SOME = 0.05;
const FAR = 10;

/** Below this share of the grid, all values are one to most functions. */
const TINY = 0.01;

/** Values [samples, channels, inner] against the grid of their layer; undefined where they are of its scale. */
export const misfitOf = (
  data: Float32Array,
  channels: number,
  inner: number,
  { lo, hi }: Grid,
): Misfit | undefined => {
  const rows = lo.length;
  // A row for each channel of a vector; windows of images have rows that do not tell channels apart.
  if (rows !== 1 && (rows !== channels || inner !== 1)) return undefined;
  /** The values with the grid as [-1, 1]. */
  const relative = new Float32Array(data.length);
  let [outside, finite] = [0, 0];
  for (let j = 0; j < data.length; j++) {
    const row = rows === 1 ? 0 : j % channels;
    const t = (2 * data[j]! - lo[row]! - hi[row]!) / (hi[row]! - lo[row]!);
    relative[j] = t;
    if (!Number.isFinite(t)) continue;
    finite++;
    if (Math.abs(t) > 1) outside++;
  }
  if (finite === 0) return undefined;
  const ranks = [Math.floor(finite / 100), Math.ceil((99 * finite) / 100) - 1];
  const [low, high] = orderStatistics(relative, ranks);
  const [from, to] = orderStatistics(data, ranks);
  const range = { lo: from!, hi: to! };
  const share = outside / finite;
  if (share > NEARLY_ALL || (share > SOME && Math.max(-low!, high!) > FAR)) {
    return { _tag: 'large', outside: share, ...range };
  }
  const width = (high! - low!) / 2;
  return width > 0 && width < TINY ? { _tag: 'small', share: width, ...range } : undefined;
};
