/** Requantization, as `fold` makes it: it differs from the float path at ties only, or is not made. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant, F32, int, type Tensor, valueType } from '../../src/ir/index.js';
import { type Random, randomOf } from '../support/random.js';
import {
  calibrationOf,
  compiled,
  floatInput,
  folded,
  kinds,
  outputOf,
  randomKan,
  tableGraph,
  uniformValues,
} from './support.js';

const seeds = fc.integer();

/** dequantize, then quantize: over accumulators given as input. */
const roundTrip = (r: Random, ratio: number, levels: number, lo: number) => {
  const scale = Math.fround(2 ** -r.whole(4, 12) * (1 + r.unit()));
  const step = Math.fround(scale / ratio);
  const reach = Math.ceil((2 * levels) / ratio) + 4;
  const type = valueType(int(32), [1], { _tag: 'scaled', scale, lo: -reach, hi: reach });
  const quantizer = { _tag: 'uniform', lo: Math.fround(lo * step), step, levels } as const;
  const graph = tableGraph((b) => {
    const x = b.input('acc', type);
    const y = b.add('y', { kind: 'dequantize', attrs: {} }, [x]);
    const bits = Math.ceil(Math.log2(levels));
    return b.add('q', { kind: 'quantize', attrs: { quantizer, bits, nan: 'zero' } }, [y]);
  });
  return { graph, type, quantizer, scale, reach };
};

describe('requantization', () => {
  it('is within one code of the float path, and equal away from ties', () => {
    const cases = fc.record({
      seed: seeds,
      // Accumulator units in a code step; below 1 as every layer of some inputs has it.
      ratio: fc.double({ min: 2 ** -7, max: 1, noNaN: true }),
      levels: fc.constantFrom(2, 16, 200, 256),
      lo: fc.double({ min: -200, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ seed, ratio, levels, lo }) => {
        const r = randomOf(seed);
        const { graph, type, quantizer, scale, reach } = roundTrip(r, ratio, levels, lo);
        const result = folded(graph);
        expect(kinds(result)).toEqual(['requantize']);
        const data = Int32Array.from({ length: 400 }, () => r.whole(-reach, reach));
        const x: Tensor = { type, batch: 400, data };
        const [exact, integer] = [outputOf(graph, x).data, outputOf(result, x).data];
        for (let j = 0; j < 400; j++) {
          expect(Math.abs(exact[j]! - integer[j]!)).toBeLessThanOrEqual(1);
          // Half a unit of the accumulator for the bias, a quarter code for the multiplier at the very top.
          const place = (data[j]! * scale - quantizer.lo) / quantizer.step;
          const toTie = Math.abs(place - Math.floor(place) - 0.5);
          if (toTie > ratio / 2 + 0.25 * Math.min(1, Math.abs(place) / levels) + 1e-3) {
            expect(integer[j]).toBe(exact[j]);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('gives way to thresholds where the multiplier would be too coarse, or the bias would overflow', () => {
    const r = randomOf(1);
    expect(kinds(folded(roundTrip(r, 2 ** -20, 256, 0).graph))).toEqual(['requantize']);
    // One shift serves all channels, so that steps of very different size leave the widest without precision.
    const steps = constant(F32, [2], Float32Array.of(1, 2 ** 40));
    const wide = valueType(int(32), [2], { _tag: 'scaled', scale: 1, lo: -(2 ** 30), hi: 2 ** 30 });
    const uneven = tableGraph((b) => {
      const y = b.add('y', { kind: 'dequantize', attrs: {} }, [b.input('acc', wide)]);
      const quantizer = { _tag: 'uniform', lo: 0, step: steps, levels: 256 } as const;
      return b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 8, nan: 'zero' } }, [y]);
    });
    expect(kinds(folded(uneven))).toEqual(['bucketize']);
    const type = valueType(int(32), [1], { _tag: 'scaled', scale: 1, lo: -(2 ** 31), hi: 2 ** 31 - 1 });
    for (const [lo, kind] of [
      [-(2 ** 31), 'bucketize'],
      [2 ** 20, 'bucketize'],
      // Codes that start behind the last integer of 32 bits: the float form stays.
      [2 ** 40, 'quantize'],
    ] as const) {
      const quantizer = { _tag: 'uniform', lo, step: 2 ** 10, levels: 16 } as const;
      const graph = tableGraph((b) => {
        const y = b.add('y', { kind: 'dequantize', attrs: {} }, [b.input('acc', type)]);
        return b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan: 'zero' } }, [y]);
      });
      expect(kinds(folded(graph)).at(-1)).toBe(kind);
    }
  });

  it('keeps networks with very fine accumulators accurate', () => {
    const net = randomKan(8, { layers: [3, 5, 2] });
    const x = floatInput(3, uniformValues(randomOf(4), 200, 3));
    for (const options of ['act=12,coef=14,basis=14', 'act=14,coef=16,basis=16', 'act=8,coef=16,basis=16']) {
      const text = `calibrate{data=x},quantize{values=middle,${options}},tabulate{form=basis}`;
      const before = compiled(net, text, calibrationOf(3));
      const after = compiled(before, 'fold,prune,dedupe,narrow,dce');
      const [a, b] = [outputOf(before, x).data, outputOf(after, x).data];
      const bits = Number(/act=(\d+)/.exec(options)?.[1]);
      for (let j = 0; j < a.length; j++) expect(Math.abs(a[j]! - b[j]!)).toBeLessThan(40 * 2 ** -bits);
    }
  });
});
