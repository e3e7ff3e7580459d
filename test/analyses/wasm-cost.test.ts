/** The stored cost model: what every set of measured coefficients has to say. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { basisMicroseconds, edgeMicroseconds, type KernelShape } from '../../src/analyses/wasm-cost.js';

const dense = (inputs: number, outputs: number, levels: number): KernelShape => ({
  inputs,
  outputs,
  sums: 1,
  entryBytes: 1,
  bytes: inputs * outputs * levels,
  products: 5,
});

const anyShape = fc
  .tuple(
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 1, max: 200 }),
  )
  .map(([inputs, outputs, sums]) => ({ ...dense(inputs, outputs, 256), sums }));

describe('the cost of WASM kernels', () => {
  it('is positive, and grows with inputs, outputs, windows and bytes', () => {
    fc.assert(
      fc.property(anyShape, (s) => {
        for (const cost of [edgeMicroseconds, basisMicroseconds]) {
          expect(cost(s)).toBeGreaterThan(0);
          for (const key of ['inputs', 'outputs', 'sums', 'bytes'] as const) {
            expect(cost({ ...s, [key]: 2 * s[key] })).toBeGreaterThanOrEqual(cost(s));
          }
        }
      }),
    );
  });

  it('is less for additions than for products, where tables fit a cache', () => {
    for (const [inputs, outputs] of [
      [784, 64],
      [64, 32],
      [64, 10],
      [16, 256],
    ] as const) {
      const basis = { ...dense(inputs, outputs, 9), bytes: inputs * outputs * 9 };
      expect(edgeMicroseconds(dense(inputs, outputs, 64))).toBeLessThan(basisMicroseconds(basis));
    }
  });
});
