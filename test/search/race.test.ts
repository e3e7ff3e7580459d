/** Races by a clock that only moves when something runs. */
import { describe, expect, it } from 'vitest';
import { isFaster, type Race, race } from '../../src/search/tune.js';

/** Programs that take so many milliseconds, times a factor that changes from call to call. */
const raced = (first: number, second: number, factor: (call: number) => number = () => 1): Race => {
  let [clock, calls] = [0, 0];
  const run = (milliseconds: number) => (): void => {
    clock += milliseconds * factor(calls++);
  };
  return race({ now: () => clock }, run(first), run(second));
};

describe('race', () => {
  it('tells the times of a call, and how much less the second takes', () => {
    const result = raced(0.5, 0.4);
    expect(result.times[0]).toBeCloseTo(500, 6);
    expect(result.times[1]).toBeCloseTo(400, 6);
    expect(result.gain).toBeCloseTo(0.2, 6);
    expect(result.noise).toBeCloseTo(0, 6);
    expect(isFaster(result)).toBe(true);
  });

  it('runs calls that take longer than a round once', () => {
    expect(raced(3000, 1000).times).toEqual([3_000_000, 1_000_000]);
  });

  it('ends where the clock does not move', () => {
    expect(isFaster(raced(0, 0))).toBe(false);
  });

  it('takes nobody for faster who is slower, the same, or not faster by more than the noise', () => {
    expect(isFaster(raced(0.4, 0.5))).toBe(false);
    expect(isFaster(raced(0.5, 0.5))).toBe(false);
    expect(isFaster(raced(0.5, 0.495))).toBe(false);
    // Calls of a few milliseconds, each of which is its own try: even the least of three differ by more than a tenth.
    const wave = (call: number): number => 1 + 0.8 * Math.sin(1.7 * call);
    expect(isFaster(raced(5, 4.5, wave))).toBe(false);
    expect(isFaster(raced(5, 4.5))).toBe(true);
  });
});
