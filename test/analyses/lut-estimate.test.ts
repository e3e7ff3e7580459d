import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adderTreeLuts, estimateLuts, functionLuts } from '../../src/analyses/lut-estimate.js';
import { importSource, sourceOf } from '../../src/importers/index.js';
import { builder, constant, int, uint, valueType } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';

describe('functionLuts', () => {
  it('is what a LUT6 and its multiplexers hold', () => {
    expect(functionLuts(0, 8)).toBe(0);
    expect(functionLuts(5, 8)).toBe(4);
    expect(functionLuts(6, 8)).toBe(8);
    expect(functionLuts(8, 1)).toBe(4);
    // Eight LUTs of six inputs, and one more for the two halves behind the multiplexers of a slice.
    expect(functionLuts(9, 1)).toBe(9);
  });
});

describe('adderTreeLuts', () => {
  it('adds the narrowest first', () => {
    expect(adderTreeLuts([])).toBe(0);
    expect(adderTreeLuts([7])).toBe(0);
    expect(adderTreeLuts([4, 4])).toBe(4);
    // 2 + 2 in two LUTs, then three bits and eight.
    expect(adderTreeLuts([8, 2, 2])).toBe(10);
  });
});

describe('estimateLuts', () => {
  it('counts edges by the bits of their range, and none that are constant', () => {
    const b = builder('net', 'table');
    const meaning = { _tag: 'uniform', levels: 4, lo: 0, step: 1 } as const;
    const x = b.input('x', valueType(uint(2), [3], meaning));
    // Ranges 3 (2 bits), 0 and 1 (1 bit): their offsets do not count.
    const entries = Int8Array.from([0, 1, 2, 3, 9, 9, 9, 9, 5, 5, 6, 5]);
    const attrs = {
      table: constant(int(8), [3, 4, 1], entries),
      acc: 16,
      lo: 0,
      hi: 100,
      scale: 1,
    };
    const acc = b.add('acc', { kind: 'table.edge', attrs }, [x]);
    // Half a LUT for each of three bits, two for the adder.
    expect(estimateLuts(rightOf(b.build([acc])))).toBe(Math.ceil(1.5 + 2));
  });

  it.each([
    ['kanele-wine', 829],
    ['kanele-drybean', 586],
  ])('is within a factor of two of what yosys makes of the design of %s', (name, luts) => {
    const file = new URL(`../../examples/models/${name}/truth_tables.json`, import.meta.url);
    const config = new URL(`../../examples/models/${name}/config.json`, import.meta.url);
    const beside = new Map([['config.json', new Uint8Array(readFileSync(config))]]);
    const source = sourceOf(new Uint8Array(readFileSync(file)), 'truth_tables.json', beside);
    const { graph } = rightOf(importSource(source, {}));
    const estimate = estimateLuts(graph);
    expect(estimate).toBeGreaterThan(luts / 2);
    expect(estimate).toBeLessThan(luts * 2);
  });
});
