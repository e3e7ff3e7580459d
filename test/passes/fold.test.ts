/** The rules of `fold` that are exact: they change no bit. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  constant,
  decodeValue,
  F32,
  floatType,
  type Quantizer,
  type Tensor,
  thresholdList,
  uint,
  valueType,
} from '../../src/ir/index.js';
import { floatAt, orderOf } from '../../src/numeric/float-order.js';
import { arbitraryGraph, randomTensor } from '../support/graphs.js';
import { anyPerChannel, anyQuantizer, integers } from '../support/quantizers.js';
import { randomOf } from '../support/random.js';
import {
  calibrationOf,
  compiled,
  floatInput,
  folded,
  kinds,
  nodesOf,
  outputOf,
  randomKan,
  tableGraph,
} from './support.js';

/** All thresholds of a quantizer and their neighbours, mapped back by `back`, and what is special among floats. */
const criticalPoints = (
  q: Quantizer,
  feature: number,
  back: (x: number) => number,
): ReadonlyArray<number> => {
  const near = [...thresholdList(q, feature)].flatMap((t) => {
    if (!Number.isFinite(t)) return [];
    const x = Math.fround(back(t));
    if (!Number.isFinite(x)) return [];
    return [-2, -1, 0, 1, 2].map((d) => floatAt(orderOf(x) + d));
  });
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 3e38, -3e38, 1e-45];
  return [...near, ...special];
};

const seeds = fc.integer();

describe('exact rules', () => {
  it('quantize of decode becomes a map with the same codes', () => {
    fc.assert(
      fc.property(seeds, fc.boolean(), (seed, pixels) => {
        const r = randomOf(seed);
        const features = r.whole(1, 4);
        const source = pixels
          ? valueType(uint(8), [features])
          : valueType(uint(5), [features], anyQuantizer(r, features, 5));
        const graph = tableGraph((b) => {
          const x = b.input('x', source);
          const values = pixels
            ? {
                values: constant(
                  F32,
                  [1, 256],
                  Float32Array.from({ length: 256 }, () => r.float()),
                ),
              }
            : {};
          const y = b.add('y', { kind: 'decode', attrs: values }, [x]);
          const bits = r.whole(1, 7);
          const attrs = { quantizer: anyQuantizer(r, features, bits), bits, nan: 'zero' } as const;
          return b.add('q', { kind: 'quantize', attrs }, [y]);
        });
        const result = folded(graph);
        expect(kinds(result)).toEqual(['recode']);
        const x = randomTensor(r, source, 300);
        expect(outputOf(result, x)).toStrictEqual(outputOf(graph, x));
      }),
    );
  });

  it('quantize of affine becomes quantize: at every threshold, its neighbours, NaN and infinities', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const r = randomOf(seed);
        const features = r.whole(1, 3);
        const positive = (): number => Math.fround(2 ** r.whole(-6, 6) * (1 + r.unit()));
        const scale = anyPerChannel(r, features, positive);
        const shift = anyPerChannel(r, features, () => Math.fround((r.unit() - 0.5) * 2 ** r.whole(-3, 6)));
        const bits = r.whole(1, 5);
        const quantizer = anyQuantizer(r, features, bits);
        const graph = tableGraph((b) => {
          const x = b.input('x', floatType([features]));
          const y = b.add('y', { kind: 'affine', attrs: { scale, shift } }, [x]);
          return b.add('q', { kind: 'quantize', attrs: { quantizer, bits, nan: 'zero' } }, [y]);
        });
        const result = folded(graph);
        expect(kinds(result)).toEqual(['quantize']);
        const of = (p: typeof scale, f: number): number => (typeof p === 'number' ? p : p.data[f]!);
        const columns = Array.from({ length: features }, (_, f) =>
          criticalPoints(quantizer, f, (t) => (t - of(shift, f)) / of(scale, f)),
        );
        const longest = Math.max(...columns.map((c) => c.length));
        const rows = Array.from({ length: longest }, (_, n) => columns.map((c) => c[n % c.length]!));
        const x = floatInput(features, rows.flat());
        expect(outputOf(result, x).data).toEqual(outputOf(graph, x).data);
      }),
      { numRuns: 60 },
    );
  });

  it('quantize of an affine that descends is left alone', () => {
    const graph = tableGraph((b) => {
      const x = b.input('x', floatType([2]));
      const scale = constant(F32, [2], Float32Array.of(1, -1));
      const y = b.add('y', { kind: 'affine', attrs: { scale, shift: 0 } }, [x]);
      const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
      return b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 2, nan: 'zero' } }, [y]);
    });
    expect(kinds(folded(graph))).toEqual(['affine', 'quantize']);
  });

  it('a chain of maps becomes one', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 4 }), (seed, length) => {
        const r = randomOf(seed);
        const features = r.whole(1, 3);
        const source = valueType(uint(6), [features]);
        const graph = tableGraph((b) => {
          let value = b.input('x', source);
          let levels = 64;
          for (let k = 0; k < length; k++) {
            const bits = r.whole(1, 6);
            const quantizer = anyQuantizer(r, features, bits);
            const map = integers(r, uint(8), [r.pick([1, features]), levels], 0, quantizer.levels - 1);
            value = b.add('m', { kind: 'recode', attrs: { map, bits, quantizer } }, [value]);
            levels = quantizer.levels;
          }
          return value;
        });
        const result = folded(graph);
        expect(kinds(result)).toEqual(['recode']);
        const x = randomTensor(r, source, 100);
        expect(outputOf(result, x)).toStrictEqual(outputOf(graph, x));
      }),
      { numRuns: 50 },
    );
  });

  it('pixels, normalisation and quantizer become one map, whatever stands between', () => {
    const net = randomKan(1, { layers: [3, 2] });
    const text = 'input{dtype=u8,mean=0.4,std=0.3},calibrate,quantize,tabulate';
    const before = compiled(net, text);
    const graph = compiled(before, 'fold,dce');
    expect(graph.nodes.map((n) => n.op.kind)).toEqual(['recode', 'table.edge', 'dequantize']);
    const { type } = graph.inputs[0]!;
    const all: Tensor = {
      type,
      batch: 256,
      data: Uint8Array.from({ length: 768 }, (_, j) => Math.floor(j / 3)),
    };
    expect(outputOf(graph, all)).toStrictEqual(outputOf(before, all));
    const floats = compiled(
      net,
      'input{mean=0.4,std=0.3},calibrate{data=x},quantize,tabulate',
      calibrationOf(3),
    );
    expect(kinds(compiled(floats, 'fold'))).toEqual(['quantize', 'table.edge', 'dequantize']);
  });

  it('random graphs without accumulators keep every bit', () => {
    const exact = arbitraryGraph('table').filter((g) =>
      g.nodes.every((n) => n.op.kind !== 'dequantize' && n.op.kind !== 'quantize'),
    );
    fc.assert(
      fc.property(exact, seeds, (graph, seed) => {
        if (graph.level !== 'table' || graph.inputs.length > 1) return;
        const result = folded({ ...graph, level: 'table' });
        const x = randomTensor(randomOf(seed), graph.inputs[0]!.type, 20);
        expect(outputOf(result, x).data).toEqual(outputOf(graph, x).data);
      }),
      { numRuns: 150 },
    );
  });

  it('moves the bias of a table into the requantization', () => {
    const net = randomKan(5, { layers: [3, 4, 2], bias: true });
    for (const form of ['edge', 'basis']) {
      const text = `calibrate{data=x},quantize,tabulate{form=${form}},fold,dce`;
      const graph = compiled(net, text, calibrationOf(3));
      const tables = graph.nodes.filter((n) => n.op.kind === 'table.edge' || n.op.kind === 'table.basis');
      const biases = tables.map((n) => 'bias' in n.op.attrs && n.op.attrs.bias !== undefined);
      expect(biases).toEqual([false, true]);
    }
  });

  it('folds again to the same', () => {
    const net = randomKan(5, { layers: [3, 4, 2], bias: true });
    const once = compiled(net, 'calibrate{data=x},quantize,tabulate,fold,dce', calibrationOf(3));
    expect(compiled(once, 'fold')).toStrictEqual(once);
  });
});

it('observe disappears and what it observed stays', () => {
  const graph = compiled(
    randomKan(1, { layers: [3, 2] }),
    'calibrate{data=x},quantize,tabulate',
    calibrationOf(3),
  );
  expect(nodesOf(graph, 'observe')).toHaveLength(1);
  const result = compiled(graph, 'fold');
  expect(nodesOf(result, 'observe')).toHaveLength(0);
  const [quantize] = nodesOf(result, 'quantize');
  expect(quantize?.operands).toEqual(['x']);
  expect(decodeValue(quantize!.op.attrs.quantizer, 0, 0)).toBeGreaterThanOrEqual(-1);
});
