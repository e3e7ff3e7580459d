/** Requantization against whole numbers of any size. */
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  ceilLog2,
  clampBounds,
  multiplierFor,
  requantizeCode,
  shiftFor,
} from '../../src/numeric/fixed-point.js';
import { bigRequantize } from '../support/naive.js';

const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const anyMul = fc.oneof(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 300 }));
const anyShift = fc.integer({ min: 1, max: 30 });
const anyLevels = fc.oneof(fc.integer({ min: 2, max: 65536 }), fc.integer({ min: 2, max: 20 }));

describe('requantizeCode', () => {
  it('is the formula in whole numbers', () => {
    fc.assert(
      fc.property(
        fc.oneof(i32, fc.integer({ min: -3000, max: 3000 })),
        i32,
        anyMul,
        anyShift,
        anyLevels,
        (acc, bias, mul, shift, levels) => {
          for (const b of [0, bias, -acc]) {
            expect(requantizeCode(acc, b, mul, shift, levels)).toBe(
              bigRequantize(acc, b, mul, shift, levels),
            );
          }
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('is right at every step from one code to the next', () => {
    fc.assert(
      fc.property(anyMul, anyShift, anyLevels, fc.nat(), (mul, shift, levels, pick) => {
        const code = 1 + (pick % (levels - 1));
        // The smallest accumulator with this code, and its neighbours.
        const edge = Math.ceil((code * 2 ** shift - 2 ** (shift - 1)) / mul);
        for (const v of [edge - 1, edge, edge + 1]) {
          expect(requantizeCode(v, 0, mul, shift, levels)).toBe(bigRequantize(v, 0, mul, shift, levels));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('never falls as the accumulator rises', () => {
    fc.assert(
      fc.property(i32, fc.nat(2 ** 20), anyMul, anyShift, anyLevels, (acc, more, mul, shift, levels) => {
        expect(requantizeCode(acc + more, 0, mul, shift, levels)).toBeGreaterThanOrEqual(
          requantizeCode(acc, 0, mul, shift, levels),
        );
      }),
    );
  });
});

describe('clampBounds', () => {
  it('map to the end codes, and nothing below hi has the top code', () => {
    fc.assert(
      fc.property(anyMul, anyShift, anyLevels, (mul, shift, levels) => {
        const { lo, hi } = clampBounds(mul, shift, levels);
        expect(bigRequantize(hi, 0, mul, shift, levels)).toBe(levels - 1);
        if (hi > 0) expect(bigRequantize(hi - 1, 0, mul, shift, levels)).toBeLessThan(levels - 1);
        expect(bigRequantize(lo - 1, 0, mul, shift, levels)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('ceilLog2', () => {
  it('is exact, and no logarithm of the engine decides about bytes', () => {
    const log2 = vi.spyOn(Math, 'log2').mockReturnValue(Number.NaN);
    for (let k = 0; k < 31; k++) {
      const n = 2 ** k;
      expect(ceilLog2(n)).toBe(k);
      expect(ceilLog2(n + 1)).toBe(k + 1);
      if (n > 2) expect(ceilLog2(n - 1)).toBe(k);
    }
    expect(shiftFor(0.01, 256)).toBe(21);
    log2.mockRestore();
  });
});

describe('shiftFor', () => {
  it('keeps every product below 2^31, for all ratios up to the largest', () => {
    const ratio = fc.double({ min: -30, max: 20, noNaN: true }).map((e) => 2 ** e);
    fc.assert(
      fc.property(ratio, fc.double({ min: 0, max: 1, noNaN: true }), anyLevels, (largest, share, levels) => {
        const shift = shiftFor(largest, levels);
        expect(shift).toBeGreaterThanOrEqual(1);
        for (const mul of [multiplierFor(largest, shift), multiplierFor(largest * share, shift)]) {
          expect(mul).toBeGreaterThanOrEqual(1);
          expect(clampBounds(mul, shift, levels).hi * mul + 2 ** (shift - 1)).toBeLessThan(2 ** 31);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
