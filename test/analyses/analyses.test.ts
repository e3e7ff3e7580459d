import { describe, expect, it } from 'vitest';
import { clippedShares } from '../../src/analyses/clipping.js';
import { divergenceOf } from '../../src/analyses/divergence.js';
import { graphCost } from '../../src/analyses/graph-cost.js';
import { accuracyOf, agreementOf, argmax, relativeRms, rmseOf } from '../../src/analyses/metrics.js';
import {
  builder,
  constant,
  F32,
  type Graph,
  int,
  type Op,
  type Quantizer,
  uint,
  valueType,
} from '../../src/ir/index.js';
import { floatType } from '../../src/ir/types.js';
import { rightOf } from '../support/checked.js';

const quantizer: Quantizer = { _tag: 'uniform', lo: -1, step: 0.5, levels: 4 };

/** quantize, one edge table that gives the code of each input, requantize to `levels`, table, dequantize. */
const program = (levels: number): Graph<'table'> => {
  const b = builder('test', 'table');
  const x = b.input('x', floatType([1]));
  const codes = b.add('code', { kind: 'quantize', attrs: { quantizer, bits: 2, nan: 'zero' } }, [x]);
  const table = (name: string, rows: number, from: typeof codes) =>
    b.add(
      name,
      {
        kind: 'table.edge',
        attrs: {
          table: constant(
            int(8),
            [1, rows, 1],
            Int8Array.from({ length: rows }, (_, c) => c * 2),
          ),
          acc: 8,
          lo: 0,
          hi: (rows - 1) * 2,
          scale: 1,
        },
      },
      [from],
    );
  const acc = table('acc', 4, codes);
  const hidden: Quantizer = { _tag: 'uniform', lo: 0, step: 1, levels };
  const next = b.add(
    'next',
    { kind: 'requantize', attrs: { mul: 2, shift: 1, bits: 3, quantizer: hidden } },
    [acc],
  );
  return rightOf(b.build([b.add('y', { kind: 'dequantize', attrs: {} }, [table('acc2', levels, next)])]));
};

const floats = (...values: ReadonlyArray<number>) => ({
  type: floatType([1]),
  batch: values.length,
  data: Float32Array.from(values),
});

describe('clippedShares', () => {
  it('counts inputs beyond half a step outside the end levels, and NaN', () => {
    // Levels stand at -1, -0.5, 0, 0.5: all of [-1.25, 0.75] is within.
    const inside = rightOf(clippedShares(program(8), floats(-1.25, 0, 0.75)));
    expect(inside).toEqual({ input: 0, hidden: 0 });
    const outside = rightOf(clippedShares(program(8), floats(-1.26, 0.76, 0, Number.NaN)));
    expect(outside.input).toBe(0.75);
  });

  it('counts hidden codes that clamping changed', () => {
    // Codes are the accumulators 0, 2, 4, 6: with 5 levels the last one is clipped.
    const { hidden } = rightOf(clippedShares(program(5), floats(-1, -0.5, 0, 0.5)));
    expect(hidden).toBe(0.25);
  });

  /** Accumulators of two channels of two pixels to codes, by thresholds or by a multiplication. */
  const image = (last: 'bucketize' | 'requantize', q: Quantizer, range = { lo: -9, hi: 9 }): Graph => {
    const b = builder('image', 'table');
    const x = b.input('x', valueType(int(32), [2, 1, 2], { _tag: 'scaled', scale: 1, ...range }));
    const thresholds = constant(int(32), [1, 3], Int32Array.of(1, 2, 3));
    const op: Op =
      last === 'bucketize'
        ? { kind: 'bucketize', attrs: { thresholds, bits: 2, quantizer: q } }
        : {
            kind: 'requantize',
            attrs: { mul: constant(int(32), [2], Int32Array.of(2, 4)), shift: 1, bits: 2, quantizer: q },
          };
    return rightOf(b.build([b.add('code', op, [x])]));
  };
  const accumulators = (graph: Graph, ...values: ReadonlyArray<number>) => ({
    type: graph.inputs[0]!.type,
    batch: 1,
    data: Int32Array.from(values),
  });
  const counted: Quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 };

  it('counts accumulators beyond the values of thresholds, channel by channel of images', () => {
    const graph = image('bucketize', { ...counted, lo: constant(F32, [2], Float32Array.of(0, 2)), step: 1 });
    // The first channel holds 0 to 3, the second 2 to 5.
    expect(rightOf(clippedShares(graph, accumulators(graph, 0, 4, 5, 1)))).toEqual({
      input: 0.5,
      hidden: null,
    });
    const scaled = image('requantize', counted);
    // The first channel holds 0 to 3 and the second, of twice the multiplier, 0 to 1.
    expect(rightOf(clippedShares(scaled, accumulators(scaled, 3, 4, 1, 2))).input).toBe(0.5);
  });

  it('counts nothing of cells that are not equally wide', () => {
    const list = (...values: ReadonlyArray<number>): Quantizer => ({
      _tag: 'thresholds',
      levels: 4,
      thresholds: constant(F32, [1, 3], Float32Array.of(0.5, 1.5, 2.5)),
      values: constant(F32, [1, 4], Float32Array.from(values)),
    });
    const uneven = image('bucketize', list(0, 1, 2, 9));
    expect(rightOf(clippedShares(uneven, accumulators(uneven, 0, 4, 5, 1)))).toEqual({
      input: null,
      hidden: null,
    });
    const even = image('bucketize', list(0, 1, 2, 3));
    expect(rightOf(clippedShares(even, accumulators(even, 0, 4, 5, 1))).input).toBe(0.5);
  });

  it('counts pixels that lie beyond the codes of a map', () => {
    const graphOf = (code: (pixel: number) => number): Graph => {
      const b = builder('pixels', 'table');
      const x = b.input('x', valueType(uint(8), [1]));
      const map = constant(
        uint(4),
        [1, 256],
        Uint8Array.from({ length: 256 }, (_, p) => code(p)),
      );
      const attrs = { map, bits: 4, quantizer: { ...quantizer, levels: 16 } };
      return rightOf(b.build([b.add('code', { kind: 'recode', attrs }, [x])]));
    };
    const pixels = Uint8Array.from({ length: 256 }, (_, p) => p);
    const input = { type: valueType(uint(8), [1]), batch: 256, data: pixels };
    const whole = rightOf(
      clippedShares(
        graphOf((p) => Math.round((p / 255) * 15)),
        input,
      ),
    );
    expect(whole).toEqual({ input: 0, hidden: null });
    // Codes span pixels 64 to 191 only: about half of the others are more than half a step outside.
    const narrow = graphOf((p) => Math.min(15, Math.max(0, Math.round((p - 64) / 8))));
    const { input: share } = rightOf(clippedShares(narrow, input));
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.5);
  });
});

describe('divergenceOf', () => {
  it('is 0 for a graph and itself', () => {
    const graph = program(8);
    expect(rightOf(divergenceOf(graph, graph, floats(0, 1, 2)))).toEqual({ samples: 3, relativeRms: 0 });
  });
});

describe('graphCost', () => {
  it('sums the ops', () => {
    const cost = graphCost(program(8));
    expect(cost.bytes).toBe(4 + 8);
    expect(cost.bitOps).toBeGreaterThan(0);
  });
});

describe('metrics', () => {
  it('are what their names say', () => {
    expect(argmax([9, 1, 3, 3], 1, 3)).toBe(1);
    expect(accuracyOf([0, 1, 1, 0, 5, 4], [1, 0, 1], 2)).toBeCloseTo(2 / 3);
    expect(rmseOf([1, 2, 5], [1, 2, 2])).toBeCloseTo(Math.sqrt(3));
    expect(relativeRms([3, 4], [3, 4])).toBe(0);
    expect(relativeRms([0, 0], [0, 0])).toBe(0);
    expect(relativeRms([3, 4], [3, 4.5])).toBeCloseTo(0.1);
    expect(agreementOf([0, 1, 1, 0], [0, 2, 0, 1], 2)).toBe(0.5);
  });
});
