/** Trigonometric and symbolic functions, against those of the engine. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSymbolicFunction, SYMBOLIC_FUNCTIONS } from '../../src/numeric/symbolic.js';
import { acos, asin, atan, cos, sin, tan } from '../../src/numeric/transcendental.js';
import { NAIVE_SYMBOLIC } from '../support/naive-basis.js';

const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

const agrees = (
  f: (x: number) => number,
  wanted: (x: number) => number,
  domain: fc.Arbitrary<number>,
  tolerance: (y: number) => number = () => 1e-13,
): void => {
  fc.assert(
    fc.property(domain, (x) => {
      const [y, w] = [f(x), wanted(x)];
      if (Object.is(y, w)) return;
      expect(Math.abs(y - w), `at ${x}`).toBeLessThan(tolerance(w));
    }),
    { numRuns: 3000 },
  );
};

const turns = fc.oneof(between(-10, 10), between(-1e6, 1e6));
/** Multiples of a quarter turn, and their neighbours. */
const quarters = fc.integer({ min: -600000, max: 600000 }).map((k) => (k * Math.PI) / 2);

describe('trigonometric functions', () => {
  it('sin', () => agrees(sin, Math.sin, fc.oneof(turns, quarters)));
  it('cos', () => agrees(cos, Math.cos, fc.oneof(turns, quarters)));
  it('tan', () => agrees(tan, Math.tan, turns, (y) => 2e-13 * (1 + y * y)));
  it('atan', () =>
    agrees(atan, Math.atan, fc.oneof(between(-2, 2), fc.double({ noNaN: true })), () => 1e-15));
  it('asin', () => agrees(asin, Math.asin, between(-1, 1)));
  it('acos', () => agrees(acos, Math.acos, between(-1, 1)));

  it('stay within [-1, 1] however large the argument is', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.abs(sin(x))).toBeLessThanOrEqual(1 + 1e-15);
        expect(Math.abs(cos(x))).toBeLessThanOrEqual(1 + 1e-15);
      }),
      { numRuns: 3000 },
    );
  });

  it('at the ends', () => {
    expect([sin(0), sin(-0), cos(0), tan(0), atan(0), atan(-0)]).toStrictEqual([0, -0, 1, 0, 0, -0]);
    expect([sin(Infinity), cos(-Infinity), sin(Number.NaN), atan(Number.NaN)]).toStrictEqual(
      Array<number>(4).fill(Number.NaN),
    );
    expect([atan(Infinity), atan(-Infinity)]).toStrictEqual([Math.PI / 2, -Math.PI / 2]);
    expect([asin(1), asin(-1), acos(1), acos(-1)]).toStrictEqual([Math.PI / 2, -Math.PI / 2, 0, Math.PI]);
    expect([asin(1.1), acos(-1.1), asin(Number.NaN)]).toStrictEqual(Array<number>(3).fill(Number.NaN));
  });
});

describe('symbolic functions', () => {
  const names = Object.keys(SYMBOLIC_FUNCTIONS).filter(isSymbolicFunction);

  it.each(names)('%s is what its name says', (name) => {
    // The slope of tan grows with its square, and errors of the argument with it.
    const tolerance = (y: number): number =>
      name === 'tan' ? 1e-13 * (1 + y * y) : 1e-13 * (1 + Math.abs(y));
    const domain = fc.oneof(
      between(-30, 30),
      between(-1, 1),
      fc.constantFrom(0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    agrees(SYMBOLIC_FUNCTIONS[name], NAIVE_SYMBOLIC[name], domain, tolerance);
  });

  it('knows its names and no others', () => {
    expect(isSymbolicFunction('arctanh')).toBe(true);
    for (const name of ['toString', 'cosh', '']) expect(isSymbolicFunction(name)).toBe(false);
  });
});
