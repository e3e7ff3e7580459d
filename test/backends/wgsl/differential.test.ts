/** Random layers and networks: every word of every value equals the interpreter's, in both schedules. */
import { describe, expect, it } from 'vitest';
import type { Builder } from '../../../src/ir/builder.js';
import { int, uint } from '../../../src/ir/element.js';
import type { Graph, ValueName } from '../../../src/ir/graph.js';
import { sizeOf, valueType } from '../../../src/ir/types.js';
import type { Window } from '../../../src/ir/window.js';
import { type Random, randomOf } from '../../support/random.js';
import { basisOp, edgeOp, filled, network, tableBuilder, uniform } from '../wasm/random.js';
import { anyWindow, convBasis, convEdge, levelsIn, shapeOf, toCodes } from '../wasm/random-images.js';
import { finish } from '../wasm/support.js';
import { expectSame, gpuOfFile, skipsGpu } from './support.js';

const codesOf = (r: Random, count: number, levels: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => r.whole(0, levels - 1));
const codes = (b: Builder<'table'>, shape: ReadonlyArray<number>, levels: number): ValueName =>
  b.input('x', valueType(uint(8), shape, uniform(levels)));
const features = (graph: Graph): number => sizeOf(graph.inputs[0]!.type);
const seeds = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, seed) => seed);
const SCHEDULES = ['fused', 'layers'] as const;

describe.skipIf(skipsGpu)('edge tables', () => {
  const gpu = gpuOfFile();

  it.each(seeds(6))('random network %i', async (seed) => {
    const r = randomOf(seed + 1);
    const inputs = r.whole(1, 70);
    const levels = r.whole(2, r.pick([4, 16, 64, 256]));
    const b = tableBuilder();
    const form = { shared: r.chance(0.3), narrow: r.chance(0.5) };
    const layer = edgeOp(r, inputs, levels, r.whole(1, r.pick([9, 40, 150])), r.pick([2, 4, 6, 8, 10]), form);
    const graph = network(r, b, codes(b, [inputs], levels), layer, r.whole(2, 256));
    await expectSame(gpu(), graph, codesOf(r, inputs * 5, levels), { schedule: r.pick(SCHEDULES) });
  });

  it.each([
    { bits: 3, form: '8 to a word' },
    { bits: 8, form: '4 to a word' },
    { bits: 15, form: '2 to a word' },
    { bits: 24, form: '1 to a word' },
  ])('entries of $bits bits: $form', async ({ bits, form }) => {
    const r = randomOf(bits);
    const b = tableBuilder();
    const graph = finish(b, b.add('sums', edgeOp(r, 40, 5, 21, bits), [codes(b, [40], 5)]));
    for (const schedule of SCHEDULES) {
      const manifest = await expectSame(gpu(), graph, codesOf(r, 40 * 7, 5), { schedule });
      expect(manifest.layers.at(-1)?.form).toBe(form);
    }
  });

  it('sums that reach the ends of 16-bit pairs', async () => {
    for (const inputs of [257, 1100]) {
      const r = randomOf(inputs);
      const b = tableBuilder();
      const x = b.input('x', valueType(uint(1), [inputs], uniform(2)));
      let k = 0;
      const table = filled(int(8), [inputs, 2, 6], () => (Math.floor(k++ / 6) % 2 ? 127 : -128));
      const bound = 128 * inputs;
      const attrs = { table, scale: 1, acc: 32, lo: -bound, hi: bound };
      const graph = finish(b, b.add('sums', { kind: 'table.edge', attrs }, [x]));
      const data = new Uint8Array(3 * inputs).fill(1, 0, inputs);
      data.set(codesOf(r, inputs, 2), 2 * inputs);
      for (const schedule of SCHEDULES) await expectSame(gpu(), graph, data, { schedule });
    }
  });

  it('tables that are split because they exceed what is bound at once', async () => {
    const r = randomOf(77);
    const b = tableBuilder();
    const shared = edgeOp(r, 60, 16, 24, 8, { shared: true });
    const x = codes(b, [60], 16);
    const sums = b.add('sums', shared, [x]);
    const again = b.add('again', edgeOp(r, 60, 16, 24, 8), [x]);
    expect(b.typeOf(again).shape).toEqual([24]);
    for (const [output, op] of [
      [sums, 'sums'],
      [again, 'again'],
    ] as const) {
      const manifest = await expectSame(gpu(), finish(b, output), codesOf(r, 60 * 5, 16), {
        bindingBytes: 4096,
      });
      expect(manifest.program.pages.length).toBeGreaterThan(1);
      expect(manifest.layers.find(({ name }) => name === op)?.form).toContain('parts');
    }
  });
});

describe.skipIf(skipsGpu)('basis tables', () => {
  const gpu = gpuOfFile();

  it.each(seeds(8))('random layer %i', async (seed) => {
    const r = randomOf(seed + 40);
    const inputs = r.whole(1, 60);
    const levels = r.pick([2, 9, 64, 256]);
    const form = {
      order: r.whole(0, 6),
      base: r.chance(0.6),
      rows: r.pick([1, 1, 3]),
      coefBits: r.pick([3, 8, 8, 12]),
      basisBits: r.pick([1, 7, 8, 8, 10]),
      shift: r.pick([0, 2, 5]),
      baseBits: r.pick([8, 12]),
    };
    const b = tableBuilder();
    const layer = basisOp(r, inputs, levels, r.pick([1, 3, 8, 10, 50]), form);
    const graph = finish(b, b.add('sums', layer, [codes(b, [inputs], levels)]));
    await expectSame(gpu(), graph, codesOf(r, inputs * 5, levels), {
      schedule: r.pick(SCHEDULES),
      packedDot: r.chance(0.5),
    });
  });

  it('extreme factors, with dot4U8Packed and without', async () => {
    const r = randomOf(8);
    const form = { order: 3, base: true, rows: 1, coefBits: 8, basisBits: 8, shift: 4, baseBits: 12 };
    const b = tableBuilder();
    const op = basisOp(r, 33, 16, 12, form);
    if (op.kind !== 'table.basis') throw new Error('basis expected');
    for (const [c, v] of [
      [-128, 255],
      [127, 255],
    ] as const) {
      op.attrs.coefficients.data.fill(c);
      op.attrs.basis.data.fill(v);
      const bound = 2 ** 27;
      const { bias: _, ...rest } = op.attrs;
      const attrs = { ...rest, acc: 32, lo: -bound, hi: bound };
      const each = tableBuilder();
      const graph = finish(each, each.add('sums', { kind: 'table.basis', attrs }, [codes(each, [33], 16)]));
      for (const packedDot of [true, false]) {
        const manifest = await expectSame(gpu(), graph, codesOf(r, 99, 16), { packedDot });
        expect(manifest.layers.at(-1)?.form).toBe('dot products');
      }
    }
    expect(b.typeOf(codes(b, [1], 2)).shape).toEqual([1]);
    // SwiftShader has the feature, so that both ways have run.
    expect(gpu().hasPackedDot).toBe(true);
  });

  it('coefficients that are split because they exceed what is bound at once', async () => {
    const r = randomOf(78);
    for (const coefBits of [8, 12]) {
      const form = { order: 3, base: true, rows: 2, coefBits, basisBits: 7, shift: 0, baseBits: 8 };
      const b = tableBuilder();
      const graph = finish(b, b.add('sums', basisOp(r, 50, 9, 30, form), [codes(b, [50], 9)]));
      const manifest = await expectSame(gpu(), graph, codesOf(r, 150, 9), { bindingBytes: 8192 });
      expect(manifest.layers.at(-1)?.form).toContain('parts');
    }
  });
});

const plain: Window = { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };

describe.skipIf(skipsGpu)('images', () => {
  const gpu = gpuOfFile();

  it.each(seeds(6))('edge tables over windows, random layer %i', async (seed) => {
    const r = randomOf(seed + 1);
    const shape = [r.pick([1, 2, 3, 6, 8]), r.whole(1, 9), r.whole(1, 9)] as const;
    const levels = r.pick([2, 5, 16, 256]);
    const b = tableBuilder();
    const window = anyWindow(r, shape, r.pick([1, 1, 2, shape[0]]));
    const layer = convEdge(r, shape, levels, r.pick([1, 3, 8, 24]), r.pick([3, 6, 8, 12]), window);
    const graph = finish(b, b.add('sums', layer, [codes(b, shape, levels)]));
    await expectSame(gpu(), graph, codesOf(r, 2 * features(graph), levels), {
      schedule: r.pick(SCHEDULES),
      ...(r.chance(0.3) ? { bindingBytes: 16384 } : {}),
    });
  });

  it.each(seeds(6))('basis tables over windows, random layer %i', async (seed) => {
    const r = randomOf(seed + 500);
    const shape = [r.pick([1, 2, 3, 6, 8]), r.whole(1, 8), r.whole(1, 8)] as const;
    const levels = r.pick([2, 9, 64]);
    const form = {
      order: r.whole(0, 4),
      base: r.chance(0.6),
      rows: r.pick([1, 1, 3]),
      coefBits: r.pick([3, 8, 8, 12]),
      basisBits: r.pick([1, 3, 8]),
      shift: r.pick([0, 2, 9]),
      baseBits: r.pick([8, 12]),
    };
    const b = tableBuilder();
    const window = anyWindow(r, shape, r.pick([1, 1, 2, shape[0]]));
    const layer = convBasis(r, shape, levels, r.pick([1, 3, 8, 16]), form, window);
    const graph = finish(b, b.add('sums', layer, [codes(b, shape, levels)]));
    await expectSame(gpu(), graph, codesOf(r, 2 * features(graph), levels), { schedule: r.pick(SCHEDULES) });
  });

  it.each(seeds(2))('random chain %i', async (seed) => {
    const r = randomOf(seed + 900);
    const b = tableBuilder();
    const shape = [r.pick([1, 3]), r.whole(6, 13), r.whole(6, 13)] as const;
    const x = b.input('x', valueType(uint(8), shape));
    const map = filled(uint(8), [r.pick([1, shape[0]]), 256], () => r.whole(0, 31));
    const q = b.add('q', { kind: 'recode', attrs: { map, bits: 5, quantizer: uniform(32, -2, 0.125) } }, [x]);
    const h1 = toCodes(r, b, 'h1', b.add('first', convEdge(r, shape, 32, 8, 8, plain), [q]), 16);
    const form = { order: 3, base: true, rows: 1, coefBits: 8, basisBits: 7, shift: 0, baseBits: 8 };
    const strided = { ...plain, stride: [2, 2] as const, groups: r.pick([1, 2]) };
    const second = b.add('second', convBasis(r, shapeOf(b, h1), 16, 5, form, strided), [h1]);
    const window = { ...plain, kernel: [2, 2] as const, stride: [2, 2] as const, padding: [0, 0] as const };
    const pooled = b.add('pooled', { kind: 'pool', attrs: { reduce: r.pick(['mean', 'max']), window } }, [
      second,
    ]);
    const h2 = toCodes(r, b, 'h2', pooled, levelsIn(b, h1));
    const flat = b.add('flat', { kind: 'reshape', attrs: { shape: [sizeOf(b.typeOf(h2))] } }, [h2]);
    const last = b.add('last', edgeOp(r, sizeOf(b.typeOf(h2)), 16, 10, 8), [flat]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [last]));
    const manifest = await expectSame(gpu(), graph, codesOf(r, 3 * sizeOf({ shape }), 256), {
      schedule: seed % 2 === 0 ? 'layers' : 'auto',
    });
    expect(manifest.program.values.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['q', 'first', 'h1', 'second', 'pooled', 'h2', 'last', 'y']),
    );
  });
});
