/** Lloyd-Max cells: least error among all cells, thresholds that give them back, and what is degenerate. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distributionOf } from '../../src/numeric/distribution.js';
import { type Cells, lloydMax } from '../../src/numeric/lloyd-max.js';
import { thresholdCode } from '../../src/numeric/uniform.js';

/** The distribution of values with counts: one feature, one bin a value. */
const of = (values: ReadonlyArray<number>, counts: ReadonlyArray<number> = values.map(() => 1)) =>
  distributionOf(
    { bins: values.length, counts: Uint32Array.from(counts), means: Float32Array.from(values) },
    'all',
  );

const codeOf = ({ thresholds }: Cells, x: number): number =>
  thresholdCode(thresholds, 0, thresholds.length, x);

/** Squared error of the points when each is rounded to the centroid of its code. */
const errorOf = (cells: Cells, values: ReadonlyArray<number>, counts: ReadonlyArray<number>): number =>
  values.reduce((sum, x, k) => sum + counts[k]! * (x - cells.centroids[codeOf(cells, x)]!) ** 2, 0);

/** The least error of all ways to cut the points into cells, by trying each. */
const leastError = (values: ReadonlyArray<number>, counts: ReadonlyArray<number>, cells: number): number => {
  if (cells === 1 || values.length === 0) {
    const weight = counts.reduce((a, b) => a + b, 0);
    const mean = values.reduce((sum, x, k) => sum + x * counts[k]!, 0) / Math.max(1, weight);
    return values.reduce((sum, x, k) => sum + counts[k]! * (x - mean) ** 2, 0);
  }
  return Math.min(
    ...values.map(
      (_, k) =>
        leastError(values.slice(0, k), counts.slice(0, k), cells - 1) +
        leastError(values.slice(k), counts.slice(k), 1),
    ),
  );
};

const points = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 11 });

describe('cells', () => {
  it('have the least squared error that any cells have', () => {
    fc.assert(
      fc.property(
        points,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 11, maxLength: 11 }),
        fc.integer({ min: 2, max: 4 }),
        (unsorted, weights, levels) => {
          const values = [...unsorted].sort((a, b) => a - b);
          const counts = weights.slice(0, values.length);
          const cells = lloydMax(of(values, counts), levels)!;
          const least = leastError(values, counts, levels);
          expect(errorOf(cells, values, counts)).toBeLessThanOrEqual(least + 1e-6 * (1 + least));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are those of the nearest centroid, and thresholds ascend between them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.float({ noNaN: true, min: -1000, max: 1000 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 2, max: 32 }),
        (unsorted, levels) => {
          // -0 and 0 are different values to the generator and one value here.
          const values = [...new Set([...unsorted].map((x) => x + 0))].sort((a, b) => a - b);
          const cells = lloydMax(of(values), levels)!;
          const { centroids, thresholds } = cells;
          expect(centroids.length).toBeLessThanOrEqual(Math.min(levels, values.length));
          expect(thresholds).toHaveLength(centroids.length - 1);
          thresholds.forEach((t, k) => {
            expect(centroids[k]).toBeLessThan(t);
            expect(t).toBeLessThanOrEqual(centroids[k + 1]!);
          });
          for (const x of values) {
            const distances = [...centroids].map((c) => Math.abs(x - c));
            const least = Math.min(...distances);
            expect(distances[codeOf(cells, x)]! - least).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(x)));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('hold every value exactly where there are no more values than levels', () => {
    const cells = lloydMax(of([-1, 0, 5], [9000, 1, 1]), 8)!;
    expect([...cells.centroids]).toEqual([-1, 0, 5]);
    expect([...cells.thresholds]).toEqual([-0.5, 2.5]);
    expect([...lloydMax(of([7]), 4)!.centroids]).toEqual([7]);
    expect([...lloydMax(of([7]), 4)!.thresholds]).toEqual([]);
  });

  it('leave a background alone', () => {
    const values = Array.from({ length: 101 }, (_, k) => k / 100);
    const counts = values.map((_, k) => (k === 0 ? 100_000 : 10));
    const cells = lloydMax(of(values, counts), 4)!;
    expect(cells.centroids[0]).toBeCloseTo(0, 3);
    expect(cells.centroids[1]).toBeGreaterThan(0.15);
  });

  it('tell neighbours among the floats apart', () => {
    const [below, above] = [1, 1 + 2 ** -23];
    const cells = lloydMax(of([below, above]), 2)!;
    expect(codeOf(cells, below)).toBe(0);
    expect(codeOf(cells, above)).toBe(1);
  });
});

describe('no cells', () => {
  it('without values, or where seeking them would take too long', () => {
    expect(lloydMax(of([1, 2], [0, 0]), 4)).toBeUndefined();
    const many = Array.from({ length: 8192 }, (_, k) => k);
    expect(lloydMax(of(many), 4096)).toBeUndefined();
    expect(lloydMax(of(many), 8192)?.centroids).toHaveLength(8192);
  });
});
