import { describe, expect, it } from 'vitest';
import { int, uint } from '../../../src/ir/element.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { type Random, randomOf } from '../../support/random.js';
import { basisOp, edgeOp, filled, network, rangeOf, requantizeOp, tableBuilder, uniform } from './random.js';
import { compile, expectSame, finish } from './support.js';

const bytes = (r: Random, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => r.whole(0, 255));
const floats = (r: Random, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => (r.unit() - 0.5) * 4);

const bitsFor = (levels: number): number => Math.max(1, Math.ceil(Math.log2(levels)));

describe('edge tables', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('random network %i', async (seed) => {
    const r = randomOf(seed + 1);
    const inputs = r.whole(1, 70);
    const levels = r.whole(2, r.pick([4, 16, 64, 256]));
    const b = tableBuilder();
    const x = b.input('x', floatType([inputs]));
    const q = b.add(
      'q',
      {
        kind: 'quantize',
        attrs: {
          quantizer: uniform(levels, -2, Math.fround(4 / levels)),
          bits: bitsFor(levels),
          nan: 'zero',
        },
      },
      [x],
    );
    const layer = edgeOp(r, inputs, levels, r.whole(1, r.pick([9, 40, 150])), r.pick([2, 4, 6, 8, 8, 10]), {
      shared: r.chance(0.3),
      narrow: r.chance(0.5),
    });
    const graph = network(r, b, q, layer, r.whole(2, 256));
    const seen = await expectSame(graph, floats(r, inputs * 3));
    expect([...seen]).toEqual(['q', 'sums', 'hidden', 'last', 'y']);
  });

  it.each([
    {
      name: '8-bit entries, sums over 16 bits',
      inputs: 700,
      outputs: 24,
      levels: 3,
      bits: 8,
      form: /flushed/,
    },
    { name: '8-bit entries, several tiles', inputs: 600, outputs: 150, levels: 5, bits: 8, form: /flushed/ },
    { name: '16-bit entries, 32-bit sums', inputs: 37, outputs: 101, levels: 7, bits: 16, form: /split16/ },
    { name: '12-bit entries, 16-bit sums', inputs: 9, outputs: 130, levels: 16, bits: 12, form: /direct16/ },
    {
      name: 'narrow tables in groups of four',
      inputs: 65,
      outputs: 70,
      levels: 9,
      bits: 5,
      form: /groups \d\dx4/,
    },
  ])('$name', async ({ inputs, outputs, levels, bits, form }) => {
    const r = randomOf(inputs);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [inputs]));
    const map = filled(uint(8), [1, 256], () => r.whole(0, levels - 1));
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 8, quantizer: uniform(levels) } }, [x]);
    const graph = network(r, b, c, edgeOp(r, inputs, levels, outputs, bits), 100);
    expect((await compile(graph)).manifest.layers[0]?.form).toMatch(form);
    const seen = await expectSame(graph, bytes(r, inputs * 4));
    expect(seen.has('c')).toBe(false);
  });

  it('adds extreme tables exactly at the ends of 16 and 32 bits', async () => {
    for (const inputs of [1, 256, 257, 258, 514, 515]) {
      const r = randomOf(inputs);
      const b = tableBuilder();
      const x = b.input('x', valueType(uint(1), [inputs], uniform(2)));
      let k = 0;
      const op = edgeOp(r, inputs, 2, 17, 8);
      if (op.kind !== 'table.edge') throw new Error('edge expected');
      const table = filled(op.attrs.table.element, [inputs, 2, 17], () =>
        Math.floor(k++ / 17) % 2 ? 127 : -128,
      );
      const bound = 128 * inputs + 3000;
      const attrs = { table, scale: 1, acc: 32, lo: -bound, hi: bound };
      const graph = finish(b, b.add('sums', { kind: 'table.edge', attrs }, [x]));
      await expectSame(graph, new Uint8Array(inputs).fill(0));
      await expectSame(graph, new Uint8Array(inputs).fill(1));
      await expectSame(
        graph,
        Uint8Array.from({ length: inputs }, () => r.whole(0, 1)),
      );
    }
  });

  it.each([-32769, -32768, 32767, 32768])('accumulators that reach %i', async (reached) => {
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(1), [1], uniform(2)));
    const end = reached < 0 ? -1 : 1;
    const table = filled(int(8), [1, 2, 3], () => 0);
    table.data.set([end, end, end], 3);
    const bias = filled(int(32), [3], () => reached - end);
    const attrs = { table, bias, scale: 1, acc: 32, lo: Math.min(reached, 0), hi: Math.max(reached, 0) };
    const graph = finish(b, b.add('sums', { kind: 'table.edge', attrs }, [x]));
    await expectSame(graph, Uint8Array.of(0, 1));
    const narrow = (await compile(graph)).manifest.layers[0]?.form.includes('unsigned') === false;
    expect(narrow).toBe(reached >= -32768 && reached <= 32767);
  });

  it('folds gathers and maps into the layer, and keeps those that have another use', async () => {
    const r = randomOf(5);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [50]));
    const picked = b.add(
      'picked',
      { kind: 'gather', attrs: { indices: filled(uint(16), [33], () => r.whole(0, 49)) } },
      [x],
    );
    const map = filled(uint(4), [1, 256], () => r.whole(0, 10));
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 4, quantizer: uniform(11) } }, [picked]);
    const again = b.add(
      'again',
      { kind: 'gather', attrs: { indices: filled(uint(8), [20], () => r.whole(0, 32)) } },
      [c],
    );
    const graph = network(r, b, again, edgeOp(r, 20, 11, 30, 8), 17);
    expect([...(await expectSame(graph, bytes(r, 150)))]).toEqual(['sums', 'hidden', 'last', 'y']);
  });

  it('materialises per-feature maps and gathers of floats', async () => {
    const r = randomOf(6);
    const b = tableBuilder();
    const x = b.input('x', floatType([21]));
    const g = b.add(
      'g',
      { kind: 'gather', attrs: { indices: filled(uint(8), [13], () => r.whole(0, 20)) } },
      [x],
    );
    const q = b.add(
      'q',
      { kind: 'quantize', attrs: { quantizer: uniform(1000, -2, 0.004), bits: 10, nan: 'zero' } },
      [g],
    );
    const map = filled(uint(3), [13, 1000], () => r.whole(0, 6));
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 3, quantizer: uniform(7) } }, [q]);
    const graph = network(r, b, c, edgeOp(r, 13, 7, 5, 6), 300);
    expect([...(await expectSame(graph, floats(r, 13 * 21)))]).toEqual([
      'g',
      'q',
      'c',
      'sums',
      'hidden',
      'last',
      'y',
    ]);
  });

  it('handles 16-bit codes between layers and integer outputs', async () => {
    const r = randomOf(8);
    const b = tableBuilder();
    const x = b.input('x', floatType([6]));
    const q = b.add(
      'q',
      { kind: 'quantize', attrs: { quantizer: uniform(3000, -2, 0.001), bits: 12, nan: 'zero' } },
      [x],
    );
    const sums = b.add('sums', edgeOp(r, 6, 3000, 11, 14), [q]);
    const codes = b.add('codes', requantizeOp(r, rangeOf(b, sums), 11, 4096), [sums]);
    await expectSame(finish(b, codes), floats(r, 60));
  });

  it('reads two layers from one value', async () => {
    const r = randomOf(9);
    const b = tableBuilder();
    const x = b.input('x', floatType([10]));
    const q = b.add(
      'q',
      { kind: 'quantize', attrs: { quantizer: uniform(8, -2, 0.5), bits: 3, nan: 'zero' } },
      [x],
    );
    b.add('side', edgeOp(r, 10, 8, 3, 8), [q]);
    const graph = network(r, b, q, edgeOp(r, 10, 8, 20, 8), 9);
    expect((await expectSame(graph, floats(r, 100))).has('side')).toBe(true);
  });
});

describe('basis tables', () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed))('random network %i', async (seed) => {
    const r = randomOf(1000 + seed);
    const inputs = r.whole(1, 40);
    const levels = r.whole(2, 64);
    const order = seed % 6;
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [inputs]));
    const map = filled(uint(8), [1, 256], () => r.whole(0, levels - 1));
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 8, quantizer: uniform(levels) } }, [x]);
    const layer = basisOp(r, inputs, levels, r.whole(1, 75), {
      order,
      base: r.chance(0.6),
      rows: r.pick([1, 1, 3]),
      coefBits: r.pick([3, 8, 8, 12]),
      basisBits: r.pick([1, 3, 8]),
      shift: r.whole(0, 4),
      baseBits: r.pick([8, 12]),
    });
    await expectSame(network(r, b, c, layer, 64), bytes(r, inputs * 3));
  });

  it.each([
    { basisBits: 16, shift: 0, baseBits: 16 },
    { basisBits: 8, shift: 9, baseBits: 8 },
  ])('factors of more than 16 bits: $basisBits-bit values shifted by $shift', async (form) => {
    const r = randomOf(form.shift + 1);
    const b = tableBuilder();
    const x = b.input('x', floatType([9]));
    const q = b.add(
      'q',
      { kind: 'quantize', attrs: { quantizer: uniform(32, -2, 0.125), bits: 5, nan: 'zero' } },
      [x],
    );
    const layer = basisOp(r, 9, 32, 37, { order: 3, base: true, rows: 2, coefBits: 8, ...form });
    const graph = network(r, b, q, layer, 64);
    expect((await compile(graph)).manifest.layers[1]?.form).toContain('multiplications');
    await expectSame(graph, floats(r, 90));
  });

  it.each([1, 3, 4, 8, 9, 13, 64, 68, 130])(
    'extreme coefficients and values, %i outputs',
    async (outputs) => {
      const r = randomOf(outputs);
      const b = tableBuilder();
      const x = b.input('x', valueType(uint(1), [11], uniform(2)));
      const ends = (lo: number, hi: number) => (): number => (r.chance(0.5) ? lo : hi);
      const op = basisOp(r, 11, 2, outputs, {
        order: 2,
        base: true,
        rows: 1,
        coefBits: 8,
        basisBits: 15,
        shift: 0,
        baseBits: 16,
      });
      if (op.kind !== 'table.basis') throw new Error('basis expected');
      const { coefficients, basis, base, baseTable } = op.attrs;
      const attrs = {
        ...op.attrs,
        coefficients: filled(int(8), coefficients.shape, ends(-128, 127)),
        basis: filled(uint(15), basis.shape, () => 32767),
        base: filled(int(8), base?.shape ?? [], ends(-128, 127)),
        baseTable: filled(int(16), baseTable?.shape ?? [], ends(-32768, 32767)),
        acc: 32,
        lo: -(2 ** 31),
        hi: 2 ** 31 - 1,
      };
      const graph = finish(b, b.add('sums', { kind: 'table.basis', attrs }, [x]));
      expect((await compile(graph)).manifest.layers[0]?.form).toContain('dot products, 8-bit rows');
      await expectSame(
        graph,
        Uint8Array.from({ length: 11 * 6 }, () => r.whole(0, 1)),
      );
    },
  );

  it('16 functions at a point', async () => {
    const r = randomOf(3);
    const b = tableBuilder();
    const x = b.input('x', floatType([7]));
    const q = b.add(
      'q',
      { kind: 'quantize', attrs: { quantizer: uniform(50, -2, 0.08), bits: 6, nan: 'zero' } },
      [x],
    );
    const form = { order: 15, base: true, rows: 1, coefBits: 8, basisBits: 6, shift: 1, baseBits: 8 };
    await expectSame(network(r, b, q, basisOp(r, 7, 50, 65, form), 64), floats(r, 70));
  });
});

describe('batches', () => {
  it('of any size give what single samples give', async () => {
    const r = randomOf(12);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [31]));
    const map = filled(uint(5), [1, 256], () => r.whole(0, 31));
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 5, quantizer: uniform(32) } }, [x]);
    const graph = network(r, b, c, edgeOp(r, 31, 32, 15, 8), 40);
    const program = await compile(graph);
    const { capacity } = program.manifest.memory;
    for (const samples of [1, 2, capacity - 1, capacity, capacity + 1, 2 * capacity + 3]) {
      const r2 = randomOf(samples);
      await expectSame(graph, bytes(r2, 31 * Math.min(samples, 5)));
      const data = bytes(r2, 31 * samples);
      const whole = program.predict(data);
      const parts = Array.from({ length: samples }, (_, n) =>
        program.predict(data.subarray(31 * n, 31 * n + 31)),
      );
      expect(whole).toEqual({
        _tag: 'Right',
        right: Float32Array.from(parts.flatMap((p) => (p._tag === 'Right' ? [...p.right] : []))),
      });
    }
  });
});
