/** B-spline basis functions, each found from its own knots; what a program computes is compared with the recursion. */
import { basisAt, type KnotRow } from '../../numeric/bspline.js';
import type { FunctionId, FunctionTable } from '../functions.js';
import type { Pieces } from './piecewise.js';
import { valuesAt } from './pointwise.js';

/** factor * B, with B the B-spline on order + 2 knots. */
export interface SplineTerm {
  readonly order: number;
  /** Of length order + 2, as f32. */
  readonly knots: ReadonlyArray<number>;
  readonly factor: number;
  /** Which meanings of repeated knots give this function: see BSpline. */
  readonly plain: boolean;
  readonly vanishing: boolean;
}

const MOST_ORDER = 15;
/** Of the peak. */
const TOLERANCE = 1e-5;

/** Rows of order + 2 knots at these places, each at least once; the ends first to be repeated. */
const repetitions = (places: ReadonlyArray<number>, count: number): ReadonlyArray<ReadonlyArray<number>> => {
  const rows: number[][] = [];
  const extend = (row: ReadonlyArray<number>, next: number): void => {
    if (rows.length > 64) return;
    if (next === places.length) {
      if (row.length === count) rows.push([...row]);
      return;
    }
    const rest = places.length - next - 1;
    for (let times = 1; row.length + times + rest <= count; times++) {
      if (rest === 0 && row.length + times !== count) continue;
      extend([...row, ...new Array<number>(times).fill(places[next]!)], next + 1);
    }
  };
  extend([], 0);
  const inner = (row: ReadonlyArray<number>): number =>
    row.filter((t, k) => t === row[k - 1] && t !== row[0] && t !== row[row.length - 1]).length;
  return rows.sort((a, b) => inner(a) - inner(b));
};

/**
 * Points that tell the function: on every piece and on either side as many as a polynomial of the degree has
 * coefficients, and one more; and where pieces meet, if those are points that x can be.
 */
const pointsFor = (breaks: ReadonlyArray<number>, degree: number): ReadonlyArray<number> => {
  const points: number[] = [];
  const span = breaks[breaks.length - 1]! - breaks[0]!;
  const places = [breaks[0]! - span, ...breaks, breaks[breaks.length - 1]! + span];
  for (let j = 0; j + 1 < places.length; j++) {
    const [from, to] = [places[j]!, places[j + 1]!];
    for (let r = 0; r < degree + 2; r++) points.push(from + ((to - from) * (r + 0.5)) / (degree + 2));
  }
  for (const t of breaks) if (Math.fround(t) === t) points.push(t);
  return points;
};

const peakOf = (values: ReadonlyArray<number>): number => {
  let peak = 0;
  for (const v of values) if (!(Math.abs(v) <= peak)) peak = Math.abs(v);
  return peak;
};

const splineValues = (row: KnotRow, order: number, points: ReadonlyArray<number>): ReadonlyArray<number> => {
  const out = new Float64Array(order + 1);
  return points.map((x) => {
    const first = basisAt(row, order, x, out);
    return first === undefined ? 0 : out[-first]!;
  });
};

/** The factor with which a B-spline has these values, or undefined. */
const factorOf = (values: ReadonlyArray<number>, spline: ReadonlyArray<number>): number | undefined => {
  const peak = peakOf(spline);
  if (!(peak > 0)) return undefined;
  let [dot, square] = [0, 0];
  for (let j = 0; j < values.length; j++) {
    dot += values[j]! * spline[j]!;
    square += spline[j]! * spline[j]!;
  }
  const ratio = dot / square;
  const factor = Math.abs(ratio - 1) < TOLERANCE / 2 ? 1 : ratio;
  if (factor === 0 || !Number.isFinite(factor)) return undefined;
  for (let j = 0; j < values.length; j++) {
    if (!(Math.abs(values[j]! - factor * spline[j]!) <= TOLERANCE * peak * Math.abs(factor)))
      return undefined;
  }
  return factor;
};

/**
 * The B-spline that a piecewise polynomial is, by its values; undefined where it is none. `zero` where it is 0 all over:
 * on repeated knots whole functions vanish.
 */
export const splineOf = (
  table: FunctionTable,
  id: FunctionId,
  pieces: Pieces,
): SplineTerm | 'zero' | undefined => {
  const { breaks, degree } = pieces;
  if (breaks.length < 2 || degree > MOST_ORDER || breaks.length > degree + 2) return undefined;
  const points = pointsFor(breaks, degree);
  const values = valuesAt(table, id, points);
  const peak = peakOf(values);
  if (peak === 0) return 'zero';
  if (!Number.isFinite(peak)) return undefined;
  const places = breaks.map(Math.fround);
  // What is multiplied by more than it needs has a lower degree than its making allows.
  const orders = breaks.length === degree + 2 ? [degree] : [degree, breaks.length - 2];
  for (const order of orders) {
    for (const knots of repetitions(places, order + 2)) {
      const row = { knots: Float32Array.from(knots), offset: 0, count: order + 2 };
      const plain = factorOf(values, splineValues(row, order, points));
      const repeats = knots.some((t, k) => t === knots[k + 1]);
      const vanishing = repeats
        ? factorOf(values, splineValues({ ...row, vanishing: true }, order, points))
        : plain;
      const factor = plain ?? vanishing;
      if (factor === undefined) continue;
      return { order, knots, factor, plain: plain !== undefined, vanishing: vanishing !== undefined };
    }
  }
  return undefined;
};
