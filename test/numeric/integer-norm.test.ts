/** The integer norm: equal to whole numbers of any size, close to the real norm, and never wider than it says. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  integerSqrt,
  NORM_GAIN_LIMIT,
  NORM_GROUP_LIMIT,
  NORM_INPUT_LIMIT,
  normCode,
  normStatistics,
} from '../../src/numeric/integer-norm.js';
import { bigNorm, bigSqrt, type NormParameters, realNorm, type See } from '../support/naive-norm.js';
import { type Random, randomOf } from '../support/random.js';

const found = (group: ReadonlyArray<number>, which: number, p: NormParameters): number =>
  normCode(
    normStatistics(group, 0, group.length, p.epsilon),
    group[which]!,
    p.gain,
    p.gainShift,
    p.offset,
    p.levels,
  );

/** Accumulators of any spread: constant, two-valued, narrow, wide, at the ends. */
const anyGroup = (r: Random): ReadonlyArray<number> => {
  const count = r.pick([1, 2, 3, r.whole(4, 40), r.whole(4, 40), r.whole(100, 900)]);
  const spread = r.pick([0, 1, 3, 40, 700, NORM_INPUT_LIMIT]);
  const middle = r.whole(-NORM_INPUT_LIMIT + spread, NORM_INPUT_LIMIT - spread);
  const ends = r.chance(0.2);
  return Array.from({ length: count }, () =>
    ends ? middle + r.pick([-spread, spread]) : middle + r.whole(-spread, spread),
  );
};

const anyParameters = (r: Random): NormParameters => {
  const levels = 2 ** r.whole(1, 10);
  return {
    levels,
    epsilon: r.chance(0.3) ? 1 : r.whole(1, 2 ** r.whole(1, 45)),
    gain: r.pick([-1, 1]) * (r.chance(0.2) ? r.whole(0, 9) : r.whole(0, NORM_GAIN_LIMIT - 1)),
    gainShift: r.whole(-8, 30),
    offset: r.chance(0.1) ? r.pick([-1, 1]) * (2 ** 29 - 1) : r.whole(-4, levels),
  };
};

/** What numeric/integer-norm.ts says of its intermediates: bounds that a value may reach. */
const BOUNDS: Readonly<Record<string, readonly [lo: number, hi: number]>> = {
  S: [-(2 ** 27), 2 ** 27],
  '8S': [-(2 ** 30), 2 ** 30 + 2 ** 15],
  M: [-(2 ** 14), 2 ** 14],
  d: [-(2 ** 15), 2 ** 15],
  'd^2': [0, 2 ** 30],
  // The sum and its epsilon are kept in two words; doubles hold them.
  W: [1, 2 ** 46 + 2 ** 45],
  m: [2 ** 29, 2 ** 30 - 1],
  v: [2 ** 13, 2 ** 30 - 1],
  "v'": [2 ** 28, 2 ** 30 - 1],
  q: [2 ** 14, 2 ** 15 - 1],
  r: [2 ** 15, 2 ** 16],
  'r|G|': [0, 2 ** 31 - 1],
  P: [0, 2 ** 15 - 1],
  t: [-(2 ** 30), 2 ** 30],
  't + half': [-(2 ** 31), 2 ** 31 - 1],
  code: [-(2 ** 31), 2 ** 31 - 1],
};

const withinBounds: See = (name, value) => {
  const bound = BOUNDS[name];
  if (bound === undefined) return;
  if (value < BigInt(bound[0]) || value > BigInt(bound[1]))
    expect.unreachable(`${name} is ${value}, outside [${bound.join(', ')}]`);
};

describe('the integer norm', () => {
  it('is what its definition says, and every intermediate stays within its bounds', () => {
    for (let seed = 0; seed < 1500; seed++) {
      const r = randomOf(seed);
      const [group, p] = [anyGroup(r), anyParameters(r)];
      const which = r.whole(0, group.length - 1);
      expect(found(group, which, p), `seed ${seed}`).toBe(bigNorm(group, which, p, withinBounds));
    }
  });

  it.each([
    ['all at one end', () => 1],
    ['one at the other end', (j: number) => (j === 0 ? -1 : 1)],
    ['half at each end', (j: number) => (j % 2 === 0 ? -1 : 1)],
  ])('keeps its bounds for the largest groups: %s', (_, sign) => {
    const group = Array.from({ length: NORM_GROUP_LIMIT }, (_, j) => sign(j) * NORM_INPUT_LIMIT);
    for (const epsilon of [1, 2 ** 45]) {
      for (const gain of [NORM_GAIN_LIMIT - 1, 1 - NORM_GAIN_LIMIT]) {
        for (const offset of [1 - 2 ** 29, 2 ** 29 - 1]) {
          const p = { epsilon, gain, gainShift: 8, offset, levels: 256 };
          for (const which of [0, 1])
            expect(found(group, which, p)).toBe(bigNorm(group, which, p, withinBounds));
        }
      }
    }
  });

  it('is close to the real norm', () => {
    let inside = 0;
    let worst = 0;
    for (let seed = 0; seed < 4000; seed++) {
      const r = randomOf(seed);
      // Gains as they are chosen: the largest of a layer fills its bits, and the spread fills the levels.
      const bits = r.whole(1, 10);
      const gain = r.pick([-1, 1]) * r.whole(2 ** 13, NORM_GAIN_LIMIT - 1);
      const p = {
        levels: 2 ** bits,
        epsilon: r.whole(1, 2 ** r.whole(1, 30)),
        gain,
        gainShift: 17 - bits + r.whole(0, 2),
        offset: r.whole(0, 2 ** bits),
      };
      const group = anyGroup(r);
      const which = r.whole(0, group.length - 1);
      const { value, bound } = realNorm(group, which, p);
      const top = p.levels - 1;
      const clamp = (x: number): number => Math.min(Math.max(x, 0), top);
      const code = found(group, which, p);
      expect(code, `seed ${seed}`).toBeGreaterThanOrEqual(clamp(value - bound));
      expect(code, `seed ${seed}`).toBeLessThanOrEqual(clamp(value + bound));
      if (value <= 0 || value >= top) continue;
      inside++;
      // Where the spread is more than a few accumulators, the bound is little more than the rounding itself.
      if (Math.max(...group) - Math.min(...group) > 80) worst = Math.max(worst, Math.abs(code - value) - 0.5);
    }
    expect(inside).toBeGreaterThan(1000);
    expect(worst).toBeLessThan(0.8);
  });

  it('gives the offset where the group does not vary', () => {
    const p = { epsilon: 1, gain: 20000, gainShift: 9, offset: 77, levels: 128 };
    for (const a of [-NORM_INPUT_LIMIT, -1, 0, 5, NORM_INPUT_LIMIT]) expect(found([a, a, a], 1, p)).toBe(77);
  });

  it('saturates by sign where the slope has no bits left, and vanishes where it has too many', () => {
    const p = { epsilon: 1, gain: 20000, gainShift: -40, offset: 3, levels: 16 };
    expect([-5, 0, 5].map((_, k, group) => found(group, k, p))).toStrictEqual([0, 3, 15]);
    expect([-5, 0, 5].map((_, k, group) => found(group, k, { ...p, gainShift: 40 }))).toStrictEqual([
      3, 3, 3,
    ]);
  });
});

describe('integerSqrt', () => {
  it('is the floor of the root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (x) => {
        expect(integerSqrt(x)).toBe(Number(bigSqrt(BigInt(x))));
      }),
      { numRuns: 3000 },
    );
    for (let root = 1; root < 2 ** 16; root += 17) {
      expect([integerSqrt(root * root - 1), integerSqrt(root * root)]).toStrictEqual([root - 1, root]);
    }
  });
});
