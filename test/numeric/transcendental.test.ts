/** The functions that are evaluated in one place, against those of the engine. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIVATIONS, isActivation } from '../../src/numeric/activations.js';
import { erf, exp, log, sigmoid, tanh } from '../../src/numeric/transcendental.js';
import { NAIVE_ACTIVATIONS, simpsonErf } from '../support/naive-basis.js';

/** |found - wanted| relative to wanted; below 1e-300, where doubles lose digits, absolute. */
const relative = (found: number, wanted: number): number => {
  if (Object.is(found, wanted)) return 0;
  return Math.abs(found - wanted) / Math.max(Math.abs(wanted), 1e-300);
};

const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
/** Of every magnitude, down to the smallest. */
const scaled = fc
  .tuple(between(1, 2), fc.integer({ min: -60, max: 9 }), fc.boolean())
  .map(([m, e, s]) => (s ? m : -m) * 2 ** e);

const agrees = (
  f: (x: number) => number,
  wanted: (x: number) => number,
  domain: fc.Arbitrary<number>,
): void => {
  fc.assert(
    fc.property(domain, (x) => {
      expect(relative(f(x), wanted(x)), `at ${x}`).toBeLessThan(1e-13);
    }),
    { numRuns: 3000 },
  );
};

describe('transcendental functions', () => {
  it('exp', () => agrees(exp, Math.exp, fc.oneof(between(-750, 710), scaled)));
  it('log', () =>
    agrees(log, Math.log, fc.oneof(between(5e-324, 1e308), between(0.5, 2), scaled.map(Math.abs))));
  it('tanh', () => agrees(tanh, Math.tanh, fc.oneof(between(-30, 30), scaled)));
  it('sigmoid', () => agrees(sigmoid, (x) => 1 / (1 + Math.exp(-x)), between(-700, 700)));

  it('erf', () => {
    fc.assert(
      fc.property(between(-6.5, 6.5), (x) => {
        expect(Math.abs(erf(x) - simpsonErf(x))).toBeLessThan(1e-13);
      }),
      { numRuns: 50 },
    );
    // Abramowitz and Stegun, table 7.1, extended.
    const known = [
      [1e-10, 1.1283791670955126e-10],
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [3, 0.9999779095030014],
    ] as const;
    for (const [x, y] of known) {
      expect(relative(erf(x), y)).toBeLessThan(1e-13);
      expect(erf(-x)).toBe(-erf(x));
    }
  });

  it('at the ends', () => {
    expect([exp(0), exp(-800), exp(800), exp(Number.NaN)]).toStrictEqual([1, 0, Infinity, Number.NaN]);
    expect([log(1), log(0), log(-1), log(Infinity)]).toStrictEqual([0, -Infinity, Number.NaN, Infinity]);
    expect([tanh(0), tanh(-0), tanh(Infinity), tanh(-Infinity)]).toStrictEqual([0, -0, 1, -1]);
    expect([sigmoid(Infinity), sigmoid(-Infinity), sigmoid(0)]).toStrictEqual([1, 0, 0.5]);
    expect([erf(0), erf(Infinity), erf(-Infinity), erf(Number.NaN)]).toStrictEqual([0, 1, -1, Number.NaN]);
  });
});

describe('activations', () => {
  it.each(Object.keys(ACTIVATIONS).filter(isActivation))('%s is what its name says', (name) => {
    fc.assert(
      fc.property(between(-60, 60), (x) => {
        const [found, wanted] = [ACTIVATIONS[name](x), NAIVE_ACTIVATIONS[name](x)];
        expect(Math.abs(found - wanted), `at ${x}`).toBeLessThan(1e-13 * Math.max(1, Math.abs(x)));
      }),
      { numRuns: name === 'gelu' ? 50 : 500 },
    );
  });

  it.each(Object.keys(ACTIVATIONS).filter(isActivation))('%s passes NaN on and stays finite', (name) => {
    expect(ACTIVATIONS[name](Number.NaN)).toBeNaN();
    for (const x of [1e4, -1e4, 1e30, -1e30])
      expect(Number.isFinite(ACTIVATIONS[name](x)), `at ${x}`).toBe(true);
  });
});
