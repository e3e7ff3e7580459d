/** The search for ranges: what a range costs, by definition, and that nothing cheaper is near. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distributionOf } from '../../src/numeric/distribution.js';
import { histogram } from '../../src/numeric/histogram.js';
import { type Range, searchRange, squaredError } from '../../src/numeric/range-search.js';
import { randomOf } from '../support/random.js';

/** Values of two features, mostly moderate, with a few outliers. */
const valuesOf = (seed: number, samples: number, outliers: number): Float32Array => {
  const r = randomOf(seed);
  return Float32Array.from({ length: 2 * samples }, (_, j) => {
    const bell = r.unit() + r.unit() + r.unit() - 1.5;
    return j < outliers ? 30 * r.unit() : j % 2 === 0 ? bell : 3 * bell;
  });
};

/** The nearest of the levels, as a quantizer with levels at both ends has it. */
const levelOf = ({ lo, hi }: Range, levels: number, x: number): number => {
  const step = (hi - lo) / (levels - 1);
  return Math.max(0, Math.min(levels - 1, Math.floor((x - lo) / step + 0.5)));
};

const naiveError = (
  bins: ReadonlyArray<{ readonly x: number; readonly count: number; readonly of: number }>,
  range: Range,
  levels: number,
  stands: 'mean' | 'middle',
): number => {
  const step = (range.hi - range.lo) / (levels - 1);
  const cells = Array.from({ length: levels }, (_, k) =>
    bins.filter((b) => levelOf(range, levels, b.of) === k),
  );
  return cells.reduce((total, cell, k) => {
    const weight = cell.reduce((n, b) => n + b.count, 0);
    const mean = cell.reduce((n, b) => n + b.count * b.x, 0) / Math.max(weight, 1e-300);
    const value = stands === 'mean' ? mean : range.lo + k * step;
    return total + cell.reduce((n, b) => n + b.count * (b.x - value) ** 2, 0);
  }, 0);
};

describe('squaredError', () => {
  it('is the squared distance of all values from what their codes stand for', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 20 }),
        fc.constantFrom('mean' as const, 'middle' as const),
        fc.constantFrom(0, 1, 'all' as const),
        (seed, levels, stands, feature) => {
          const h = histogram(valuesOf(seed, 150, 5), 2, 64);
          const r = randomOf(seed + 1);
          const range = { lo: h.lo + r.unit(), hi: h.hi - r.unit() };
          const features = feature === 'all' ? [0, 1] : [feature];
          // Of all features a bin goes to a code as a whole, by the mean of its values.
          const bins = Array.from({ length: 64 }, (_, b) => {
            const held = features.map((f) => ({ count: h.counts[f * 64 + b]!, x: h.means[f * 64 + b]! }));
            const weight = held.reduce((n, v) => n + v.count, 0);
            const of = held.reduce((n, v) => n + v.count * v.x, 0) / Math.max(1, weight);
            return held.map((v) => ({ ...v, of })).filter((v) => v.count > 0);
          }).flat();
          const error = squaredError(distributionOf(h, feature), range, levels, stands);
          const naive = naiveError(bins, range, levels, stands);
          expect(Math.abs(error - naive)).toBeLessThanOrEqual(1e-7 * (1 + naive));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('counts values by weight', () => {
    const h = { bins: 3, counts: Uint32Array.of(4, 2, 6), means: Float32Array.of(0, 1, 2) };
    const weigh = (_: number, x: number): number => (x === 1 ? 5 : 1);
    const d = distributionOf(h, 'all', { weigh });
    expect(squaredError(d, { lo: 0, hi: 2 }, 2, 'middle')).toBe(10);
    expect(squaredError(distributionOf(h, 'all', { hi: 1 }), { lo: 0, hi: 2 }, 2, 'middle')).toBe(2);
  });
});

describe('searchRange', () => {
  it('finds what is within 5 percent of the best on a fine grid, and never worse than all values', () => {
    for (let seed = 0; seed < 12; seed++) {
      const h = histogram(valuesOf(seed, 400, seed), 2, 256);
      const d = distributionOf(h, 'all');
      for (const levels of [3, 8, 32]) {
        const cost = (range: Range): number => squaredError(d, range, levels, 'middle');
        const found = searchRange(h, cost, (h.hi - h.lo) / 256, false);
        let least = cost(h);
        expect(cost(found)).toBeLessThanOrEqual(least);
        for (let i = 0; i < 64; i++) {
          for (let j = 0; i + j < 64; j++) {
            const width = (h.hi - h.lo) / 64;
            least = Math.min(least, cost({ lo: h.lo + i * width, hi: h.hi - j * width }));
          }
        }
        expect(cost(found)).toBeLessThanOrEqual(least * 1.05);
      }
    }
  });

  it('cuts an outlier off, and keeps the ends of values that are spread evenly', () => {
    const far = Float32Array.from({ length: 2000 }, (_, k) => (k === 0 ? 1000 : (k % 100) / 100));
    const h = histogram(far, 1, 1024);
    const d = distributionOf(h, 0);
    // With 2^16 values the outlier alone would not matter; among 2,000 its error is worth as much as the others'.
    const cost = (range: Range): number => squaredError(d, range, 16, 'middle');
    expect(cost(searchRange(h, cost, 1, false))).toBeLessThan(cost(h) + 1e-9);
    const even = histogram(
      Float32Array.from({ length: 5000 }, (_, k) => k / 5000),
      1,
      1024,
    );
    const e = distributionOf(even, 0);
    const kept = searchRange(even, (r) => squaredError(e, r, 16, 'mean'), 1 / 1024, false);
    expect(kept.lo).toBeLessThan(0.05);
    expect(kept.hi).toBeGreaterThan(0.95);
  });

  it('keeps to ranges around 0 on request', () => {
    const h = histogram(valuesOf(3, 400, 4), 2, 256);
    const d = distributionOf(h, 'all');
    const found = searchRange(h, (r) => squaredError(d, r, 15, 'middle'), 0.01, true);
    expect(found.lo).toBe(-found.hi);
    expect(found.hi).toBeLessThanOrEqual(Math.max(-h.lo, h.hi));
  });
});
