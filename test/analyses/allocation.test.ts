import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocationPath, type Choice, lowerHull } from '../../src/analyses/allocation.js';

const choices = fc
  .array(fc.record({ cost: fc.integer({ min: 1, max: 40 }), loss: fc.integer({ min: 0, max: 40 }) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) => list.map((c): Choice<typeof c> => ({ ...c, value: c })));

const total = (list: ReadonlyArray<{ cost: number; loss: number }>) => ({
  cost: list.reduce((n, c) => n + c.cost, 0),
  loss: list.reduce((n, c) => n + c.loss, 0),
});

/** Sums of all combinations. */
const combinations = (layers: ReadonlyArray<ReadonlyArray<Choice<unknown>>>) =>
  layers.reduce<ReadonlyArray<{ cost: number; loss: number }>>(
    (sofar, layer) =>
      sofar.flatMap((s) => layer.map((c) => ({ cost: s.cost + c.cost, loss: s.loss + c.loss }))),
    [{ cost: 0, loss: 0 }],
  );

describe('allocationPath', () => {
  it('goes from the least loss to the least cost, down in cost and up in loss', () => {
    fc.assert(
      fc.property(fc.array(choices, { minLength: 1, maxLength: 3 }), (layers) => {
        const path = allocationPath(layers).map(total);
        const all = combinations(layers);
        expect(path[0]!.loss).toBe(Math.min(...all.map((c) => c.loss)));
        expect(path.at(-1)!.cost).toBe(Math.min(...all.map((c) => c.cost)));
        for (let k = 1; k < path.length; k++) {
          expect(path[k]!.cost).toBeLessThan(path[k - 1]!.cost);
          expect(path[k]!.loss).toBeGreaterThanOrEqual(path[k - 1]!.loss);
        }
      }),
    );
  });

  it('has for each of its costs no combination of less loss', () => {
    fc.assert(
      fc.property(fc.array(choices, { minLength: 1, maxLength: 3 }), (layers) => {
        const all = combinations(layers);
        for (const { cost, loss } of allocationPath(layers).map(total)) {
          const best = Math.min(...all.filter((c) => c.cost <= cost).map((c) => c.loss));
          expect(loss).toBe(best);
        }
      }),
    );
  });

  it('is convex: what a unit of cost saves costs ever more', () => {
    fc.assert(
      fc.property(choices, (layer) => {
        const hull = lowerHull(layer);
        const prices = hull.slice(1).map((c, k) => (c.loss - hull[k]!.loss) / (hull[k]!.cost - c.cost));
        for (let k = 1; k < prices.length; k++) expect(prices[k]!).toBeGreaterThan(prices[k - 1]! - 1e-12);
      }),
    );
  });
});
