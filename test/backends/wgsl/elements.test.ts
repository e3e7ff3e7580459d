/** Ops that work element by element, quantizers and norms: several to a graph, because shaders take long to compile. */
import { describe, expect, it } from 'vitest';
import type { Builder } from '../../../src/ir/builder.js';
import { constant } from '../../../src/ir/constant.js';
import { F32, int, uint } from '../../../src/ir/element.js';
import type { ValueName } from '../../../src/ir/graph.js';
import type { RequantizeAttrs } from '../../../src/ir/ops/requantize.js';
import { type Quantizer, thresholdList } from '../../../src/ir/quantizer.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { multiplierFor, shiftFor } from '../../../src/numeric/fixed-point.js';
import { floatAt, HIGHEST, LOWEST, orderOf } from '../../../src/numeric/float-order.js';
import { type Random, randomOf } from '../../support/random.js';
import { SPECIAL } from '../../support/special-floats.js';
import { filled, tableBuilder, uniform } from '../wasm/random.js';
import { anyWindow, normOp, sumOp, toCodes } from '../wasm/random-images.js';
import { finish } from '../wasm/support.js';
import { expectSame, gpuOfFile, skipsGpu } from './support.js';

const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);
const codesOf = (r: Random, count: number, levels: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => r.whole(0, levels - 1));
const codes = (b: Builder<'table'>, shape: ReadonlyArray<number>, levels: number): ValueName =>
  b.input('x', valueType(uint(8), shape, uniform(levels)));

/** Every threshold of every feature with its neighbours among the floats, and the values that break quantizers. */
const probes = (q: Quantizer, features: number): ReadonlyArray<number> => {
  const lists = Array.from({ length: features }, (_, f) => [...thresholdList(q, f)]).flat();
  const near = lists
    .filter(Number.isFinite)
    .flatMap((t) => [-1, 0, 1].map((d) => floatAt(Math.min(HIGHEST, Math.max(LOWEST, orderOf(t) + d)))));
  return [...SPECIAL, ...near];
};

describe.skipIf(skipsGpu)('quantizers equal their thresholds for every f32 that matters', () => {
  const gpu = gpuOfFile();
  const sorted = (values: ReadonlyArray<number>): Float32Array => Float32Array.from(values).sort();
  const random = randomOf(1);
  const listed = (rows: number, levels: number, lists: Float32Array): Quantizer => ({
    _tag: 'thresholds',
    thresholds: constant(F32, [rows, levels - 1], lists),
    values: filled(F32, [rows, levels], () => 0),
    levels,
  });

  it.each([
    { name: 'uniform', q: uniform(64, -2, 0.0625), features: 3 },
    { name: 'uniform, denormal', q: uniform(5, -1e-40, 1e-38), features: 2 },
    { name: 'uniform, 16 bits', q: uniform(65536, -100, 1 / 300), features: 2 },
    { name: 'two levels', q: uniform(2, 3, 7), features: 5 },
    {
      name: 'uniform per feature',
      q: {
        _tag: 'uniform' as const,
        lo: filled(F32, [17], () => random.unit() - 0.5),
        step: filled(F32, [17], () => 0.01 + random.unit() / 10),
        levels: 12,
      },
      features: 17,
    },
    {
      name: 'any thresholds',
      q: listed(
        1,
        100,
        sorted(Array.from({ length: 99 }, () => (random.unit() - 0.5) * 10 ** random.whole(-44, 38))),
      ),
      features: 4,
    },
    {
      name: 'per feature, repeated and infinite',
      q: listed(
        3,
        5,
        Float32Array.of(
          Number.NEGATIVE_INFINITY,
          -1,
          -1,
          0,
          0,
          0,
          -0,
          0,
          -0,
          1,
          Number.POSITIVE_INFINITY,
          Number.POSITIVE_INFINITY,
        ),
      ),
      features: 3,
    },
  ])('$name', async ({ q, features }) => {
    const b = tableBuilder();
    const x = b.input('x', floatType([features]));
    const graph = finish(
      b,
      b.add('q', { kind: 'quantize', attrs: { quantizer: q, bits: 16, nan: 'zero' } }, [x]),
    );
    const all = probes(q, q.levels > 1000 ? 1 : features);
    const stride = Math.max(1, Math.floor(all.length / 3000));
    const values = all.filter((_, k) => k < 200 || k % stride === 0);
    const data = Float32Array.from(
      { length: values.length * features },
      (_, k) => values[Math.floor(k / features)]!,
    );
    await expectSame(gpu(), graph, data, { schedule: 'layers' });
  });
});

describe.skipIf(skipsGpu)('dequantize', () => {
  const gpu = gpuOfFile();

  it('rounds as f32 does, denormals and overflow included, whatever the accumulator and the scale', async () => {
    const r = randomOf(4);
    const extremes = [
      0,
      1,
      -1,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 24,
      2 ** 24 + 1,
      -(2 ** 24) - 3,
      2 ** 25 + 2,
      2 ** 30 - 1,
    ];
    const accumulators = [...extremes];
    while (accumulators.length < 256) accumulators.push(Math.round((r.unit() - 0.5) * 2 ** r.whole(1, 32)));
    const scales = [
      0,
      -0,
      1,
      -1,
      2 ** -149,
      2 ** -126,
      -(2 ** -126) + 2 ** -149,
      3.4028234663852886e38,
      2 ** 97,
      2 ** -150 * 3,
    ];
    while (scales.length < 400) {
      scales.push((r.unit() + 0.5) * 2 ** r.whole(-150, 127) * r.pick([1, -1]));
    }
    const bounds = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
    const table = filled(int(32), [1, 256], () => 0);
    table.data.set(accumulators.map((a) => Math.max(bounds.lo, Math.min(bounds.hi, a))));
    const scale = constant(F32, [scales.length], Float32Array.from(scales));
    const b = tableBuilder();
    const x = codes(b, [scales.length], 256);
    const s = b.add('s', { kind: 'table.sum', attrs: { tables: [table], scale, acc: 32, ...bounds } }, [x]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [s]));
    const data = Uint8Array.from({ length: 256 * scales.length }, (_, k) => Math.floor(k / scales.length));
    await expectSame(gpu(), graph, data, { schedule: 'layers' });
  });
});

describe.skipIf(skipsGpu)('bucketize', () => {
  const gpu = gpuOfFile();

  it.each([
    { rows: 1, levels: 256, bits: 8 },
    { rows: 6, levels: 3000, bits: 20 },
    { rows: 6, levels: 2, bits: 32 },
  ])('$rows rows of $levels levels, sums of $bits bits', async ({ rows, levels, bits }) => {
    const r = randomOf(levels);
    const b = tableBuilder();
    const x = codes(b, [6, 2, 2], 256);
    const top = 2 ** (bits - 1) - 1;
    const any = (): number => r.pick([top, -top - 1, r.whole(-top - 1, top)]);
    const table = filled(int(32), [1, 256], any);
    const bounds = { lo: -top - 1, hi: top };
    const s = b.add('s', { kind: 'table.sum', attrs: { tables: [table], scale: 1, acc: 32, ...bounds } }, [
      x,
    ]);
    // Thresholds are sums that occur, one beside them, and the ends; some stand twice.
    const thresholds = new Int32Array(rows * (levels - 1));
    for (let row = 0; row < rows; row++) {
      const list = Int32Array.from({ length: levels - 1 }, () =>
        Math.min(top, table.data[r.whole(0, 255)]! + r.whole(0, 1)),
      );
      thresholds.set(list.sort(), row * (levels - 1));
    }
    const attrs = {
      thresholds: constant(int(32), [rows, levels - 1], thresholds),
      bits: 12,
      quantizer: uniform(levels),
    };
    const graph = finish(b, b.add('codes', { kind: 'bucketize', attrs }, [s]));
    await expectSame(gpu(), graph, codesOf(r, 24 * 40, 256), { schedule: r.pick(['fused', 'layers']) });
  });
});

const SHAPES: ReadonlyArray<ReadonlyArray<number>> = [[1], [50], [8, 3, 7], [4, 9]];

describe.skipIf(skipsGpu)('chains of ops on elements', () => {
  const gpu = gpuOfFile();

  it.each(SHAPES)('shape %j %j %j', async (...shape) => {
    const r = randomOf(sizeOf(shape));
    const channels = shape[0]!;
    const b = tableBuilder();
    const x = codes(b, shape, 256);
    const map = filled(uint(9), [channels, 256], () => r.whole(0, 299));
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 9, quantizer: uniform(300) } }, [x]);
    const s = b.add('s', sumOp(r, channels, [300, 256, 300], 16), [c, x, c]);
    const h = toCodes(r, b, 'h', s, 200);
    const far = b.add('far', sumOp(r, channels, [200], 26), [h]);
    const ratio = 64 / 2 ** 26;
    const shift = shiftFor(ratio * 1.5, 64);
    const mul = (): number => multiplierFor(ratio * (0.5 + r.unit()), shift);
    const attrs: RequantizeAttrs = {
      mul: r.chance(0.5) ? mul() : filled(int(32), [channels], mul),
      shift,
      bits: 8,
      quantizer: uniform(64),
      bias: filled(int(32), [channels], () => r.whole(0, 2 ** 26)),
    };
    const near = b.add('near', { kind: 'requantize', attrs }, [far]);
    const picked = b.add(
      'picked',
      { kind: 'gather', attrs: { indices: filled(uint(8), [5], () => r.whole(0, channels - 1)) } },
      [near],
    );
    const joined = b.add('joined', { kind: 'concat', attrs: {} }, [picked, near, picked]);
    const flat = b.add('flat', { kind: 'reshape', attrs: { shape: [sizeOf(b.typeOf(joined).shape)] } }, [
      joined,
    ]);
    const size = sizeOf(b.typeOf(flat).shape);
    const t = b.add('t', sumOp(r, size, [64], 8), [flat]);
    const side = () => filled(uint(16), [9], () => r.whole(0, size));
    const p = b.add('p', { kind: 'multiply', attrs: { left: side(), right: side() } }, [t]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [p]));
    const manifest = await expectSame(gpu(), graph, codesOf(r, 4 * sizeOf(shape), 256));
    expect(manifest.layers.find(({ name }) => name === 'near')?.form).toContain('split');
    expect(manifest.program.schedule).toBe('fused');
  });

  it.each(Array.from({ length: 6 }, (_, seed) => seed))('random norm and pool %i', async (seed) => {
    const r = randomOf(seed + 300);
    const shape = [r.pick([1, 3, 8]), r.whole(2, 12), r.whole(2, 12)] as const;
    const b = tableBuilder();
    const x = codes(b, shape, 16);
    const s = b.add('s', sumOp(r, shape[0], [16], r.pick([2, 6, 11])), [x]);
    const over = r.pick(['sample', 'channel'] as const);
    const levels = r.pick([2, 16, 200]);
    const q = b.add('q', normOp(r, shape[0], over, levels, seed % 2 === 0), [s]);
    const u = b.add('u', sumOp(r, shape[0], [levels], r.pick([6, 14])), [q]);
    const reduce = r.pick(['mean', 'max'] as const);
    const any = anyWindow(r, shape, 1);
    const padding = [
      Math.min(any.padding[0], any.kernel[0] - 1),
      Math.min(any.padding[1], any.kernel[1] - 1),
    ] as const;
    const window =
      reduce === 'mean'
        ? any
        : { ...any, padding: r.chance(0.5) ? padding : ([0, 0] as const), dilation: [1, 1] as const };
    const fits = window.kernel.every((k, axis) => k <= shape[axis + 1]! + 2 * window.padding[axis]!);
    const output = fits ? b.add('p', { kind: 'pool', attrs: { reduce, window } }, [u]) : u;
    const size = sizeOf(shape);
    // Random, constant, and constant but for one element.
    const data = new Uint8Array(3 * size);
    data.set(codesOf(r, size, 16));
    data.fill(7, size);
    data[3 * size - 1] = 15;
    await expectSame(gpu(), finish(b, output), data, { schedule: r.pick(['fused', 'layers']) });
  });

  it('a norm over a large group', async () => {
    const r = randomOf(12);
    const b = tableBuilder();
    const s = b.add('s', sumOp(r, 20, [16], 11), [codes(b, [20, 40, 40], 16)]);
    const graph = finish(b, b.add('q', normOp(r, 20, 'sample', 200, false), [s]));
    await expectSame(gpu(), graph, codesOf(r, 2 * 32000, 16));
  });
});
