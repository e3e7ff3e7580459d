/** B-splines against the recursion itself. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { basisAt, isUniform, type KnotRow, spanOf } from '../../src/numeric/bspline.js';
import { coxDeBoor } from '../support/naive-basis.js';
import { randomOf } from '../support/random.js';

/** Ascending knots in which some are repeated, up to all of them. */
const knotsOf = (seed: number, count: number, repeated: number): Float32Array => {
  const r = randomOf(seed);
  const knots = Float32Array.from({ length: count }, () => (r.unit() - 0.5) * 8).sort();
  for (let k = 1; k < count; k++) if (r.chance(repeated)) knots[k] = knots[k - 1]!;
  return knots.sort();
};

const rowOf = (knots: Float32Array, vanishing = false): KnotRow => ({
  knots,
  offset: 0,
  count: knots.length,
  vanishing,
});

const anyKnots = fc.record({
  order: fc.nat(5),
  intervals: fc.integer({ min: 1, max: 6 }),
  seed: fc.integer(),
  repeated: fc.constantFrom(0, 0, 0.3, 0.8),
});

/** Points inside, at every knot, next to them, and outside. */
const pointsOf = (knots: Float32Array, seed: number): ReadonlyArray<number> => {
  const r = randomOf(seed);
  return [
    ...Array.from({ length: 10 }, () => (r.unit() - 0.5) * 10),
    ...Array.from(knots).flatMap((t) => [t, t + 1e-6, t - 1e-6]),
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ];
};

describe('basisAt', () => {
  it.each(['term', 'vanish'] as const)(
    'is the Cox-de Boor recursion, for uniform, other and repeated knots and orders 0 to 5: %s',
    (zero) => {
      fc.assert(
        fc.property(anyKnots, ({ order, intervals, seed, repeated }) => {
          const knots = knotsOf(seed, intervals + 2 * order + 1, repeated);
          const functions = knots.length - order - 1;
          const out = new Float64Array(order + 1);
          for (const x of pointsOf(knots, seed)) {
            const first = basisAt(rowOf(knots, zero === 'vanish'), order, x, out);
            for (let k = 0; k < functions; k++) {
              const r = first === undefined ? -1 : k - first;
              const value = r >= 0 && r <= order ? out[r]! : 0;
              const wanted = Number.isFinite(x)
                ? coxDeBoor(knots, k, order, x, zero === 'vanish' ? zero : undefined)
                : 0;
              expect(Math.abs(value - wanted), `B_${k},${order}(${x})`).toBeLessThan(1e-12);
            }
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it('sums to 1 between the inner knots and never leaves [0, 1]', () => {
    fc.assert(
      fc.property(anyKnots, ({ order, intervals, seed, repeated }) => {
        const knots = knotsOf(seed, intervals + 2 * order + 1, repeated);
        const out = new Float64Array(order + 1);
        for (const x of pointsOf(knots, seed)) {
          basisAt(rowOf(knots), order, x, out);
          const sum = out.reduce((a, b) => a + b, 0);
          if (x >= knots[order]! && x < knots[knots.length - 1 - order]!) expect(sum).toBeCloseTo(1, 12);
          expect(out.every((v) => v >= -1e-15 && v <= 1 + 1e-12)).toBe(true);
        }
      }),
    );
  });

  it('reports no function outside of [0, K), however near the ends', () => {
    const knots = Float32Array.of(0, 1, 2, 3);
    const out = new Float64Array(2).fill(9);
    expect(basisAt(rowOf(knots), 1, 0.5, out)).toBe(-1);
    expect(Array.from(out)).toStrictEqual([0, 0.5]);
    expect(basisAt(rowOf(knots), 1, 2.5, out)).toBe(1);
    expect(Array.from(out)).toStrictEqual([0.5, 0]);
    expect(basisAt(rowOf(knots), 1, 3, out)).toBeUndefined();
    expect(Array.from(out)).toStrictEqual([0, 0]);
  });

  it('reads its row only', () => {
    const all = Float32Array.of(9, 9, 0, 1, 2, 3, -9, -9);
    const out = new Float64Array(2);
    expect(basisAt({ knots: all, offset: 2, count: 4 }, 1, 1.25, out)).toBe(0);
    expect(Array.from(out)).toStrictEqual([0.75, 0.25]);
  });
});

describe('spanOf', () => {
  it('is the last interval that holds x', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 12 }),
        fc.constantFrom(0, 0.5, 1),
        (seed, n, repeated) => {
          const knots = knotsOf(seed, n, repeated);
          for (const x of pointsOf(knots, seed)) {
            const wanted = Array.from(knots)
              .slice(0, -1)
              .findLastIndex((t, s) => t <= x && x < knots[s + 1]!);
            expect(spanOf(rowOf(knots), x)).toBe(wanted);
          }
        },
      ),
    );
  });
});

describe('isUniform', () => {
  it('takes what f32 rounding does to equal steps, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0.01, max: 3, noNaN: true }),
        (lo, step) => {
          const knots = Float32Array.from({ length: 12 }, (_, i) => lo + i * step);
          expect(isUniform(rowOf(knots))).toBe(true);
          knots[5] = knots[5]! + step * 0.01;
          expect(isUniform(rowOf(knots))).toBe(false);
        },
      ),
    );
    expect(isUniform(rowOf(new Float32Array(4)))).toBe(false);
  });
});
