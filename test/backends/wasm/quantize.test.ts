import { describe, expect, it, vi } from 'vitest';
import { scalarTables } from '../../../src/backends/wasm/kernels/elementwise/scalars.js';
import { order, rank } from '../../../src/code/language.js';
import { constant } from '../../../src/ir/constant.js';
import { F32 } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { OPS } from '../../../src/ir/ops/index.js';
import { type Quantizer, thresholdList } from '../../../src/ir/quantizer.js';
import { floatType } from '../../../src/ir/types.js';
import { floatAt, HIGHEST, LOWEST, orderOf } from '../../../src/numeric/float-order.js';
import { randomOf } from '../../support/random.js';
import { SPECIAL } from '../../support/special-floats.js';
import { filled, tableBuilder, uniform } from './random.js';
import { expectSame, finish } from './support.js';

const quantizer = (q: Quantizer, features: number, bits: number): Graph<'table'> => {
  const b = tableBuilder();
  const x = b.input('x', floatType([features]));
  return finish(b, b.add('q', { kind: 'quantize', attrs: { quantizer: q, bits, nan: 'zero' } }, [x]));
};

/** Every threshold of every feature with its neighbours among the floats, and the values that break quantizers. */
const probes = (q: Quantizer, features: number): ReadonlyArray<number> => {
  const near = Array.from({ length: features }, (_, f) => [...thresholdList(q, f)]).flat();
  const around = near
    .filter(Number.isFinite)
    .flatMap((t) =>
      [-2, -1, 0, 1, 2].map((d) => floatAt(Math.min(HIGHEST, Math.max(LOWEST, orderOf(t) + d)))),
    );
  return [...SPECIAL, ...around];
};

/** One sample per probe: all features get the same value. */
const samples = (values: ReadonlyArray<number>, features: number): Float32Array =>
  Float32Array.from({ length: values.length * features }, (_, k) => values[Math.floor(k / features)]!);

const perFeature = (features: number, next: () => number) => filled(F32, [features], next);

describe('uniform quantizers equal their definition for every f32 that matters', () => {
  it.each([
    { lo: -2, step: 0.0625, levels: 64, bits: 6 },
    { lo: 0.1, step: 0.1, levels: 256, bits: 8 },
    { lo: -1e-40, step: 1e-38, levels: 5, bits: 3 },
    { lo: 1e30, step: 1e29, levels: 17, bits: 8 },
    { lo: -100, step: 1 / 300, levels: 65536, bits: 16 },
    { lo: 3, step: 7, levels: 2, bits: 1 },
  ])('lo $lo, step $step, $levels levels', async ({ lo, step, levels, bits }) => {
    const q = uniform(levels, Math.fround(lo), Math.fround(step));
    const some = probes(q, 1);
    const stride = Math.max(1, Math.floor(some.length / 3000));
    await expectSame(
      quantizer(q, 3, bits),
      samples(
        some.filter((_, k) => k < 400 || k % stride === 0),
        3,
      ),
    );
  });

  it.each([1, 15, 16, 17, 50])('per feature, %i features', async (features) => {
    const r = randomOf(features);
    const q: Quantizer = {
      _tag: 'uniform',
      lo: perFeature(features, () => r.unit() - 0.5),
      step: perFeature(features, () => 0.01 + r.unit() / 10),
      levels: 12,
    };
    await expectSame(quantizer(q, features, 4), samples(probes(q, features).slice(0, 500), features));
  });
});

describe('threshold lists', () => {
  const sorted = (values: ReadonlyArray<number>): Float32Array => Float32Array.from(values).sort();

  it.each([2, 3, 4, 7, 8, 9, 100, 256, 1000])('%i levels, shared', async (levels) => {
    const r = randomOf(levels);
    const list = sorted(Array.from({ length: levels - 1 }, () => (r.unit() - 0.5) * 10 ** r.whole(-40, 38)));
    const q: Quantizer = {
      _tag: 'thresholds',
      thresholds: constant(F32, [1, levels - 1], list),
      values: filled(F32, [1, levels], () => 0),
      levels,
    };
    await expectSame(quantizer(q, 5, 10), samples(probes(q, 1), 5));
  });

  it('per feature, with repeated and infinite thresholds', async () => {
    const rows = [
      [Number.NEGATIVE_INFINITY, -1, -1, 0],
      [0, 0, 0, 0],
      [-0, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ];
    const q: Quantizer = {
      _tag: 'thresholds',
      thresholds: constant(F32, [3, 4], Float32Array.from(rows.flat())),
      values: filled(F32, [3, 5], () => 0),
      levels: 5,
    };
    await expectSame(quantizer(q, 3, 3), samples(probes(q, 3), 3));
  });
});

describe('quantizers with a closed form', () => {
  it('need no list of their thresholds, which many channels of many levels make long', async () => {
    const lower = vi.spyOn(OPS.quantize, 'lower');
    await expectSame(quantizer(uniform(64, -2, 0.0625), 3, 6), samples([-1, 0, 1], 3));
    expect(lower).not.toHaveBeenCalled();
    lower.mockRestore();
  });
});

describe('lists of thresholds', () => {
  it('are padded to powers of two, whatever the logarithms of the engine', () => {
    const log2 = vi.spyOn(Math, 'log2').mockReturnValue(Number.NaN);
    for (const [levels, row] of [
      [2, 2],
      [5, 8],
      [8, 8],
      [9, 16],
    ] as const) {
      const data = Int32Array.from({ length: levels - 1 }, (_, k) => orderOf(k + 1));
      const { blocks } = scalarTables(rank({ name: 'keys', rows: 1, width: levels - 1, data }, order(0)));
      expect(blocks[0]?.length).toBe(4 * row);
    }
    log2.mockRestore();
  });
});
