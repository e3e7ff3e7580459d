/** Requantization against whole numbers of any size. */
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  ceilLog2,
  clampBounds,
  fitsNarrow,
  fitsWide,
  MAX_SHIFT,
  multiplierFor,
  productForm,
  requantizeCode,
  SPLIT_BITS,
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

/** A legal wide op: a multiplier, a shift and levels whose split products fit. */
const wide = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 19 - 1 }), fc.integer({ min: 13, max: MAX_SHIFT }), anyLevels)
  .filter(([mul, shift, levels]) => fitsWide(mul, shift, levels));

/** The wide form in 32 bits only: every intermediate must be a whole number below 2^31. */
const splitCode = (v: number, mul: number, shift: number, levels: number): number => {
  const fits = (x: number): number => {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThan(2 ** 31);
    return x;
  };
  const held = Math.min(Math.max(v, 0), Math.min(clampBounds(mul, shift, levels).hi, 2 ** 31 - 1));
  const [high, low] = [held >> SPLIT_BITS, held & (2 ** SPLIT_BITS - 1)];
  const sum = fits(fits(high * mul) + (fits(low * mul) >> SPLIT_BITS) + fits(2 ** (shift - 1 - SPLIT_BITS)));
  return Math.min(sum >> (shift - SPLIT_BITS), levels - 1);
};

describe('the wide form', () => {
  it('is the formula in whole numbers, in the interpreter and split into 32 bits', () => {
    fc.assert(
      fc.property(
        wide,
        i32,
        fc.nat(),
        fc.integer({ min: -2, max: 2 }),
        ([mul, shift, levels], any, pick, d) => {
          const code = 1 + (pick % (levels - 1));
          const edge = Math.ceil((code * 2 ** shift - 2 ** (shift - 1)) / mul) + d;
          for (const v of [any, Math.min(edge, 2 ** 31 - 1), 2 ** 31 - 1, 4095, 4096]) {
            const want = bigRequantize(v, 0, mul, shift, levels);
            expect(requantizeCode(v, 0, mul, shift, levels)).toBe(want);
            expect(splitCode(v, mul, shift, levels)).toBe(want);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('ends where its condition ends', () => {
    expect(fitsWide(2 ** 19, 20, 2)).toBe(false);
    expect(fitsWide(2 ** 19 - 1, 20, 2)).toBe(true);
    expect(fitsWide(1000, 12, 4)).toBe(false);
    expect(fitsWide(1000, 44, 2)).toBe(false);
    // 255 codes of 2^35 each: floor(hi * mul / 2^12) reaches 2^31.
    expect(fitsWide(60000, 36, 256)).toBe(false);
    expect(fitsWide(60000, 34, 256)).toBe(true);
  });

  it('is shared by all outputs or by none', () => {
    expect(productForm([20000, 20001], 21, 256)).toBe('narrow');
    expect(productForm([20000, 20001], 33, 256)).toBe('wide');
    // 2^29 at shift 13 is narrow with two levels, and too large to be split.
    expect(fitsNarrow(2 ** 29, 13, 2)).toBe(true);
    expect(productForm([2 ** 29, 3], 30, 2)).toBe('narrow');
    expect(productForm([2 ** 29, 3], 31, 2)).toBe(undefined);
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
  const ratio = fc.double({ min: -45, max: 20, noNaN: true }).map((e) => 2 ** e);
  it('gives one form to all ratios up to the largest', () => {
    fc.assert(
      fc.property(ratio, fc.double({ min: 0, max: 1, noNaN: true }), anyLevels, (largest, share, levels) => {
        const shift = shiftFor(largest, levels);
        expect(shift).toBeGreaterThanOrEqual(1);
        const muls = [1, share, 1e-9, 0.99].map((s) => multiplierFor(Math.max(largest * s, 1e-300), shift));
        expect(productForm(muls, shift, levels)).not.toBe(undefined);
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves multipliers the precision that their codes need, where there is a way', () => {
    fc.assert(
      fc.property(ratio, fc.integer({ min: 2, max: 256 }), (largest, levels) => {
        fc.pre(largest >= 2 ** -18 && largest <= 2 ** 5);
        const mul = multiplierFor(largest, shiftFor(largest, levels));
        expect(mul).toBeGreaterThanOrEqual(Math.min(2 ** 15, 64 * levels));
      }),
      { numRuns: 2000 },
    );
  });

  it('stays narrow where that is precise enough', () => {
    expect(shiftFor(0.01, 256)).toBe(21);
    expect(shiftFor(0.3, 64)).toBe(23);
    // [784, 64, 10] in the basis form: accumulators are 20,000 times finer than codes.
    expect(shiftFor(5e-5, 256)).toBe(30);
    expect(multiplierFor(5e-5, 30)).toBe(53687);
  });
});
