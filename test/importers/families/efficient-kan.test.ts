/** efficient-kan checkpoints against golden outputs of the library, and against a recursion written from its definition. */
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileTensor, TensorFile } from '../../../src/importers/containers/tensor.js';
import {
  type ImportOptions,
  importCheckpoint,
  importTensors,
  readNpy,
} from '../../../src/importers/index.js';
import { type Graph, interpret } from '../../../src/ir/index.js';
import { ACTIVATIONS, type Activation } from '../../../src/numeric/activations.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { type Random, randomOf } from '../../support/random.js';

const MODELS = new URL('../../../examples/models/', import.meta.url);

const inputTensor = (graph: Graph, data: Float32Array) => {
  const { type } = graph.inputs[0]!;
  return { type, batch: data.length / type.shape[0]!, data };
};

/** Every value of a graph, by name. */
const run = (graph: Graph, data: Float32Array): ReadonlyMap<string, ArrayLike<number>> => {
  const values = new Map<string, ArrayLike<number>>();
  const [output] = rightOf(interpret(graph, [inputTensor(graph, data)], (n, v) => values.set(n, v.data)));
  return values.set('outputs', output!.data);
};

/** The largest difference, absolute or relative to the larger value where that is above 1. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let j = 0; j < a.length; j++) {
    worst = Math.max(worst, Math.abs(a[j]! - b[j]!) / Math.max(1, Math.abs(b[j]!)));
  }
  return worst;
};

describe('shipped models', () => {
  const names = readdirSync(MODELS).filter((name) => name.startsWith('efficient-kan'));
  it('are all here', () => expect(names.length).toBeGreaterThanOrEqual(5));

  for (const name of names) {
    for (const file of ['model.pt', 'model.safetensors']) {
      it(`${name}/${file} gives the golden values of every layer`, () => {
        const read = (f: string): Uint8Array => readFileSync(new URL(`${name}/${f}`, MODELS));
        const array = (f: string) => Float32Array.from(rightOf(readNpy(read(f))).data);
        const graph = rightOf(importCheckpoint(read(file), file));
        const values = run(graph, array('golden_inputs.npy'));
        expect(difference(values.get('outputs')!, array('golden_outputs.npy'))).toBeLessThan(1e-4);
        const layers = readdirSync(new URL(`${name}/`, MODELS)).filter((f) => f.startsWith('golden_layer'));
        expect(layers).toHaveLength(graph.nodes.length);
        for (const layer of layers) {
          // Layers are stored for the first samples only.
          const golden = array(layer);
          const value = values.get(layer.replace('golden_', '').replace('.npy', ''));
          expect(difference(Array.from(value!).slice(0, golden.length), golden), layer).toBeLessThan(1e-4);
        }
      });
    }
  }

  it('pt and safetensors hold the same network, bit for bit', () => {
    const read = (f: string) =>
      rightOf(importCheckpoint(readFileSync(new URL(`efficient-kan-wine/${f}`, MODELS)), f));
    expect(read('model.pt')).toStrictEqual(read('model.safetensors'));
  });
});

const f32 = (shape: ReadonlyArray<number>, data: ArrayLike<number>): FileTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});

const fileOf = (tensors: Readonly<Record<string, FileTensor>>): TensorFile => ({
  container: 'safetensors',
  tensors: new Map(Object.entries(tensors)),
  metadata: new Map(),
});

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly grid: number;
  readonly order: number;
  readonly uneven: boolean;
  readonly scaler: boolean;
}

/** The tensors of one layer with random weights. */
const layerTensors = (r: Random, prefix: string, l: Layer): Record<string, FileTensor> => {
  const { inputs: I, outputs: O, grid: G, order: p } = l;
  const random = (shape: ReadonlyArray<number>): FileTensor =>
    f32(
      shape,
      Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => r.unit() * 2 - 1),
    );
  const knots = Array.from({ length: I }, () =>
    Array.from({ length: G + 2 * p + 1 }, (_, j) => -1 + ((j - p + (l.uneven ? 0.8 * r.unit() : 0)) * 2) / G),
  );
  return {
    [`${prefix}grid`]: f32([I, G + 2 * p + 1], knots.flat()),
    [`${prefix}base_weight`]: random([O, I]),
    [`${prefix}spline_weight`]: random([O, I, G + p]),
    ...(l.scaler ? { [`${prefix}spline_scaler`]: random([O, I]) } : {}),
  };
};

/** B_k of order p by the recursion as it is defined, for all k at once: nothing shared with the code under test. */
const naiveBasis = (t: ReadonlyArray<number>, p: number, x: number): ReadonlyArray<number> => {
  let b: ReadonlyArray<number> = t.slice(1).map((next, k) => (x >= t[k]! && x < next ? 1 : 0));
  for (let q = 1; q <= p; q++) {
    b = b.slice(1).map((right, k) => {
      const left = b[k]!;
      const [dl, dr] = [t[k + q]! - t[k]!, t[k + q + 1]! - t[k + 1]!];
      return (dl > 0 ? ((x - t[k]!) / dl) * left : 0) + (dr > 0 ? ((t[k + q + 1]! - x) / dr) * right : 0);
    });
  }
  return b;
};

const naiveLayer = (
  tensors: Readonly<Record<string, FileTensor>>,
  prefix: string,
  x: ReadonlyArray<number>,
  act: (x: number) => number,
): ReadonlyArray<number> => {
  const [grid, base, spline] = ['grid', 'base_weight', 'spline_weight'].map((n) => tensors[prefix + n]!);
  const scaler = tensors[`${prefix}spline_scaler`];
  const [O, I, K] = [spline!.shape[0]!, spline!.shape[1]!, spline!.shape[2]!];
  const count = grid!.shape[1]!;
  return Array.from({ length: O }, (_, o) => {
    let sum = 0;
    for (let i = 0; i < I; i++) {
      const t = [...grid!.data.slice(i * count, (i + 1) * count)];
      const functions = naiveBasis(t, count - K - 1, x[i]!);
      sum += base!.data[o * I + i]! * act(x[i]!);
      for (let k = 0; k < K; k++) {
        sum += spline!.data[(o * I + i) * K + k]! * (scaler?.data[o * I + i] ?? 1) * functions[k]!;
      }
    }
    return sum;
  });
};

describe('any network', () => {
  it('computes what the definition says, for any grid, order, knots, scaler and activation', () => {
    const shape = fc.record({
      seed: fc.integer(),
      widths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
      grid: fc.integer({ min: 1, max: 9 }),
      order: fc.constantFrom(0, 1, 2, 3, 5),
      uneven: fc.boolean(),
      scaler: fc.boolean(),
      activation: fc.constantFrom<Activation>('silu', 'gelu', 'relu', 'tanh', 'identity', 'zero', 'mish'),
    });
    fc.assert(
      fc.property(shape, ({ seed, widths, grid, order, uneven, scaler, activation }) => {
        const r = randomOf(seed);
        const tensors: Record<string, FileTensor> = {};
        for (let l = 0; l + 1 < widths.length; l++) {
          const layer = { inputs: widths[l]!, outputs: widths[l + 1]!, grid, order, uneven, scaler };
          Object.assign(tensors, layerTensors(r, `layers.${l}.`, layer));
        }
        const graph = rightOf(importTensors(fileOf(tensors), { baseActivation: activation }));
        // Points inside and outside of the grid; hidden values leave it on their own.
        const x = Float32Array.from({ length: widths[0]! }, () => r.unit() * 4 - 2);
        const values = run(graph, x);
        let expected: ReadonlyArray<number> = [...x];
        for (let l = 0; l + 1 < widths.length; l++) {
          // From the value that the layer was really given: a step function (p = 0) may differ after rounding.
          const given = l === 0 ? expected : [...Float32Array.from(values.get(`layer${l - 1}`)!)];
          expected = naiveLayer(tensors, `layers.${l}.`, given, ACTIVATIONS[activation]);
          expect(difference(values.get(`layer${l}`)!, expected)).toBeLessThan(1e-5);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is 0 at and beyond the last knot, and right at every knot, for every order', () => {
    for (const order of [0, 1, 2, 3, 5]) {
      const layer = { inputs: 1, outputs: 1, grid: 4, order, uneven: false, scaler: false };
      const tensors = layerTensors(randomOf(order), 'layers.0.', layer);
      const graph = rightOf(importTensors(fileOf(tensors), { baseActivation: 'zero' }));
      const knots = [...tensors['layers.0.grid']!.data];
      const points = [...knots, knots[0]! - 1, knots.at(-1)! + 1];
      const values = run(graph, Float32Array.from(points)).get('outputs')!;
      const expected = points.map((x) => naiveLayer(tensors, 'layers.0.', [x], () => 0)[0]!);
      expect(difference(values, expected)).toBeLessThan(1e-6);
      expect(values[knots.length - 1]).toBe(0);
      expect([values[points.length - 2], values[points.length - 1]]).toEqual([0, 0]);
    }
  });
});

const SMALL: Layer = { inputs: 3, outputs: 2, grid: 4, order: 2, uneven: false, scaler: true };

const small = (prefix = 'layers.0.'): Record<string, FileTensor> => layerTensors(randomOf(7), prefix, SMALL);

const importing = (tensors: Readonly<Record<string, FileTensor>>, options: ImportOptions = {}) =>
  importTensors(fileOf(tensors), options);

describe('names', () => {
  it.each(['module.', '_orig_mod.', 'net.', 'model.kan.', 'module._orig_mod.'])('are read below %s', (p) => {
    expect(rightOf(importing(small(`${p}layers.0.`)))).toStrictEqual(rightOf(importing(small())));
  });

  it('of layers are read in numeric order', () => {
    const tensors: Record<string, FileTensor> = {};
    const layer = { ...SMALL, inputs: 1, outputs: 1 };
    for (let l = 11; l >= 0; l--) Object.assign(tensors, layerTensors(randomOf(l), `layers.${l}.`, layer));
    const graph = rightOf(importing(tensors));
    const firsts = graph.nodes.map(({ op }) => op.kind === 'kan' && op.attrs.branches[1]!.weights.data[0]);
    expect(firsts).toEqual(Array.from({ length: 12 }, (_, l) => tensors[`layers.${l}.base_weight`]!.data[0]));
  });

  it('give the graph its name and the knots one row when all inputs share them', () => {
    const graph = rightOf(importing(small(), { name: 'net' }));
    expect(graph.name).toBe('net');
    const op = graph.nodes[0]!.op;
    const basis = op.kind === 'kan' ? op.attrs.branches[0]!.basis : undefined;
    expect(basis?._tag === 'bspline' && basis.knots.shape).toEqual([1, 9]);
  });

  it('a file without a scaler differs from one with a scaler of ones in nothing', () => {
    const { 'layers.0.spline_scaler': _, ...without } = small();
    const ones = { ...without, 'layers.0.spline_scaler': f32([2, 3], new Array(6).fill(1)) };
    expect(rightOf(importing(without))).toStrictEqual(rightOf(importing(ones)));
  });
});

describe('tensors that have no part in the network', () => {
  const extra = {
    'norm.weight': f32([3], [1, 1, 1]),
    'layers.0.bias': f32([2], [1, 2]),
    'head.weight': f32([2, 2], [1, 2, 3, 4]),
  };

  it('K0207: are refused, all by name', () => {
    for (const [name, tensor] of Object.entries(extra)) {
      expect(codeOf(importing({ ...small(), [name]: tensor }))).toBe('K0207');
    }
    const message = messageOf(importing({ ...small(), ...extra }));
    expect(message).toContain('norm.weight [3], layers.0.bias [2], head.weight [2, 2]');
    expect(message).toContain('layers.0.bias is a bias');
    expect(message).not.toContain('--ignore-tensors');
  });

  it('are left out where that is asked for, and counters of the training always', () => {
    const plain = rightOf(importing(small()));
    expect(rightOf(importing({ ...small(), ...extra }, { ignoreExtra: true }))).toStrictEqual(plain);
    expect(rightOf(importing({ ...small(), n_averaged: f32([], [3]) }))).toStrictEqual(plain);
  });
});

describe('several networks in a file', () => {
  const both = { ...small('enc.layers.0.'), ...layerTensors(randomOf(9), 'dec.layers.0.', SMALL) };

  it('K0208: are refused with their prefixes', () => {
    const message = messageOf(importing(both));
    expect(message).toMatch(/K0208.*'enc\.', 'dec\.'/);
    expect(message).toContain('--prefix');
    expect(codeOf(importing({ ...small(), ...small('aux.layers.0.') }))).toBe('K0208');
  });

  it('are chosen by prefix, with a dot or without', () => {
    for (const prefix of ['enc', 'enc.']) {
      expect(rightOf(importing(both, { prefix }))).toStrictEqual(rightOf(importing(small())));
    }
    expect(rightOf(importing(both, { prefix: 'dec' }))).not.toStrictEqual(rightOf(importing(small())));
    const nested = { ...small('enc.layers.0.'), ...small('enc.aux.layers.0.') };
    expect(rightOf(importing(nested, { prefix: 'enc', ignoreExtra: true }))).toStrictEqual(
      rightOf(importing(small())),
    );
  });

  it('K0208: the prefix is of no tensor', () => {
    expect(messageOf(importing(both, { prefix: 'en' }))).toMatch(/K0208: option --prefix.*'enc\.', 'dec\.'/);
  });

  it('K0207: tensors under the prefix count, by their whole names', () => {
    const bias = { 'enc.layers.0.bias': f32([2], [1, 2]) };
    expect(messageOf(importing({ ...both, ...bias }, { prefix: 'enc' }))).toContain('enc.layers.0.bias [2]');
    const nan = f32([2, 3], new Array(6).fill(Number.NaN));
    const broken = importing({ ...both, 'dec.layers.0.base_weight': nan }, { prefix: 'dec' });
    expect(messageOf(broken)).toContain('tensor dec.layers.0.base_weight');
  });
});

describe('errors', () => {
  const changed = (name: string, change: (t: FileTensor) => FileTensor | undefined) => {
    const tensors = small();
    const now = change(tensors[`layers.0.${name}`]!);
    const { [`layers.0.${name}`]: _, ...rest } = tensors;
    return importing(now === undefined ? rest : { ...rest, [`layers.0.${name}`]: now });
  };
  const withElement =
    (at: number, value: number) =>
    (t: FileTensor): FileTensor =>
      f32(t.shape, [...t.data].with(at, value));

  it.each(['grid', 'base_weight', 'spline_weight', 'spline_scaler'])('K0204: %s is not finite', (name) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const result = changed(name, withElement(4, bad));
      expect(codeOf(result)).toBe('K0204');
      expect(messageOf(result)).toContain(`tensor layers.0.${name}: element 4 is ${bad}`);
    }
  });

  it.each(['grid', 'base_weight'])('K0202: %s is missing', (name) => {
    const result = importTensors(fileOf({ ...small() }), {});
    expect(codeOf(result)).toBe('ok');
    const without = changed(name, () => undefined);
    expect(codeOf(without)).toBe('K0202');
    expect(messageOf(without)).toContain(`layers.0.${name}`);
  });

  it('K0202: the splines of a later layer are missing', () => {
    const layer = { ...SMALL, inputs: 2 };
    const { 'layers.1.spline_weight': _, ...tensors } = {
      ...small(),
      ...layerTensors(randomOf(8), 'layers.1.', layer),
    };
    const result = importing(tensors);
    expect(codeOf(result)).toBe('K0202');
    expect(messageOf(result)).toContain('layers.1.spline_weight');
  });

  it('K0212: a layer between two others is missing', () => {
    const result = importing({
      ...small(),
      ...layerTensors(randomOf(8), 'layers.2.', { ...SMALL, inputs: 2 }),
    });
    expect(codeOf(result)).toBe('K0212');
    expect(messageOf(result)).toContain('layers.1');
  });

  it('K0203: shapes that do not fit', () => {
    expect(codeOf(changed('grid', (t) => f32([2, 9], t.data.slice(0, 18))))).toBe('K0203');
    expect(codeOf(changed('grid', (t) => f32([27], t.data)))).toBe('K0203');
    expect(codeOf(changed('base_weight', (t) => f32([3, 2], t.data)))).toBe('K0203');
    expect(codeOf(changed('spline_scaler', (t) => f32([6], t.data)))).toBe('K0203');
    expect(codeOf(changed('spline_weight', (t) => f32([2, 3, 2, 3], t.data)))).toBe('K0203');
    // As many coefficients as knots: the order would be below 0.
    expect(codeOf(changed('spline_weight', () => f32([2, 3, 9], new Array(54).fill(0))))).toBe('K0203');
    // So few coefficients that no interval is left.
    expect(codeOf(changed('spline_weight', () => f32([2, 3, 4], new Array(24).fill(0))))).toBe('K0203');
    expect(codeOf(changed('base_weight', () => f32([0, 3], [])))).toBe('K0203');
  });

  it('K0203: layers that do not fit each other', () => {
    const result = importing({ ...small(), ...layerTensors(randomOf(8), 'layers.1.', SMALL) });
    expect(codeOf(result)).toBe('K0203');
    expect(messageOf(result)).toContain('layer 1 takes 3 inputs, but the layer before it has 2 outputs');
  });

  it('K0205: knots that descend, in whichever row', () => {
    const result = changed('grid', withElement(9 + 4, -3));
    expect(codeOf(result)).toBe('K0205');
    expect(messageOf(result)).toContain('knot 4 of input 1 is -3');
  });

  it('one row of knots is for all inputs', () => {
    const tensors = small();
    const { shape, data } = tensors['layers.0.grid']!;
    const [rows, knots] = [shape[0]!, shape[1]!];
    expect(rows).toBeGreaterThan(1);
    const row = [...data.slice(0, knots)];
    const withGrid = (grid: FileTensor) => rightOf(importing({ ...tensors, 'layers.0.grid': grid }));
    const each = withGrid(f32([rows, knots], Array.from({ length: rows }, () => row).flat()));
    expect(withGrid(f32([1, knots], row))).toEqual(each);
    expect(withGrid(f32([knots], row))).toEqual(each);
    const more = f32([rows + 1, knots], Array.from({ length: rows + 1 }, () => row).flat());
    expect(codeOf(importing({ ...tensors, 'layers.0.grid': more }))).toBe('K0203');
  });

  it('K0210: knots that stand on one another, where the library gives NaN', () => {
    const result = changed('grid', (t) => withElement(4, t.data[3]!)(t));
    expect(codeOf(result)).toBe('K0210');
    expect(messageOf(result)).toMatch(/layers\.0\.grid.*knots 3 and 4 of input 0 are both/);
  });

  it('K0206: an activation or a family that is not known', () => {
    const activation = importing(small(), { baseActivation: 'swish' });
    expect(codeOf(activation)).toBe('K0206');
    expect(messageOf(activation)).toMatch(/'swish'.*silu.*gelu/);
    expect(codeOf(importing(small(), { baseActivation: 'toString' }))).toBe('K0206');
    const family = importing(small(), { family: 'mlp' });
    expect(codeOf(family)).toBe('K0206');
    expect(messageOf(family)).toContain('efficient-kan');
  });

  it('K0201: tensors of no family; the message says what was found and what is supported', () => {
    const result = importing({
      'fc.weight': f32([2, 3], new Array(6).fill(0)),
      'fc.\u001b[2Jbias': f32([2], [0, 0]),
    });
    expect(codeOf(result)).toBe('K0201');
    const message = messageOf(result);
    expect(message).toContain('fc.weight [2, 3]');
    expect(message).toContain('efficient-kan, fast-kan');
    expect(message).not.toContain('\u001b');
    expect(codeOf(importing({}))).toBe('K0201');
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, k) => [`w${k}`, f32([1], [0])]));
    expect(messageOf(importing(many))).toContain('and 44 more');
  });

  it('K0202: the family is forced on tensors that are not of it', () => {
    expect(codeOf(importing({ w: f32([1], [0]) }, { family: 'efficient-kan' }))).toBe('K0202');
  });
});
