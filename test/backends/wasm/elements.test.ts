/** Ops that work element by element, or move elements. */
import { describe, expect, it } from 'vitest';
import type { Builder } from '../../../src/ir/builder.js';
import { F32, int, uint } from '../../../src/ir/element.js';
import type { ValueName } from '../../../src/ir/graph.js';
import type { RequantizeAttrs } from '../../../src/ir/ops/requantize.js';
import type { Quantizer } from '../../../src/ir/quantizer.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { fitsNarrow, fitsWide, multiplierFor, shiftFor } from '../../../src/numeric/fixed-point.js';
import { type Random, randomOf } from '../../support/random.js';
import { filled, tableBuilder, uniform } from './random.js';
import { anyWindow, normOp, sumOp, toCodes } from './random-images.js';
import { compile, expectSame, finish } from './support.js';

const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);
const codesOf = (r: Random, count: number, levels: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => r.whole(0, levels - 1));
const codes = (b: Builder<'table'>, shape: ReadonlyArray<number>, levels: number): ValueName =>
  b.input('x', valueType(uint(8), shape, uniform(levels)));

/** Shapes whose channels do and do not fill vectors. */
const SHAPES: ReadonlyArray<ReadonlyArray<number>> = [
  [1],
  [7],
  [16],
  [50],
  [1, 4, 5],
  [3, 5, 5],
  [8, 3, 7],
  [10, 1, 1],
  [33, 2, 3],
  [4, 9],
];

describe('constants of channels', () => {
  it.each(SHAPES)('quantize and dequantize %j %j %j', async (...shape) => {
    const r = randomOf(sizeOf(shape));
    const channels = shape[0]!;
    const quantizers: ReadonlyArray<Quantizer> = [
      {
        _tag: 'uniform',
        lo: filled(F32, [channels], () => r.unit() - 0.5),
        step: filled(F32, [channels], () => 0.01 + r.unit() / 10),
        levels: 12,
      },
      {
        _tag: 'thresholds',
        thresholds: filled(F32, [channels, 1], () => r.unit() - 0.5),
        values: filled(F32, [channels, 2], () => 0),
        levels: 2,
      },
    ];
    for (const quantizer of quantizers) {
      const b = tableBuilder();
      const x = b.input('x', floatType(shape));
      const { levels } = quantizer;
      const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan: 'zero' } }, [x]);
      const map = filled(uint(9), [channels, levels], () => r.whole(0, 299));
      const c = b.add('c', { kind: 'recode', attrs: { map, bits: 9, quantizer: uniform(300) } }, [q]);
      const s = b.add('s', sumOp(r, channels, [300, levels], 16), [c, q]);
      const h = toCodes(r, b, 'h', s, 200);
      const t = b.add('t', sumOp(r, channels, [200], 8), [h]);
      const y = b.add('y', { kind: 'dequantize', attrs: {} }, [t]);
      await expectSame(
        finish(b, y),
        Float32Array.from({ length: 3 * sizeOf(shape) }, () => 2 * r.unit() - 1),
      );
    }
  });

  it('tables of 8, 16 and 32 bits, accumulators of 16 and 32', async () => {
    for (const bits of [3, 8, 13, 16, 24]) {
      const r = randomOf(bits);
      const b = tableBuilder();
      const x = codes(b, [5, 2, 3], 11);
      const s = b.add('s', sumOp(r, 5, [11, 11, 11], bits), [x, x, x]);
      await expectSame(finish(b, s), codesOf(r, 90, 11));
    }
  });
});

describe('recode', () => {
  it.each([[1], [15], [16], [17], [784], [3, 5, 7]].map((shape) => ({ shape })))(
    'through a linear map: $shape',
    async ({ shape }) => {
      for (const levels of [2, 16, 64, 256]) {
        const r = randomOf(levels);
        const b = tableBuilder();
        const x = codes(b, shape, 256);
        let v = 0;
        const map = filled(uint(8), [1, 256], () => Math.floor((v++ * (levels - 1) + 127) / 255));
        const c = b.add('c', { kind: 'recode', attrs: { map, bits: 8, quantizer: uniform(levels) } }, [x]);
        const s = b.add('s', sumOp(r, shape[0]!, [levels, 256], 8), [c, x]);
        const graph = finish(b, s);
        const { layers } = (await compile(graph)).manifest;
        if (levels < 256) expect(layers.find((layer) => layer.op === 'recode')?.form).toBe('linear map');
        await expectSame(graph, codesOf(r, 5 * sizeOf(shape), 256));
      }
    },
  );
});

describe('requantize with split products', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('random op %i', async (seed) => {
    const r = randomOf(seed + 70);
    const shape = r.pick(SHAPES);
    const channels = shape[0]!;
    const levels = r.pick([2, 16, 64, 256]);
    const b = tableBuilder();
    const x = codes(b, shape, 256);
    const s = b.add('s', sumOp(r, channels, [256], 26), [x]);
    const ratio = levels / 2 ** r.whole(24, 27);
    const shift = shiftFor(ratio * 1.5, levels);
    const mul = (): number => multiplierFor(ratio * (0.5 + r.unit()), shift);
    const attrs: RequantizeAttrs = {
      mul: r.chance(0.5) ? mul() : filled(int(32), [channels], mul),
      shift,
      bits: 8,
      quantizer: uniform(levels),
      bias: filled(int(32), [channels], () => r.whole(0, 2 ** 26)),
    };
    const graph = finish(b, b.add('h', { kind: 'requantize', attrs }, [s]));
    expect((await compile(graph)).manifest.layers.at(-1)?.form).toContain('split');
    await expectSame(graph, codesOf(r, 4 * sizeOf(shape), 256));
  });

  it('at the ends of the form, and at every step between codes', async () => {
    for (const [mul, shift, levels] of [
      [2 ** 19 - 1, 22, 1000],
      [60000, 34, 256],
      [40000, 42, 2],
      [1, 34, 256],
      [3, 13, 2],
    ] as const) {
      if (!fitsWide(mul, shift, levels)) throw new Error('not wide');
      // Accumulators around the step to every code that 32 bits reach, and the extremes.
      const steps = Array.from({ length: 255 }, (_, k) => {
        const code = 1 + (k % (levels - 1));
        const at = Math.ceil((code * 2 ** shift - 2 ** (shift - 1)) / mul) - (k % 3) + 1;
        return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, at));
      });
      const values = [...steps, 2 ** 31 - 1];
      const b = tableBuilder();
      const x = codes(b, [16], 256);
      const bounds = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
      const table = filled(int(32), [1, 256], () => values.shift() ?? 0);
      const s = b.add('s', { kind: 'table.sum', attrs: { tables: [table], scale: 1, acc: 32, ...bounds } }, [
        x,
      ]);
      const attrs = { mul, shift, bits: 10, quantizer: uniform(levels) };
      const graph = finish(b, b.add('h', { kind: 'requantize', attrs }, [s]));
      const isSplit = (await compile(graph)).manifest.layers.at(-1)?.form.includes('split');
      expect(isSplit).toBe(!fitsNarrow(mul, shift, levels));
      await expectSame(
        graph,
        Uint8Array.from({ length: 256 }, (_, c) => c),
      );
    }
  });
});

describe('norms', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('random norm %i', async (seed) => {
    const r = randomOf(seed + 300);
    const shape = r.pick([...SHAPES, [3, 40, 40], [300]]);
    const channels = shape[0]!;
    const b = tableBuilder();
    const x = codes(b, shape, 16);
    const s = b.add('s', sumOp(r, channels, [16], r.pick([2, 6, 11])), [x]);
    const over = r.pick(['sample', 'channel'] as const);
    const levels = r.pick([2, 16, 200, 1000]);
    const q = b.add('q', normOp(r, channels, over, levels, seed % 2 === 0), [s]);
    const graph = finish(b, q);
    const size = sizeOf(shape);
    // Random, constant, and constant but for one element.
    const data = new Uint8Array(3 * size);
    data.set(codesOf(r, size, 16));
    data.fill(7, size);
    data[3 * size - 1] = 15;
    await expectSame(graph, data);
  });
});

describe('pools', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('random pool %i', async (seed) => {
    const r = randomOf(seed + 600);
    const shape = [r.pick([1, 3, 4, 6, 8, 17]), r.whole(1, 9), r.whole(1, 9)] as const;
    const reduce = r.pick(['mean', 'max'] as const);
    const any = anyWindow(r, shape, 1);
    const padding = [
      Math.min(any.padding[0], any.kernel[0] - 1),
      Math.min(any.padding[1], any.kernel[1] - 1),
    ] as const;
    const window = reduce === 'mean' ? any : { ...any, padding, dilation: [1, 1] as const };
    if (window.kernel[0] > shape[1] + 2 * window.padding[0]) return;
    if (window.kernel[1] > shape[2] + 2 * window.padding[1]) return;
    const b = tableBuilder();
    const x = codes(b, shape, 16);
    const s = b.add('s', sumOp(r, shape[0], [16], r.pick([6, 14, 20])), [x]);
    const graph = finish(b, b.add('p', { kind: 'pool', attrs: { reduce, window } }, [s]));
    await expectSame(graph, codesOf(r, 2 * sizeOf(shape), 16));
  });
});

describe('moves', () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed))('random moves %i', async (seed) => {
    const r = randomOf(seed + 800);
    const shape = [r.pick([1, 2, 6]), r.pick([1, 4]), r.pick([1, 3, 6])] as const;
    const b = tableBuilder();
    const wide = r.chance(0.5);
    const x = wide ? b.input('x', floatType(shape)) : codes(b, shape, 16);
    const quantizer = uniform(500, -2, Math.fround(4 / 500));
    const q = wide ? b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 9, nan: 'zero' } }, [x]) : x;
    const picked = b.add(
      'picked',
      {
        kind: 'gather',
        attrs: { indices: filled(uint(8), [r.whole(1, 9)], () => r.whole(0, shape[0] - 1)) },
      },
      [q],
    );
    const joined = b.add(
      'joined',
      { kind: 'concat', attrs: {} },
      r.chance(0.5) ? [picked, q] : [q, picked, q],
    );
    const size = sizeOf(b.typeOf(joined).shape);
    const divisors = Array.from({ length: size }, (_, d) => d + 1).filter((d) => size % d === 0);
    const first = r.pick(divisors);
    const target = r.pick([
      [size],
      [first, size / first],
      [first, 1, size / first],
      [1, first, size / first],
    ]);
    const other = b.add('other', { kind: 'reshape', attrs: { shape: target } }, [joined]);
    const back = b.add('back', { kind: 'reshape', attrs: { shape: [size] } }, [other]);
    const s = b.add('s', sumOp(r, size, [wide ? 500 : 16], 8), [back]);
    const data = Array.from({ length: 2 * sizeOf(shape) }, () =>
      wide ? 5 * r.unit() - 2.5 : r.whole(0, 15),
    );
    await expectSame(finish(b, s), wide ? Float32Array.from(data) : Uint8Array.from(data));
    await expectSame(finish(b, back), wide ? Float32Array.from(data) : Uint8Array.from(data));
  });

  it('multiply: products, and an index that stands for 1', async () => {
    const r = randomOf(5);
    for (const bits of [8, 16]) {
      const b = tableBuilder();
      const x = codes(b, [9], 16);
      const s = b.add('s', sumOp(r, 9, [16], bits), [x]);
      const side = () => filled(uint(8), [21], () => r.whole(0, 9));
      const p = b.add('p', { kind: 'multiply', attrs: { left: side(), right: side() } }, [s]);
      await expectSame(finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [p])), codesOf(r, 90, 16));
    }
  });

  it('reshapes of inputs and results of floats', async () => {
    const b = tableBuilder();
    const x = b.input('x', floatType([24]));
    const image = b.add('image', { kind: 'reshape', attrs: { shape: [2, 3, 4] } }, [x]);
    const quantizer = uniform(9, -1, 0.25);
    const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan: 'zero' } }, [image]);
    const s = b.add('s', sumOp(randomOf(1), 2, [9], 8), [q]);
    const y = b.add('y', { kind: 'dequantize', attrs: {} }, [s]);
    const r = randomOf(2);
    await expectSame(
      finish(b, y),
      Float32Array.from({ length: 72 }, () => 3 * r.unit() - 1.5),
    );
  });
});
