/** The interval analysis against all inputs there are: the bounds hold, and some input reaches each. */
import { describe, expect, it } from 'vitest';
import {
  basisTableRange,
  edgeTableRange,
  type TableBasisAttrs,
  type TableEdgeAttrs,
} from '../../src/ir/index.js';
import type { Interval } from '../../src/numeric/ranges.js';
import { anyBasisTable, anyEdge } from '../support/ops.js';
import { randomOf } from '../support/random.js';

/** Every sequence of `inputs` codes below `levels`. */
const allCodes = (inputs: number, levels: number): ReadonlyArray<ReadonlyArray<number>> =>
  inputs === 0
    ? [[]]
    : allCodes(inputs - 1, levels).flatMap((rest) => Array.from({ length: levels }, (_, c) => [...rest, c]));

/** The hull of 0 and of all partial sums, for every input; `terms` lists what is added, in order. */
const bruteForce = (
  inputs: number,
  levels: number,
  outputs: number,
  bias: ArrayLike<number> | undefined,
  terms: (i: number, code: number, o: number) => ReadonlyArray<number>,
): Interval => {
  let [lo, hi] = [0, 0];
  const see = (v: number): void => {
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  };
  for (const codes of allCodes(inputs, levels)) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias?.[o] ?? 0;
      see(sum);
      for (const term of codes.flatMap((code, i) => terms(i, code, o))) {
        sum += term;
        see(sum);
      }
    }
  }
  return { lo, hi };
};

const edgeTerms =
  (a: TableEdgeAttrs) =>
  (i: number, code: number, o: number): ReadonlyArray<number> => {
    const [, levels, outputs] = a.table.shape;
    return [a.table.data[((a.slabs?.data[i] ?? i) * levels! + code) * outputs! + o]!];
  };

const basisTerms =
  (a: TableBasisAttrs) =>
  (i: number, code: number, o: number): ReadonlyArray<number> => {
    const [, functions, outputs] = a.coefficients.shape;
    const at = (a.rows?.data[i] ?? 0) * a.span.shape[1]! + code;
    const width = a.basis.shape[1]!;
    const spline = Array.from({ length: width }, (_, j) => {
      const c = a.coefficients.data[(i * functions! + a.span.data[at]! + j) * outputs! + o]!;
      return c * a.basis.data[a.frac.data[at]! * width + j]! * 2 ** a.shift;
    });
    return a.base === undefined || a.baseTable === undefined
      ? spline
      : [...spline, a.base.data[i * outputs! + o]! * a.baseTable.data[at]!];
  };

const SEEDS = Array.from({ length: 150 }, (_, seed) => seed);

describe('ranges', () => {
  it('of edge tables are exact', () => {
    for (const seed of SEEDS) {
      const r = randomOf(seed);
      const [inputs, levels] = [r.whole(1, 3), r.whole(1, 4)];
      const a = anyEdge(r, inputs, levels);
      if (a === undefined) continue;
      expect(edgeTableRange(a, inputs), `seed ${seed}`).toStrictEqual(
        bruteForce(inputs, levels, a.table.shape[2]!, a.bias?.data, edgeTerms(a)),
      );
    }
  });

  it('of basis tables are exact', () => {
    for (const seed of SEEDS) {
      const r = randomOf(seed);
      const [inputs, levels] = [r.whole(1, 3), r.whole(1, 4)];
      const a = anyBasisTable(r, inputs, levels);
      if (a === undefined) continue;
      expect(basisTableRange(a, inputs), `seed ${seed}`).toStrictEqual(
        bruteForce(inputs, levels, a.coefficients.shape[2]!, a.bias?.data, basisTerms(a)),
      );
    }
  });
});
