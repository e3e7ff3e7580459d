/** fast-kan checkpoints against golden outputs of the library, and against sums written from its definition. */
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { importCheckpoint, importTensors, readNpy } from '../../../src/importers/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { type Random, randomOf } from '../../support/random.js';
import { difference, f32, fileOf, run, uniform } from '../arch/support.js';

const MODEL = new URL('../../../examples/models/fast-kan-fashion/', import.meta.url);
const read = (file: string): Uint8Array => readFileSync(new URL(file, MODEL));
const array = (file: string) => Float32Array.from(rightOf(readNpy(read(file))).data);

type Tensors = Record<string, FileTensor>;

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly centers: number;
  readonly norm: boolean;
  readonly base: boolean;
  readonly bias: boolean;
}

const layerTensors = (r: Random, prefix: string, l: Layer): Tensors => ({
  ...(l.norm
    ? {
        [`${prefix}layernorm.weight`]: uniform(r, [l.inputs], 0.5, 1.5),
        [`${prefix}layernorm.bias`]: uniform(r, [l.inputs]),
      }
    : {}),
  [`${prefix}rbf.grid`]: f32(
    [l.centers],
    Array.from({ length: l.centers }, (_, m) => -2 + (4 * m) / (l.centers - 1)),
  ),
  [`${prefix}spline_linear.weight`]: uniform(r, [l.outputs, l.inputs * l.centers]),
  ...(l.base ? { [`${prefix}base_linear.weight`]: uniform(r, [l.outputs, l.inputs]) } : {}),
  ...(l.base && l.bias ? { [`${prefix}base_linear.bias`]: uniform(r, [l.outputs]) } : {}),
});

const SMALL: Layer = { inputs: 3, outputs: 2, centers: 4, norm: true, base: true, bias: true };
const small = (): Tensors => layerTensors(randomOf(3), 'layers.0.', SMALL);

const naiveLayer = (t: Tensors, prefix: string, x: ReadonlyArray<number>): ReadonlyArray<number> => {
  const grid = [...t[`${prefix}rbf.grid`]!.data];
  const [spline, base, bias] = ['spline_linear.weight', 'base_linear.weight', 'base_linear.bias'].map(
    (n) => t[prefix + n],
  );
  const [weight, shift] = ['weight', 'bias'].map((n) => t[`${prefix}layernorm.${n}`]?.data);
  const [I, M] = [x.length, grid.length];
  const mean = x.reduce((a, b) => a + b, 0) / I;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / I;
  const normalised = x.map((v, i) =>
    weight === undefined ? v : ((v - mean) / Math.sqrt(variance + 1e-5)) * weight[i]! + shift![i]!,
  );
  const d = (grid[M - 1]! - grid[0]!) / (M - 1);
  return Array.from({ length: spline!.shape[0]! }, (_, o) => {
    let sum = bias?.data[o] ?? 0;
    for (let i = 0; i < I; i++) {
      for (let m = 0; m < M; m++) {
        sum += spline!.data[o * I * M + i * M + m]! * Math.exp(-(((normalised[i]! - grid[m]!) / d) ** 2));
      }
      if (base !== undefined) sum += base.data[o * I + i]! * (x[i]! / (1 + Math.exp(-x[i]!)));
    }
    return sum;
  });
};

describe('the shipped model', () => {
  it('gives the golden values of every layer', () => {
    const graph = rightOf(importCheckpoint(read('model.safetensors'), 'model.safetensors'));
    const values = run(graph, array('golden_inputs.npy'));
    expect(difference(values.get('outputs')!, array('golden_outputs.npy'))).toBeLessThan(1e-5);
    const layers = readdirSync(MODEL).filter((f) => f.startsWith('golden_layer'));
    expect(layers).toHaveLength(2);
    for (const layer of layers) {
      const golden = array(layer);
      const value = Array.from(values.get(layer.replace('golden_', '').replace('.npy', ''))!);
      expect(difference(value.slice(0, golden.length), golden), layer).toBeLessThan(1e-5);
    }
  });
});

describe('any network', () => {
  it('computes what the definition says, with and without norm, base and bias', () => {
    const shape = fc.record({
      seed: fc.integer(),
      widths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 3 }),
      centers: fc.integer({ min: 2, max: 6 }),
      norm: fc.boolean(),
      base: fc.boolean(),
      bias: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, ({ seed, widths, ...rest }) => {
        const r = randomOf(seed);
        const tensors: Tensors = {};
        for (let l = 0; l + 1 < widths.length; l++) {
          const layer = { inputs: widths[l]!, outputs: widths[l + 1]!, ...rest };
          Object.assign(tensors, layerTensors(r, `layers.${l}.`, layer));
        }
        const graph = rightOf(importTensors(fileOf(tensors)));
        const x = Array.from({ length: widths[0]! }, () => Math.fround(r.unit() * 6 - 3));
        const values = run(graph, x);
        let expected: ReadonlyArray<number> = x;
        for (let l = 0; l + 1 < widths.length; l++) {
          // From the values that the layer was really given: a norm over few features magnifies their rounding.
          const given = l === 0 ? expected : [...Float32Array.from(values.get(`layer${l - 1}`)!)];
          expected = naiveLayer(tensors, `layers.${l}.`, given);
          expect(difference(values.get(`layer${l}`)!, expected)).toBeLessThan(1e-4);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('takes x once where nothing tells it from its normalised self', () => {
    const kinds = (change: Partial<Layer>) =>
      rightOf(
        importTensors(fileOf(layerTensors(randomOf(1), 'layers.0.', { ...SMALL, ...change }))),
      ).nodes.map((n) => n.op.kind);
    expect(kinds({})).toEqual(['norm', 'concat', 'kan']);
    expect(kinds({ norm: false })).toEqual(['kan']);
    expect(kinds({ base: false })).toEqual(['norm', 'kan']);
  });

  it('is read below any prefix and with any base activation', () => {
    const tensors = small();
    const prefixed = Object.fromEntries(Object.entries(tensors).map(([k, v]) => [`net.${k}`, v]));
    expect(rightOf(importTensors(fileOf(prefixed)))).toStrictEqual(rightOf(importTensors(fileOf(tensors))));
    const graph = rightOf(importTensors(fileOf(tensors), { baseActivation: 'gelu' }));
    const op = graph.nodes.at(-1)!.op;
    expect(op.kind === 'kan' && op.attrs.branches[1]!.basis).toEqual({ _tag: 'base', activation: 'gelu' });
    expect(codeOf(importTensors(fileOf(tensors), { baseActivation: 'swish' }))).toBe('K0206');
  });
});

describe('errors', () => {
  const changed = (name: string, change: (t: FileTensor) => FileTensor | undefined) => {
    const { [`layers.0.${name}`]: old, ...rest } = small();
    const now = change(old!);
    return importTensors(fileOf(now === undefined ? rest : { ...rest, [`layers.0.${name}`]: now }));
  };

  it.each(['rbf.grid', 'spline_linear.weight', 'layernorm.weight', 'layernorm.bias'])(
    'K0202: %s is missing',
    (n) => {
      const result = changed(n, () => undefined);
      expect(codeOf(result)).toBe('K0202');
      expect(messageOf(result)).toContain(`layers.0.${n}`);
    },
  );

  it.each(Object.keys(small()).map((n) => n.slice('layers.0.'.length)))('K0204: %s is not finite', (n) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(changed(n, (t) => f32(t.shape, [...t.data].with(0, bad))))).toBe('K0204');
    }
  });

  it('K0203: shapes that do not fit', () => {
    expect(codeOf(changed('rbf.grid', () => f32([5], [0, 1, 2, 3, 4])))).toBe('K0203');
    expect(codeOf(changed('rbf.grid', () => f32([1], [0])))).toBe('K0203');
    expect(codeOf(changed('rbf.grid', () => f32([4], [1, 1, 1, 1])))).toBe('K0203');
    expect(codeOf(changed('rbf.grid', () => f32([4], [3, 2, 1, 0])))).toBe('K0203');
    expect(codeOf(changed('base_linear.weight', (t) => f32([3, 2], t.data)))).toBe('K0203');
    expect(codeOf(changed('base_linear.bias', () => f32([3], [0, 0, 0])))).toBe('K0203');
    expect(codeOf(changed('layernorm.weight', () => f32([2], [0, 0])))).toBe('K0203');
    const chain = { ...small(), ...layerTensors(randomOf(1), 'layers.1.', SMALL) };
    expect(messageOf(importTensors(fileOf(chain)))).toContain('layer 1 takes 3 inputs');
  });

  it('K0212: a layer between two others is missing, however far the numbers go', () => {
    const far = { ...small(), ...layerTensors(randomOf(1), 'layers.999999999.', SMALL) };
    expect(messageOf(importTensors(fileOf(far)))).toContain('layers.1 to layers.999999998');
  });
});
