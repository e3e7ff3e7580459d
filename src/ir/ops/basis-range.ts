/** What a basis table computes, and between which integers its sums lie. */
import { type Interval, type PrefixSums, prefixSums } from '../../numeric/ranges.js';
import type { Constant } from '../constant.js';
import { isPadded, type Window } from '../window.js';

/**
 * With r = rows[i] (0 when absent), c = code[i]:
 *
 *   acc[o] = bias[o] + sum_i ( sum_j coefficients[i, span[r,c] + j, o] * (basis[frac[r,c], j] << shift)
 *                              + base[i, o] * baseTable[r, c] )
 *
 * j runs over 0..p. On uniform knots span and frac are the high and low part of the code and all inputs share
 * one row; other knots have a row for each distinct row of knots. Coefficients are padded with zero functions
 * where a span reaches over the ends of the spline.
 */
export interface BasisTerms {
  /** int[I, K', O], K' = all functions a span can reach. */
  readonly coefficients: Constant;
  /** uint[fractions, p + 1]. */
  readonly basis: Constant;
  /** uint[R, levels]: first function. */
  readonly span: Constant;
  /** uint[R, levels]: row of `basis`. */
  readonly frac: Constant;
  /** uint[I]: row of span, frac and baseTable for each input. */
  readonly rows?: Constant;
  /** Left shift of basis values, so that they count in the finer unit of the base table. */
  readonly shift: number;
  /** int[I, O] and int[R, levels]: the base branch; both or neither. */
  readonly base?: Constant;
  readonly baseTable?: Constant;
  /** The layer is applied to every window of an image of codes [C, H, W]; taps in the padding add nothing. */
  readonly window?: Window;
  /** i32[O], where the accumulators start. */
  readonly bias?: Constant;
}

/** Above this many products the exact analysis over all codes gives way to the one over spans. */
const EXACT_LIMIT = 2 ** 28;

/**
 * An interval that holds all partial sums, in the order i, then j, then base, and over padded windows those where
 * any taps lie in the padding. Exact (every bound is reached by some codes) for layers of up to 2^28 products of
 * inputs, outputs, codes and functions; for larger ones a bound by coefficients alone, which costs a hundredth.
 */
export const basisTableRange = (
  a: BasisTerms,
  inputs: number,
  exactLimit: number = EXACT_LIMIT,
): Interval => {
  const outputs = a.coefficients.shape[2]!;
  const groups = a.window?.groups ?? 1;
  const taps = inputs / groups;
  const products = inputs * outputs * a.span.shape[1]! * a.basis.shape[1]!;
  const edge = products <= exactLimit ? exactEdge(a) : roughEdge(a);
  const padded = a.window !== undefined && isPadded(a.window);
  const inLo = new Float64Array(outputs);
  const inHi = new Float64Array(outputs);
  const lo = new Float64Array(outputs);
  const hi = new Float64Array(outputs);
  let hull: Interval = { lo: 0, hi: 0 };
  for (let g = 0; g < groups; g++) {
    const sums: PrefixSums = prefixSums(outputs, a.bias?.data.subarray(g * outputs, (g + 1) * outputs));
    for (let i = g * taps; i < (g + 1) * taps; i++) {
      edge(i, inLo, inHi, lo, hi);
      for (let o = 0; o < outputs; o++) {
        if (padded) {
          // A tap in the padding adds nothing.
          lo[o] = Math.min(lo[o]!, 0);
          hi[o] = Math.max(hi[o]!, 0);
        }
        inLo[o] = Math.min(inLo[o]!, lo[o]!);
        inHi[o] = Math.max(inHi[o]!, hi[o]!);
      }
      sums.add(inLo, inHi, lo, hi);
    }
    const range = sums.hull();
    hull = { lo: Math.min(hull.lo, range.lo), hi: Math.max(hull.hi, range.hi) };
  }
  return hull;
};

/** Bounds of what input i adds (lo, hi), and of the partial sums while it does (inLo, inHi), for every output. */
type EdgeBounds = (
  i: number,
  inLo: Float64Array,
  inHi: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
) => void;

const exactEdge = (a: BasisTerms): EdgeBounds => {
  const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const width = a.basis.shape[1]!;
  const levels = a.span.shape[1]!;
  return (i, inLo, inHi, lo, hi) => {
    const row = (a.rows?.data[i] ?? 0) * levels;
    inLo.fill(0);
    inHi.fill(0);
    lo.fill(Number.POSITIVE_INFINITY);
    hi.fill(Number.NEGATIVE_INFINITY);
    for (let c = 0; c < levels; c++) {
      const first = (i * functions + a.span.data[row + c]!) * outputs;
      const values = a.frac.data[row + c]! * width;
      const baseValue = a.baseTable?.data[row + c] ?? 0;
      for (let o = 0; o < outputs; o++) {
        let sum = 0;
        for (let j = 0; j < width; j++) {
          sum += a.coefficients.data[first + j * outputs + o]! * (a.basis.data[values + j]! << a.shift);
          if (sum < inLo[o]!) inLo[o] = sum;
          if (sum > inHi[o]!) inHi[o] = sum;
        }
        if (a.base !== undefined) sum += a.base.data[i * outputs + o]! * baseValue;
        if (sum < lo[o]!) lo[o] = sum;
        if (sum > hi[o]!) hi[o] = sum;
      }
    }
  };
};

/**
 * Basis values are not negative, so a sum of products lies between the smallest and the largest coefficient of the
 * input (or 0) times the largest sum of basis values.
 */
const roughEdge = (a: BasisTerms): EdgeBounds => {
  const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const width = a.basis.shape[1]!;
  let largest = 0;
  for (let f = 0; f < a.basis.shape[0]!; f++) {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += a.basis.data[f * width + j]! << a.shift;
    largest = Math.max(largest, sum);
  }
  let baseLo = 0;
  let baseHi = 0;
  for (let c = 0; c < (a.baseTable?.data.length ?? 0); c++) {
    baseLo = Math.min(baseLo, a.baseTable!.data[c]!);
    baseHi = Math.max(baseHi, a.baseTable!.data[c]!);
  }
  return (i, inLo, inHi, lo, hi) => {
    lo.fill(0);
    hi.fill(0);
    for (let k = 0; k < functions; k++) {
      const row = (i * functions + k) * outputs;
      for (let o = 0; o < outputs; o++) {
        const v = a.coefficients.data[row + o]! * largest;
        if (v < lo[o]!) lo[o] = v;
        if (v > hi[o]!) hi[o] = v;
      }
    }
    for (let o = 0; o < outputs; o++) {
      const w = a.base?.data[i * outputs + o] ?? 0;
      const [b1, b2] = [w * baseLo, w * baseHi];
      lo[o]! += Math.min(b1, b2);
      hi[o]! += Math.max(b1, b2);
      inLo[o] = lo[o]!;
      inHi[o] = hi[o]!;
    }
  };
};
