/** `bucketize`, as `fold` makes it: the codes of the float form for every accumulator of the range. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  constant,
  edgeTableRange,
  F32,
  int,
  type Quantizer,
  type Tensor,
  uint,
  type ValueType,
  valueType,
} from '../../src/ir/index.js';
import { anyQuantizer, anyScale, integers } from '../support/quantizers.js';
import { type Random, randomOf } from '../support/random.js';
import {
  calibrationOf,
  compiled,
  floatInput,
  folded,
  kinds,
  nodesOf,
  onlyOf,
  outputOf,
  randomKan,
  tableGraph,
  uniformValues,
} from './support.js';

/** dequantize, then quantize: over accumulators given as input. */
const roundTrip = (type: ValueType, quantizer: Quantizer) =>
  tableGraph((b) => {
    const y = b.add('y', { kind: 'dequantize', attrs: {} }, [b.input('acc', type)]);
    return b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 8, nan: 'zero' } }, [y]);
  });

const listed = (r: Random, channels: number): Quantizer => {
  for (;;) {
    const q = anyQuantizer(r, channels, r.whole(1, 6));
    if (q._tag === 'thresholds') return q;
  }
};

/** Every accumulator of a range, for all channels. */
const everyOf = (type: ValueType, lo: number, hi: number): Tensor => {
  const channels = type.shape[0]!;
  const batch = hi - lo + 1;
  return {
    type,
    batch,
    data: Int32Array.from({ length: batch * channels }, (_, j) => lo + Math.floor(j / channels)),
  };
};

describe('thresholds in integers', () => {
  it('give the codes of the float form for every accumulator, whatever the quantizer', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const r = randomOf(seed);
        const channels = r.whole(1, 4);
        const [lo, hi] = [-r.whole(0, 600), r.whole(0, 600)];
        const type = valueType(int(16), [channels], { _tag: 'scaled', scale: anyScale(r, channels), lo, hi });
        const graph = roundTrip(type, listed(r, channels));
        const result = folded(graph);
        expect(kinds(result)).toEqual(['bucketize']);
        const x = everyOf(type, lo, hi);
        expect(outputOf(result, x).data).toEqual(outputOf(graph, x).data);
      }),
      { numRuns: 150 },
    );
  });

  it('are exact where f32 does not hold the accumulators', () => {
    const r = randomOf(9);
    for (const hi of [2 ** 30, 2 ** 31 - 2]) {
      const type = valueType(int(32), [1], { _tag: 'scaled', scale: Math.fround(1e-7), lo: -(2 ** 31), hi });
      const quantizer: Quantizer = {
        _tag: 'thresholds',
        levels: 5,
        thresholds: constant(F32, [1, 4], Float32Array.of(-100, 0, 12.5, 100)),
        values: constant(F32, [1, 5], new Float32Array(5)),
      };
      const graph = roundTrip(type, quantizer);
      const { thresholds } = onlyOf(folded(graph), 'bucketize').op.attrs;
      const near = [...thresholds.data].flatMap((t) => [t - 2, t - 1, t, t + 1]);
      const data = Int32Array.from(
        [...near, -(2 ** 31), hi, ...Array.from({ length: 500 }, () => r.whole(-(2 ** 31), hi))],
        (v) => Math.max(-(2 ** 31), Math.min(hi, v)),
      );
      const x: Tensor = { type, batch: data.length, data };
      expect(outputOf(folded(graph), x).data).toEqual(outputOf(graph, x).data);
    }
  });

  it('that no accumulator reaches lie behind the range', () => {
    const type = valueType(int(16), [1], { _tag: 'scaled', scale: 1, lo: -10, hi: 10 });
    const quantizer: Quantizer = {
      _tag: 'thresholds',
      levels: 5,
      thresholds: constant(F32, [1, 4], Float32Array.of(-50, 3, 99, Number.POSITIVE_INFINITY)),
      values: constant(F32, [1, 5], new Float32Array(5)),
    };
    const { thresholds } = onlyOf(folded(roundTrip(type, quantizer)), 'bucketize').op.attrs;
    expect([...thresholds.data]).toEqual([-10, 3, 11, 11]);
  });

  it('take the bias of the table before them, so that accumulators are narrower', () => {
    const r = randomOf(4);
    const quantizer = listed(r, 3);
    const graph = tableGraph((b) => {
      const x = b.input('x', valueType(uint(2), [2]));
      const parts = {
        table: integers(r, int(8), [2, 4, 3]),
        bias: constant(int(32), [3], Int32Array.of(100_000, -70_000, 5)),
      };
      const attrs = { ...parts, scale: Math.fround(1e-4), acc: 32, ...edgeTableRange(parts, 2) };
      const y = b.add('y', { kind: 'dequantize', attrs: {} }, [
        b.add('a', { kind: 'table.edge', attrs }, [x]),
      ]);
      return b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 8, nan: 'zero' } }, [y]);
    });
    const result = compiled(graph, 'fold,dce,narrow');
    expect(kinds(result)).toEqual(['table.edge', 'bucketize']);
    expect(onlyOf(result, 'table.edge').op.attrs.bias).toBeUndefined();
    expect(onlyOf(result, 'table.edge').op.attrs.acc).toBe(16);
    const x: Tensor = {
      type: graph.inputs[0]!.type,
      batch: 16,
      data: Uint8Array.from({ length: 32 }, (_, j) => (j % 2 === 0 ? j >> 1 : j >> 3) % 4),
    };
    expect(outputOf(result, x).data).toEqual(outputOf(graph, x).data);
  });

  it('are not made of more thresholds than are worth their memory, or of scales that are not positive', () => {
    const many = valueType(int(32), [17], {
      _tag: 'scaled',
      scale: constant(F32, [17], new Float32Array(17).fill(1)),
      lo: -9,
      hi: 9,
    });
    const wide: Quantizer = {
      _tag: 'thresholds',
      levels: 65536,
      thresholds: constant(
        F32,
        [1, 65535],
        Float32Array.from({ length: 65535 }, (_, k) => k),
      ),
      values: constant(F32, [1, 65536], new Float32Array(65536)),
    };
    const graph = tableGraph((b) => {
      const y = b.add('y', { kind: 'dequantize', attrs: {} }, [b.input('acc', many)]);
      return b.add('q', { kind: 'quantize', attrs: { quantizer: wide, bits: 16, nan: 'zero' } }, [y]);
    });
    expect(kinds(folded(graph))).toEqual(['dequantize', 'quantize']);
    const negative = valueType(int(16), [1], { _tag: 'scaled', scale: -1, lo: -9, hi: 9 });
    expect(kinds(folded(roundTrip(negative, listed(randomOf(2), 1))))).toEqual(['dequantize', 'quantize']);
  });
});

it('networks with cells of least error have no float inside, and the integers of the float form', () => {
  const net = randomKan(5, { layers: [3, 6, 5, 2], bias: true });
  const x = floatInput(3, uniformValues(randomOf(8), 300, 3, -1.2, 1.2));
  for (const form of ['edge', 'basis']) {
    const text = `calibrate{data=x},quantize{act=4,quantizer=lloyd},tabulate{form=${form}}`;
    const before = compiled(net, text, calibrationOf(3));
    const after = compiled(before, 'fold,prune,dedupe,narrow,dce');
    expect(nodesOf(after, 'bucketize')).toHaveLength(2);
    expect(nodesOf(after, 'dequantize')).toHaveLength(1);
    expect(outputOf(after, x).data).toEqual(outputOf(before, x).data);
  }
});
