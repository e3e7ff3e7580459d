import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addTallies, dropOf, EMPTY, lossOf, metricOf, tallyOf } from '../../src/search/tally.js';

const OUTPUTS = 3;
const value = fc.integer({ min: -5, max: 5 });
const sample = fc.record({
  was: fc.array(value, { minLength: OUTPUTS, maxLength: OUTPUTS }),
  is: fc.array(value, { minLength: OUTPUTS, maxLength: OUTPUTS }),
  label: fc.integer({ min: 0, max: OUTPUTS - 1 }),
  wanted: fc.array(value, { minLength: OUTPUTS, maxLength: OUTPUTS }),
});
type Sample = { was: number[]; is: number[]; label: number; wanted: number[] };
const samples = fc.array(sample, { minLength: 1, maxLength: 30 });

const tally = (list: ReadonlyArray<Sample>, kind: 'none' | 'classes' | 'values') =>
  tallyOf(
    list.flatMap((s) => s.was),
    list.flatMap((s) => s.is),
    OUTPUTS,
    kind === 'classes'
      ? { _tag: kind, classes: list.map((s) => s.label) }
      : kind === 'values'
        ? { _tag: kind, values: list.flatMap((s) => s.wanted) }
        : { _tag: kind },
  );

const best = (row: ReadonlyArray<number>): number => row.indexOf(Math.max(...row));
const rms = (list: ReadonlyArray<number>): number =>
  Math.sqrt(list.reduce((n, v) => n + v * v, 0) / list.length);

describe('a tally', () => {
  it('of all samples is the sum of those of parts', () => {
    fc.assert(
      fc.property(samples, fc.nat(), fc.constantFrom('none', 'classes', 'values'), (list, at, kind) => {
        const cut = at % (list.length + 1);
        const [a, b] = [list.slice(0, cut), list.slice(cut)];
        const part = (l: ReadonlyArray<Sample>) => (l.length === 0 ? EMPTY : tally(l, kind));
        expect(addTallies(part(a), part(b))).toEqual(tally(list, kind));
      }),
    );
  });
});

describe('dropOf', () => {
  it('with classes is the difference of two accuracies, and its error that of paired samples', () => {
    fc.assert(
      fc.property(samples, (list) => {
        const paired = list.map((s) => Number(best(s.was) === s.label) - Number(best(s.is) === s.label));
        const mean = paired.reduce((n, v) => n + v, 0) / list.length;
        // One sample more that moved, and one that did not.
        const more = [...paired, 1, 0];
        const variance = more.reduce((n, v) => n + v ** 2, 0) / more.length - mean ** 2;
        const { drop, error } = dropOf('accuracy', tally(list, 'classes'), OUTPUTS);
        expect(drop).toBeCloseTo(100 * mean, 9);
        expect(error).toBeCloseTo(100 * Math.sqrt(Math.max(0, variance) / more.length), 9);
      }),
    );
  });

  it('without labels is the share of samples whose largest output changed', () => {
    fc.assert(
      fc.property(samples, (list) => {
        const changed = list.filter((s) => best(s.was) !== best(s.is)).length / list.length;
        expect(dropOf('changed', tally(list, 'none'), OUTPUTS).drop).toBeCloseTo(100 * changed, 9);
      }),
    );
  });

  it('with values is the growth of the error, and without them the difference, both relative', () => {
    fc.assert(
      fc.property(samples, (list) => {
        const wanted = list.flatMap((s) => s.wanted);
        const was = list.flatMap((s) => s.was);
        const is = list.flatMap((s) => s.is);
        fc.pre(rms(wanted) > 0 && rms(was) > 0);
        const off = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => rms(a.map((v, k) => v - b[k]!));
        expect(dropOf('error', tally(list, 'values'), OUTPUTS).drop).toBeCloseTo(
          (100 * (off(is, wanted) - off(was, wanted))) / rms(wanted),
          8,
        );
        const t = tally(list, 'none');
        expect(dropOf('rms', t, OUTPUTS).drop).toBeCloseTo((100 * off(is, was)) / rms(was), 8);
        expect(lossOf(t)).toBeCloseTo((off(is, was) / rms(was)) ** 2, 8);
      }),
    );
  });

  it('is 0 where nothing changed, which few samples do not prove', () => {
    const same = { was: [1, 2, 3], is: [1, 2, 3], label: 0, wanted: [1, 1, 1] };
    for (const [metric, kind] of [
      ['error', 'values'],
      ['rms', 'none'],
    ] as const) {
      expect(dropOf(metric, tally([same, same], kind), OUTPUTS)).toEqual({ drop: 0, error: 0 });
    }
    for (const [metric, kind] of [
      ['accuracy', 'classes'],
      ['changed', 'none'],
    ] as const) {
      const of = (n: number) => dropOf(metric, tally(Array(n).fill(same), kind), OUTPUTS);
      expect(of(2).drop).toBe(0);
      expect(of(8).error).toBeGreaterThan(8);
      expect(of(1000).error).toBeLessThan(0.11);
      expect(of(1000).error).toBeGreaterThan(0.05);
    }
  });
});

describe('metricOf', () => {
  it('takes labels where there are some, and what the outputs are where there are none', () => {
    expect(metricOf({ _tag: 'classes', classes: [] }, 3)).toBe('accuracy');
    expect(metricOf({ _tag: 'values', values: [] }, 1)).toBe('error');
    expect(metricOf({ _tag: 'none' }, 3)).toBe('changed');
    expect(metricOf({ _tag: 'none' }, 1)).toBe('rms');
  });
});
