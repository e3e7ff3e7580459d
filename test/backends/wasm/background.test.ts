/** Layers that skip inputs at their frequent codes give the integers of the interpreter, whatever the codes are. */
import { describe, expect, it } from 'vitest';
import { type LinearMap, linearMap } from '../../../src/backends/wasm/kernels/recode-linear.js';
import { uint } from '../../../src/ir/element.js';
import type { Op } from '../../../src/ir/ops/index.js';
import { valueType } from '../../../src/ir/types.js';
import { type Random, randomOf } from '../../support/random.js';
import { edgeOp, filled, network, tableBuilder, uniform } from './random.js';
import { compile, expectSame } from './support.js';

/** The layer with frequent codes; `levels` for those of no code. */
const withFrequent = (op: Op, inputs: number, levels: number, code: (input: number) => number): Op => {
  let i = 0;
  const frequent = filled(uint(9), [inputs], () => Math.min(levels, code(i++)));
  if (op.kind === 'table.edge') return { ...op, attrs: { ...op.attrs, frequent } };
  if (op.kind === 'table.basis') return { ...op, attrs: { ...op.attrs, frequent } };
  throw new Error('a table layer expected');
};

/** Samples from all background over runs of it to none at all. */
const samples = (
  r: Random,
  features: number,
  background: (i: number) => number,
  any: () => number,
): Uint8Array =>
  Uint8Array.from(
    [1, 0.95, 0.5, 0.5, 0.05, 0].flatMap((share) => {
      let inside = r.chance(share);
      return Array.from({ length: features }, (_, i) => {
        if (r.chance(0.2)) inside = r.chance(share);
        return inside ? background(i) : any();
      });
    }),
  );

interface Case {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly levels: number;
  readonly bits: number;
  readonly shared?: boolean;
  readonly narrow?: boolean;
  readonly form: RegExp;
}

const CASES: ReadonlyArray<Case> = [
  { name: 'one row at a time', inputs: 261, outputs: 64, levels: 8, bits: 8, form: /split8.* by 1/ },
  { name: 'two rows', inputs: 250, outputs: 50, levels: 9, bits: 7, form: /split8.* by 2/ },
  { name: 'four rows', inputs: 244, outputs: 33, levels: 5, bits: 6, form: /split8.* by 4/ },
  { name: 'an odd half vector', inputs: 207, outputs: 7, levels: 30, bits: 8, form: /split8.* by 1/ },
  { name: 'many tiles', inputs: 240, outputs: 300, levels: 4, bits: 8, form: /split8.* by 1/ },
  { name: 'many tiles, four rows', inputs: 230, outputs: 201, levels: 4, bits: 5, form: /split8.* by 4/ },
  { name: 'flushed sums', inputs: 900, outputs: 20, levels: 3, bits: 8, form: /flushed.* by 1/ },
  { name: 'flushed sums of tiles', inputs: 700, outputs: 100, levels: 3, bits: 8, form: /flushed.* by 1/ },
  { name: '16-bit entries', inputs: 240, outputs: 45, levels: 6, bits: 16, form: /split16.* by 1/ },
  {
    name: 'direct sums',
    inputs: 229,
    outputs: 90,
    levels: 6,
    bits: 11,
    narrow: true,
    form: /direct16.* by 4/,
  },
  { name: 'shared slabs', inputs: 300, outputs: 24, levels: 16, bits: 7, shared: true, form: /^(?!.*skip)/ },
];

describe('linear maps', () => {
  const mapped = (m: LinearMap, code: number): number => ((code * m.factor + m.term) & 0xffff) >> m.shift;

  it.each([2, 3, 5, 16, 64, 128, 256])('rounding to %s codes is one', (levels) => {
    const map = Array.from({ length: 256 }, (_, v) => Math.floor((v * (levels - 1) + 127) / 255));
    const found = linearMap(map);
    expect(found).toBeDefined();
    if (found !== undefined) expect(map.map((_, v) => mapped(found, v))).toEqual(map);
  });

  it('gives every code of a map, or none', () => {
    const r = randomOf(5);
    for (let round = 0; round < 300; round++) {
      const start = r.whole(0, 9);
      const share = r.whole(0, 10) / 10;
      const steps = Array.from({ length: r.whole(2, 200) }, () => Number(r.chance(share)));
      const map = steps.map((_, k) => start + steps.slice(0, k).reduce((a, b) => a + b, 0));
      const found = linearMap(map);
      if (found !== undefined) expect(map.map((_, v) => mapped(found, v))).toEqual(map);
    }
    expect(linearMap([3, 2, 1])).toBeUndefined();
    expect(linearMap([0, 5, 6])).toBeUndefined();
  });
});

describe('edge tables', () => {
  it.each(CASES)('$name', async ({ inputs, outputs, levels, bits, shared, narrow, form }) => {
    const r = randomOf(inputs + outputs);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [inputs], uniform(levels)));
    const op = edgeOp(r, inputs, levels, outputs, bits, { shared: shared === true, narrow: narrow === true });
    const code = (i: number): number => (i * 7) % (levels + 1);
    const graph = network(r, b, x, withFrequent(op, inputs, levels, code), 50);
    expect((await compile(graph)).manifest.layers[0]?.form).toMatch(form);
    await expectSame(
      graph,
      samples(
        r,
        inputs,
        (i) => code(i) % levels,
        () => r.whole(0, levels - 1),
      ),
    );
  });

  it('through maps: where the pixels of a code are no interval, another code is background', async () => {
    const r = randomOf(77);
    const inputs = 260;
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [inputs]));
    // Code 0 is two intervals of pixels, code 5 none; 1 to 4 are one each.
    const map = filled(uint(3), [1, 256], () => 0);
    for (let v = 10; v < 200; v++) map.data[v] = 1 + Math.floor((v - 10) / 50);
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 3, quantizer: uniform(6) } }, [x]);
    const op = withFrequent(edgeOp(r, inputs, 6, 40, 8), inputs, 6, (i) => (i < 200 ? 1 + (i % 4) : i % 7));
    const graph = network(r, b, c, op, 50);
    const { form } = (await compile(graph)).manifest.layers[0]!;
    // All but the last two, whose codes are 6, which is none, and 0.
    expect(form).toMatch(/groups 0x4 \dx2 \dx1, \d+ skip background/);
    await expectSame(
      graph,
      samples(
        r,
        inputs,
        (i) => 10 + 50 * (i % 4),
        () => r.whole(0, 255),
      ),
    );
  });

  it.each([4, 13, 64])('through a linear map to %s codes', async (levels) => {
    const r = randomOf(levels);
    const inputs = 260;
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [inputs]));
    let v = 0;
    const map = filled(uint(6), [1, 256], () => Math.floor((v++ * (levels - 1) + 127) / 255));
    expect(linearMap(map.data)).toBeDefined();
    const c = b.add('c', { kind: 'recode', attrs: { map, bits: 6, quantizer: uniform(levels) } }, [x]);
    const op = withFrequent(edgeOp(r, inputs, levels, 40, 8), inputs, levels, (i) => i % 3);
    const graph = network(r, b, c, op, 50);
    expect((await compile(graph)).manifest.layers[0]?.form).toMatch(
      /groups 0x4 0x2 0x1, \d+ skip background/,
    );
    await expectSame(
      graph,
      samples(
        r,
        inputs,
        (i) => Math.round(((i % 3) * 255) / (levels - 1)),
        () => r.whole(0, 255),
      ),
    );
  });

  it('through gathers, with gaps, elements that two inputs read, and pairs of which one is read', async () => {
    const r = randomOf(78);
    const features = 500;
    const inputs = 300;
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [features], uniform(9)));
    const indices = filled(uint(16), [inputs], () => r.whole(40, 470));
    const g = b.add('g', { kind: 'gather', attrs: { indices } }, [x]);
    const op = withFrequent(edgeOp(r, inputs, 9, 30, 8), inputs, 9, () => 2);
    const graph = network(r, b, g, op, 50);
    expect((await compile(graph)).manifest.layers[0]?.form).toMatch(/ skip background/);
    await expectSame(
      graph,
      samples(
        r,
        features,
        () => 2,
        () => r.whole(0, 8),
      ),
    );
  });

  it('is left alone where few inputs have a frequent code, or codes are wide', async () => {
    const r = randomOf(79);
    for (const [inputs, levels, few] of [
      [100, 9, false],
      [200, 9, true],
      [200, 300, false],
    ] as const) {
      const b = tableBuilder();
      const x = b.input('x', valueType(uint(8), [inputs]));
      const map = filled(uint(9), [1, 256], () => r.whole(0, levels - 1));
      const c = b.add('c', { kind: 'recode', attrs: { map, bits: 9, quantizer: uniform(levels) } }, [x]);
      const g = b.add('g', { kind: 'reshape', attrs: { shape: [inputs] } }, [c]);
      b.add('other', edgeOp(r, inputs, levels, 2, 8), [c]);
      const op = withFrequent(edgeOp(r, inputs, levels, 10, 8), inputs, levels, (i) =>
        few && i % 4 > 0 ? levels : 1,
      );
      const graph = network(r, b, g, op, 50);
      const layers = (await compile(graph)).manifest.layers.map((l) => l.form).join();
      expect(layers).not.toMatch(/skip/);
    }
  });
});
