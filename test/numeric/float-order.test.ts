/** The order of floats, and quantizers as lists of thresholds. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatAt, HIGHEST, LOWEST, orderOf, smallestWith } from '../../src/numeric/float-order.js';
import { thresholdCode, thresholdsOf, uniformCode, uniformForm } from '../../src/numeric/uniform.js';

const anyFloat = fc.float({ noNaN: true });

describe('the order of f32', () => {
  it('is a bijection between all floats but NaN and [LOWEST, HIGHEST]', () => {
    fc.assert(
      fc.property(anyFloat, fc.integer({ min: LOWEST, max: HIGHEST }), (x, k) => {
        expect(floatAt(orderOf(x))).toBe(x);
        expect(orderOf(floatAt(k))).toBe(k);
      }),
      { numRuns: 3000 },
    );
    expect(HIGHEST - LOWEST + 1).toBe(2 ** 32 - 2 * (2 ** 23 - 1));
    expect([floatAt(LOWEST), floatAt(HIGHEST)]).toStrictEqual([-Infinity, Infinity]);
  });

  it('ascends with the value, -0 below 0', () => {
    fc.assert(
      fc.property(anyFloat, anyFloat, (x, y) => {
        if (x !== y) expect(orderOf(x) < orderOf(y)).toBe(x < y);
      }),
    );
    expect(orderOf(0) - orderOf(-0)).toBe(1);
    expect(orderOf(2 ** -149) - orderOf(0)).toBe(1);
  });

  it('smallestWith finds the first float that satisfies a monotone predicate', () => {
    fc.assert(
      fc.property(anyFloat, (x) => {
        expect(smallestWith((y) => orderOf(y) >= orderOf(x))).toBe(x);
      }),
    );
    expect(smallestWith(() => false)).toBeUndefined();
    expect(smallestWith(() => true)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('uniform quantizers', () => {
  const anyUniform = fc.record({
    lo: fc.float({ min: -1000, max: 1000, noNaN: true }),
    step: fc.float({ min: Math.fround(1e-3), max: 100, noNaN: true }),
    levels: fc.integer({ min: 2, max: 70 }),
  });

  it('are their thresholds: at each of them, beside it, and anywhere', () => {
    fc.assert(
      fc.property(anyUniform, fc.array(anyFloat, { maxLength: 20 }), ({ lo, step, levels }, xs) => {
        const form = uniformForm(lo, step, levels);
        const thresholds = thresholdsOf((x) => uniformCode(form, x), levels);
        const points = [...thresholds].flatMap((t) => [
          t,
          floatAt(orderOf(t) - 1),
          floatAt(Math.min(orderOf(t) + 1, HIGHEST)),
        ]);
        const near = xs.map((x) => Math.fround(lo + (x % (levels * step))));
        for (const x of [...points, ...xs, ...near, 0, -0, Infinity, -Infinity]) {
          const counted = thresholds.filter((t) => t <= x).length;
          expect(uniformCode(form, x), `${x}`).toBe(counted);
          expect(thresholdCode(thresholds, 0, levels - 1, x)).toBe(counted);
        }
        expect(thresholds.every((t, k) => k === 0 || t >= thresholds[k - 1]!)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('give NaN code 0', () => {
    expect(uniformCode(uniformForm(0, 1, 8), Number.NaN)).toBe(0);
    expect(thresholdCode(Float32Array.of(-Infinity, 0), 0, 2, Number.NaN)).toBe(0);
  });

  it('round to the nearest level', () => {
    const form = uniformForm(-1, 0.5, 5);
    expect([-9, -1.26, -1.24, -0.76, -0.74, 0, 0.74, 0.76, 9].map((x) => uniformCode(form, x))).toStrictEqual(
      [0, 0, 0, 0, 1, 2, 3, 4, 4],
    );
  });

  it('thresholds count in the row they are given', () => {
    const two = Float32Array.of(0, 1, 2, 10, 11, 12);
    expect([-1, 0, 1.5, 5].map((x) => thresholdCode(two, 0, 3, x))).toStrictEqual([0, 1, 2, 3]);
    expect([5, 10, 11.5, 50].map((x) => thresholdCode(two, 3, 3, x))).toStrictEqual([0, 1, 2, 3]);
  });
});
