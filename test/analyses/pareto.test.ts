import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paretoFront } from '../../src/analyses/pareto.js';

const points = fc.integer({ min: 1, max: 3 }).chain((measures) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: measures, maxLength: measures }), {
    maxLength: 25,
  }),
);

const atMost = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean => a.every((v, j) => v <= b[j]!);

describe('paretoFront', () => {
  it('holds the points that no other one dominates, the first of equal ones', () => {
    fc.assert(
      fc.property(points, (list) => {
        const naive = list.flatMap((p, k) =>
          list.some((q, j) => j !== k && atMost(q, p) && (!atMost(p, q) || j < k)) ? [] : [k],
        );
        expect(paretoFront(list)).toEqual(naive);
      }),
    );
  });

  it('has the same points whatever their order', () => {
    fc.assert(
      fc.property(points, (list) => {
        const shown = (from: typeof list): ReadonlyArray<string> =>
          paretoFront(from)
            .map((k) => from[k]!.join())
            .sort();
        expect(shown([...list].reverse())).toEqual(shown(list));
      }),
    );
  });

  it('is empty for no points, and all of one', () => {
    expect(paretoFront([])).toEqual([]);
    expect(paretoFront([[3, 1]])).toEqual([0]);
  });
});
