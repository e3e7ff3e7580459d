/** The kernel of `bucketize`: both of its ways, at every step between codes, and networks that need it. */
import { describe, expect, it } from 'vitest';
import { constant } from '../../../src/ir/constant.js';
import { int, uint } from '../../../src/ir/element.js';
import { isLevel } from '../../../src/ir/graph.js';
import type { Op } from '../../../src/ir/ops/index.js';
import { valueType } from '../../../src/ir/types.js';
import { calibrationOf, compiled, randomKan, uniformValues } from '../../passes/support.js';
import { type Random, randomOf } from '../../support/random.js';
import { filled, rangeOf, tableBuilder, uniform } from './random.js';
import { sumOp } from './random-images.js';
import { compile, expectSame, finish } from './support.js';

const SHAPES: ReadonlyArray<ReadonlyArray<number>> = [[1], [7], [16], [50], [1, 4, 5], [3, 5, 5], [33, 2, 3]];
const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);

/** Rows of thresholds over [lo, hi] and a little beyond, with repetitions. */
const bucketizeOp = (r: Random, rows: number, levels: number, lo: number, hi: number): Op => {
  const held = (v: number): number => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, v));
  const data = new Int32Array(rows * (levels - 1));
  for (let row = 0; row < rows; row++) {
    const sorted = Int32Array.from({ length: levels - 1 }, () => r.whole(held(lo - 1), held(hi + 1))).sort();
    data.set(sorted, row * (levels - 1));
  }
  const thresholds = constant(int(32), [rows, levels - 1], data);
  return {
    kind: 'bucketize',
    attrs: { thresholds, bits: levels > 256 ? 12 : 8, quantizer: uniform(levels) },
  };
};

const CASES = SHAPES.flatMap((shape) => [2, 3, 16, 32, 33, 256, 3000].map((levels) => ({ shape, levels })));

describe('random thresholds', () => {
  it.each(CASES)('$levels levels of shape $shape', async ({ shape, levels }) => {
    const r = randomOf(sizeOf(shape) + levels);
    for (const [bits, rows] of [
      [8, 1],
      [8, shape[0]!],
      [20, shape[0]!],
    ] as const) {
      const b = tableBuilder();
      const x = b.input('x', valueType(uint(8), shape));
      const s = b.add('s', sumOp(r, shape[0]!, [256], bits), [x]);
      const { lo, hi } = rangeOf(b, s);
      const graph = finish(b, b.add('codes', bucketizeOp(r, rows, levels, lo, hi), [s]));
      await expectSame(
        graph,
        Uint8Array.from({ length: 4 * sizeOf(shape) }, () => r.whole(0, 255)),
      );
    }
  });
});

describe('the form', () => {
  const formOf = async (levels: number, rows: number): Promise<string> => {
    const b = tableBuilder();
    const r = randomOf(1);
    const x = b.input('x', valueType(uint(8), [40]));
    const s = b.add('s', sumOp(r, 40, [256], 8), [x]);
    const graph = finish(b, b.add('codes', bucketizeOp(r, rows, levels, -99, 99), [s]));
    return (await compile(graph)).manifest.layers.at(-1)?.form ?? '';
  };

  it('is a comparison with all of few thresholds, and a search among many', async () => {
    expect(await formOf(32, 1)).toBe('thresholds, compared');
    expect(await formOf(33, 1)).toBe('thresholds, searched');
    expect(await formOf(16, 40)).toBe('thresholds per channel, compared');
    expect(await formOf(200, 40)).toBe('thresholds per channel, searched');
  });
});

it('accumulators at the ends of 32 bits, around every threshold', async () => {
  for (const thresholds of [
    [-(2 ** 31), 0, 2 ** 31 - 1],
    [-(2 ** 31), -(2 ** 31), 5],
    Array.from({ length: 40 }, (_, k) => (k < 39 ? -(2 ** 31) + k * 2 ** 26 : 2 ** 31 - 1)),
    Array.from({ length: 70 }, (_, k) => 2 ** 31 - 1 - 69 + k),
  ]) {
    const near = thresholds.flatMap((t) => [t - 1, t, t + 1]).filter((v) => v >= -(2 ** 31) && v < 2 ** 31);
    const values = [-(2 ** 31), 2 ** 31 - 1, ...near];
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [1]));
    const table = filled(int(32), [1, 256], () => values.shift() ?? 0);
    const bounds = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
    const s = b.add('s', { kind: 'table.sum', attrs: { tables: [table], scale: 1, acc: 32, ...bounds } }, [
      x,
    ]);
    const list = constant(int(32), [1, thresholds.length], Int32Array.from(thresholds));
    const attrs = { thresholds: list, bits: 8, quantizer: uniform(thresholds.length + 1) };
    await expectSame(
      finish(b, b.add('codes', { kind: 'bucketize', attrs }, [s])),
      Uint8Array.from({ length: 256 }, (_, c) => c),
    );
  }
});

describe('networks with cells of least error', () => {
  it.each(['edge', 'basis'])('in the %s form, at few and at many levels', async (form) => {
    for (const act of [2, 4, 7]) {
      const text = `calibrate{data=x},quantize{act=${act},quantizer=lloyd},tabulate{form=${form}},fold,prune,dedupe,narrow,dce`;
      const graph = compiled(randomKan(act, { layers: [5, 20, 4] }), text, calibrationOf(5));
      if (!isLevel('table')(graph)) throw new Error('a table graph');
      const seen = await expectSame(graph, uniformValues(randomOf(act), 50, 5, -1.5, 1.5));
      expect(seen.size).toBe(graph.nodes.length);
      expect((await compile(graph)).manifest.layers.map((l) => l.op)).toContain('bucketize');
    }
  });
});
