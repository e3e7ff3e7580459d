/** The fit of the cost model. */
import { describe, expect, it } from 'vitest';
import { fitNonNegative } from '../../bench/fit.js';
import { randomOf } from '../support/random.js';

describe('fitNonNegative', () => {
  const r = randomOf(3);
  const rows = Array.from({ length: 40 }, () => [1, r.whole(1, 1000), r.whole(1, 100000)]);
  const total = (counts: ReadonlyArray<number>, x: ReadonlyArray<number>): number =>
    counts.reduce((sum, c, k) => sum + c * x[k]!, 0);

  it('finds the coefficients of data that follow the model', () => {
    const truth = [0.5, 0.003, 0.0001];
    const found = fitNonNegative(rows.map((counts) => ({ counts, value: total(counts, truth) })));
    for (const [k, c] of truth.entries()) expect(found[k]! / c).toBeCloseTo(1, 3);
  });

  it('gives 0 where a negative coefficient would fit better', () => {
    const samples = rows.map((counts) => ({ counts, value: total(counts, [5, -0.004, 0.001]) }));
    const found = fitNonNegative(samples.filter((s) => s.value > 0));
    expect(found[1]).toBe(0);
    expect(found[2]).toBeGreaterThan(0);
  });
});
