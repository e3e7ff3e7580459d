import { describe, expect, it } from 'vitest';
import type { Builder } from '../../../src/ir/builder.js';
import { int, uint } from '../../../src/ir/element.js';
import type { ValueName } from '../../../src/ir/graph.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import type { Window } from '../../../src/ir/window.js';
import { type Random, randomOf } from '../../support/random.js';
import { edgeOp, filled, tableBuilder, uniform } from './random.js';
import { anyWindow, convBasis, convEdge, levelsIn, shapeOf, toCodes } from './random-images.js';
import { compile, expectSame, finish } from './support.js';

const codesOf = (r: Random, count: number, levels: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => r.whole(0, levels - 1));

/** An image of codes as the input of a graph. */
const codes = (b: Builder<'table'>, shape: ReadonlyArray<number>, levels: number): ValueName =>
  b.input('x', valueType(uint(8), shape, uniform(levels)));

const plain: Window = { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };

describe('edge tables over windows', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('random layer %i', async (seed) => {
    const r = randomOf(seed + 1);
    const shape = [r.pick([1, 2, 3, 6, 8]), r.whole(1, 9), r.whole(1, 9)] as const;
    const levels = r.pick([2, 5, 16, 256]);
    const b = tableBuilder();
    const x = codes(b, shape, levels);
    const window = anyWindow(r, shape, r.pick([1, 1, 2, shape[0]]));
    const outputs = r.pick([1, 3, 8, 16, 24, r.whole(1, 100)]);
    const sums = b.add('sums', convEdge(r, shape, levels, outputs, r.pick([3, 6, 8, 8, 12]), window), [x]);
    const seen = await expectSame(finish(b, sums), codesOf(r, 2 * shape[0] * shape[1] * shape[2], levels));
    expect(seen.has('sums')).toBe(true);
  });

  it.each([
    { name: 'sums over 16 bits', channels: 28, outputs: 21, bits: 8, form: /unsigned/ },
    { name: 'more inputs than 16 bits hold', channels: 64, outputs: 90, bits: 8, form: /flushed/ },
    { name: '16-bit entries', channels: 5, outputs: 50, bits: 16, form: /split16/ },
    { name: '12-bit entries, 16-bit sums', channels: 1, outputs: 90, bits: 12, form: /direct16/ },
  ])('$name', async ({ channels, outputs, bits, form }) => {
    const r = randomOf(channels);
    const b = tableBuilder();
    const shape = [channels, 5, 4] as const;
    const x = codes(b, shape, 7);
    let k = 0;
    const op = convEdge(r, shape, 7, outputs, bits, plain);
    if (op.kind !== 'table.edge') throw new Error('edge expected');
    // Wide columns: no groups of inputs, the largest sums.
    const rows = 8;
    const top = 2 ** (bits - 1) - 1;
    const table = filled(int(bits), [channels * 9, rows, outputs], () =>
      Math.floor(k++ / outputs) % rows < 1 ? -top - 1 : r.chance(0.5) ? top : r.whole(-top, top),
    );
    const bound = (top + 1) * channels * 9 + 4000;
    const { slabs: _, ...rest } = op.attrs;
    const bias = filled(int(32), [outputs], () => 3000);
    const range = bits === 12 ? { acc: 16, lo: -22432, hi: 22432 } : { acc: 32, lo: -bound, hi: bound };
    const sums = b.add('sums', { kind: 'table.edge', attrs: { ...rest, table, bias, ...range } }, [x]);
    const graph = finish(b, sums);
    expect((await compile(graph)).manifest.layers.at(-1)?.form).toMatch(form);
    await expectSame(graph, codesOf(r, 2 * channels * 20, 7));
    await expectSame(graph, new Uint8Array(channels * 20));
  });

  it('depthwise, and groups of several tiles', async () => {
    for (const [channels, groups, outputs] of [
      [16, 16, 1],
      [6, 3, 100],
    ] as const) {
      const r = randomOf(groups);
      const b = tableBuilder();
      const shape = [channels, 6, 5] as const;
      const x = codes(b, shape, 32);
      const sums = b.add('sums', convEdge(r, shape, 32, outputs, 8, { ...plain, groups }), [x]);
      await expectSame(finish(b, sums), codesOf(r, 3 * channels * 30, 32));
    }
  });

  it('16-bit codes, a window as large as the image, a window of one position', async () => {
    const r = randomOf(4);
    const b = tableBuilder();
    const x = b.input('x', floatType([2, 5, 4]));
    const quantizer = uniform(700, -2, Math.fround(4 / 700));
    const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 10, nan: 'zero' } }, [x]);
    const whole = { ...plain, kernel: [5, 4], padding: [0, 0] } as const;
    const sums = b.add('sums', convEdge(r, [2, 5, 4], 700, 9, 8, whole), [q]);
    await expectSame(
      finish(b, sums),
      Float32Array.from({ length: 80 }, () => 4 * r.unit() - 2),
    );
  });
});

describe('basis tables over windows', () => {
  it.each(Array.from({ length: 50 }, (_, seed) => seed))('random layer %i', async (seed) => {
    const r = randomOf(seed + 500);
    const shape = [r.pick([1, 2, 3, 6, 8]), r.whole(1, 8), r.whole(1, 8)] as const;
    const levels = r.pick([2, 9, 64]);
    const b = tableBuilder();
    const x = codes(b, shape, levels);
    const window = anyWindow(r, shape, r.pick([1, 1, 2, shape[0]]));
    const form = {
      order: r.whole(0, 4),
      base: r.chance(0.6),
      rows: r.pick([1, 1, 3]),
      coefBits: r.pick([3, 8, 8, 12]),
      basisBits: r.pick([1, 3, 8]),
      shift: r.pick([0, 2, 9]),
      baseBits: r.pick([8, 12]),
    };
    const outputs = r.pick([1, 3, 8, 12, 16, r.whole(1, 70)]);
    const sums = b.add('sums', convBasis(r, shape, levels, outputs, form, window), [x]);
    await expectSame(finish(b, sums), codesOf(r, 2 * shape[0] * shape[1] * shape[2], levels));
  });

  it('many inputs', async () => {
    const r = randomOf(9);
    const b = tableBuilder();
    const shape = [48, 4, 5] as const;
    const form = { order: 3, base: true, rows: 1, coefBits: 8, basisBits: 7, shift: 0, baseBits: 9 };
    const sums = b.add('sums', convBasis(r, shape, 64, 66, form, plain), [codes(b, shape, 64)]);
    await expectSame(finish(b, sums), codesOf(r, 2 * 48 * 20, 64));
  });
});

describe('networks of images', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('random chain %i', async (seed) => {
    const r = randomOf(seed + 900);
    const b = tableBuilder();
    const shape = [r.pick([1, 3]), r.whole(6, 13), r.whole(6, 13)] as const;
    const floats = r.chance(0.5);
    const x = b.input('x', floats ? floatType(shape) : valueType(uint(8), shape));
    const quantizer = uniform(32, -2, 0.125);
    const map = filled(uint(8), [r.pick([1, shape[0]]), 256], () => r.whole(0, 31));
    const q = floats
      ? b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 5, nan: 'zero' } }, [x])
      : b.add('q', { kind: 'recode', attrs: { map, bits: 5, quantizer } }, [x]);
    const first = b.add('first', convEdge(r, shape, 32, 8, 8, plain), [q]);
    const h1 = toCodes(r, b, 'h1', first, 16);
    const form = { order: 3, base: true, rows: 1, coefBits: 8, basisBits: 7, shift: 0, baseBits: 8 };
    const strided = { ...plain, stride: [2, 2] as const, groups: r.pick([1, 2]) };
    const second = b.add('second', convBasis(r, shapeOf(b, h1), 16, 5, form, strided), [h1]);
    const pooled = b.add(
      'pooled',
      {
        kind: 'pool',
        attrs: {
          reduce: r.pick(['mean', 'max'] as const),
          window: { ...plain, kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
        },
      },
      [second],
    );
    const h2 = toCodes(r, b, 'h2', pooled, levelsIn(b, h1));
    const features = b.typeOf(h2).shape.reduce((n, d) => n * d, 1);
    const flat = b.add('flat', { kind: 'reshape', attrs: { shape: [features] } }, [h2]);
    // Sometimes the flat value has another reader, and is then materialised.
    if (r.chance(0.5)) b.add('side', edgeOp(r, features, 16, 3, 8), [flat]);
    const last = b.add('last', edgeOp(r, features, 16, 10, 8), [flat]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [last]));
    const size = 3 * shape[0] * shape[1] * shape[2];
    const data = floats
      ? Float32Array.from({ length: size }, () => 5 * r.unit() - 2.5)
      : codesOf(r, size, 256);
    const seen = await expectSame(graph, data);
    for (const name of ['q', 'first', 'h1', 'second', 'pooled', 'h2', 'last', 'y']) {
      expect(seen.has(name), name).toBe(true);
    }
  });

  it('give images as results, channels first, in batches of any size', async () => {
    const r = randomOf(31);
    const b = tableBuilder();
    const shape = [3, 5, 7] as const;
    const sums = b.add('sums', convEdge(r, shape, 9, 6, 8, plain), [codes(b, shape, 9)]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [sums]));
    const { capacity } = (await compile(graph)).manifest.memory;
    await expectSame(graph, codesOf(r, (2 * capacity + 1) * 105, 9));
  });
});
