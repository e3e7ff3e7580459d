/** No tensor is lost: whatever the way in, one that the network does not use is refused. */
import { describe, expect, it } from 'vitest';
import type { FileTensor } from '../../src/importers/containers/tensor.js';
import { importTensors } from '../../src/importers/import.js';
import { consumingAll } from '../../src/importers/unconsumed.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import { f32, fileOf, uniform } from './arch/support.js';

const r = randomOf(77);
type Tensors = Readonly<Record<string, FileTensor>>;

const under = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`${prefix}${name}`, t]));

const KAN = {
  grid: f32([2, 9], [-4, -3, -2, -1, 0, 1, 2, 3, 4, -4, -3, -2, -1, 0, 1, 2, 3, 4]),
  base_weight: uniform(r, [2, 2]),
  spline_weight: uniform(r, [2, 2, 5]),
  spline_scaler: uniform(r, [2, 2]),
};
const FAST = {
  'rbf.grid': f32([3], [-1, 0, 1]),
  'spline_linear.weight': uniform(r, [2, 6]),
  'base_linear.weight': uniform(r, [2, 2]),
  'base_linear.bias': uniform(r, [2]),
  'layernorm.weight': uniform(r, [2]),
  'layernorm.bias': uniform(r, [2]),
};
const CHEBY = { cheby_coeffs: uniform(r, [2, 2, 4]), arange: f32([4], [0, 1, 2, 3]) };
const NORM = { 'layer_norm.0.weight': uniform(r, [2]), 'layer_norm.0.bias': uniform(r, [2]) };
const BASE = { 'base_conv.0.weight': uniform(r, [2, 2, 3, 3]), ...NORM };
const STATISTICS = { running_mean: uniform(r, [2]), running_var: uniform(r, [2], 1, 2) };

interface Way {
  readonly name: string;
  readonly tensors: Tensors;
  readonly layer?: { readonly type: string; readonly [field: string]: unknown };
  readonly input?: ReadonlyArray<number>;
  /** Names that such a layer has itself. */
  readonly own?: ReadonlyArray<string>;
  readonly options?: { readonly prefix: string };
}

const IMAGE = [2, 4, 4];
const layer = (type: string, tensors: Tensors, rest: Partial<Way> = {}): Way => ({
  name: `--arch ${type}`,
  tensors: under('m.', tensors),
  layer: { type, prefix: 'm' },
  input: [2],
  ...rest,
});

const WAYS: ReadonlyArray<Way> = [
  { name: 'efficient-kan', tensors: under('layers.0.', KAN) },
  { name: 'fast-kan', tensors: under('layers.0.', FAST) },
  { name: 'cheby-kan', tensors: under('kan1.', CHEBY) },
  { name: 'efficient-kan with --prefix', tensors: under('net.layers.0.', KAN), options: { prefix: 'net' } },
  layer('efficient-kan', KAN),
  layer('efficient-kan', under('layers.0.', KAN), { name: '--arch with a head of numbered layers' }),
  layer('fast-kan', FAST),
  layer('cheby-kan', CHEBY),
  layer('linear', { weight: uniform(r, [2, 2]) }, { own: ['bias'] }),
  layer('batch-norm', STATISTICS, { own: ['bias', 'weight'] }),
  layer('layer-norm', { weight: uniform(r, [2]), bias: uniform(r, [2]) }, { own: ['bias'] }),
  layer('instance-norm', { weight: uniform(r, [2]), bias: uniform(r, [2]) }, { own: ['bias'], input: IMAGE }),
  layer('prelu', { weight: f32([1], [0.25]) }),
  layer('conv2d', { weight: uniform(r, [2, 2, 3, 3]) }, { own: ['bias'], input: IMAGE }),
  layer(
    'kan-conv2d',
    { ...BASE, 'spline_conv.0.weight': uniform(r, [2, 10, 3, 3]), 'prelus.0.weight': f32([1], [0.25]) },
    { input: IMAGE },
  ),
  layer(
    'fast-kan-conv2d',
    { ...BASE, 'spline_conv.0.weight': uniform(r, [2, 6, 3, 3]), 'rbf.grid': f32([3], [-1, 0, 1]) },
    { input: IMAGE },
  ),
  layer(
    'kacn-conv2d',
    { ...NORM, 'poly_conv.0.weight': uniform(r, [2, 6, 3, 3]), arange: f32([1, 1, 3, 1, 1], [0, 1, 2]) },
    { input: IMAGE },
  ),
  layer(
    'kagn-conv2d',
    { ...BASE, poly_weights: uniform(r, [1, 2, 6, 3, 3]), beta_weights: uniform(r, [3]) },
    { input: IMAGE },
  ),
];

const read = ({ layer: spec, input, options }: Way, tensors: Tensors, ignoreExtra = false) => {
  const text = JSON.stringify({ input, layers: [spec] });
  return importTensors(fileOf(tensors), {
    ...options,
    ...(spec === undefined ? {} : { architecture: { text, file: 'arch.json' } }),
    ...(ignoreExtra ? { ignoreExtra } : {}),
  });
};

/** Every prefix of a name, from the root to the module that the tensor is in. */
const prefixesOf = (tensors: Tensors): ReadonlyArray<string> => [
  ...new Set(
    Object.keys(tensors).flatMap((name) => {
      const parts = name.split('.');
      return parts.map((_, k) =>
        parts
          .slice(0, k)
          .map((p) => `${p}.`)
          .join(''),
      );
    }),
  ),
];

const EXTRA = ['zq81', 'bias', 'layer_norm.weight', 'scale', 'rbf.inv_denominator'];

describe.each(WAYS)('$name', (way) => {
  it('reads its tensors', () => {
    expect(codeOf(read(way, way.tensors))).toBe('ok');
  });

  it('refuses one tensor more, under any prefix', () => {
    for (const prefix of prefixesOf(way.tensors)) {
      // What is outside of a prefix that the user chose is another network.
      if (way.options !== undefined && !prefix.startsWith(`${way.options.prefix}.`)) continue;
      for (const name of EXTRA) {
        const full = `${prefix}${name}`;
        if (full in way.tensors || (way.own?.includes(name) && prefix === 'm.')) continue;
        for (const shape of [[2], [2, 2], []]) {
          // With such a number the functions are those of FasterKAN.
          if (name.endsWith('inv_denominator') && shape.length === 0) continue;
          const extra = uniform(r, shape);
          const result = read(way, { ...way.tensors, [full]: extra });
          // ChebyKAN goes through all tensors itself and knows norms; the others know nothing of it.
          const codes = way.name.includes('cheby-kan') ? ['K0201', 'K0202', 'K0203', 'K0207'] : ['K0207'];
          // One of another shape is told as such.
          if (name.endsWith('inv_denominator')) codes.push('K0203');
          expect(codes, `${full} [${shape.join(', ')}]`).toContain(codeOf(result));
          if (codeOf(result) === 'K0207') expect(messageOf(result)).toContain(full);
        }
      }
    }
  });
});

describe('what counts as used', () => {
  const file = fileOf({ a: f32([2], [1, 2]), b: f32([2], [3, 4]) });
  const left = (look: (tensors: ReadonlyMap<string, FileTensor>) => unknown) =>
    rightOf(
      consumingAll(file, { ignoreExtra: true }, (recorded) => {
        look(recorded.tensors);
        return { _tag: 'Right', right: undefined };
      }),
    ).left;

  it('is neither a look at names and shapes nor taking over into another file', () => {
    expect(left((t) => t.has('a') && t.get('a')?.shape)).toEqual(['a', 'b']);
    expect(left((t) => [...t].map(([name, { shape, dtype }]) => [name, shape, dtype]))).toEqual(['a', 'b']);
    expect(left((t) => new Map([...t].map(([name, tensor]) => [`x.${name}`, tensor])))).toEqual(['a', 'b']);
  });

  it('is whose data are read, under whatever name', () => {
    expect(left((t) => t.get('b')?.data[0])).toEqual(['a']);
    const copies = (t: ReadonlyMap<string, FileTensor>) =>
      new Map([...t].map(([name, tensor]) => [`x.${name}`, tensor]));
    expect(left((t) => copies(t).get('x.a')?.data.length)).toEqual(['b']);
  });

  it('constants that a library stores must be what they are', () => {
    const odd = { ...under('m.', CHEBY), 'm.arange': f32([4], [0, 1, 2, 4]) };
    const way = WAYS.find(({ name }) => name === '--arch cheby-kan')!;
    expect(messageOf(read(way, odd))).toMatch('has 4 at element 3');
  });
});

describe('the hint', () => {
  const way = WAYS[0]!;
  const hintWith = (name: string, tensor: FileTensor = f32([2], [1, 2])) =>
    messageOf(read(way, { ...way.tensors, [name]: tensor }));

  it('says what tensors probably are, and does not send to another function', () => {
    expect(hintWith('layers.0.bias')).toMatch('layers.0.bias is a bias');
    expect(hintWith('layers.0.layer_norm.weight')).toMatch(
      'is a normalisation. An architecture file can say a norm',
    );
    for (const name of ['layers.0.bias', 'layers.0.layer_norm.weight', 'zq81', 'criterion2.weight']) {
      expect(hintWith(name)).not.toMatch('--ignore-tensors');
    }
  });

  it('has the names of the file, also for a layer by itself', () => {
    const alone = { ...under('head.', KAN), 'head.bias': f32([2], [1, 2]) };
    expect(messageOf(importTensors(fileOf(alone), { prefix: 'head' }))).toMatch('head.bias is a bias');
  });

  it('does not send to architecture files where they do not have the family', () => {
    const fc = fileOf({ 'fc.weight': f32([1, 2], [1, 2]) });
    const hint = (lone: boolean) =>
      messageOf(consumingAll(fc, {}, () => ({ _tag: 'Right', right: 0 }), { lone }));
    expect(hint(true)).toMatch('An architecture file has no layers of this family');
    expect(hint(true)).not.toMatch('--arch');
    expect(hint(false)).toMatch('--arch');
  });

  it('leaves out by an option what no network computes with, and counters without one', () => {
    expect(hintWith('criterion.weight')).toMatch('--ignore-tensors leaves them out');
    expect(codeOf(read(way, { ...way.tensors, 'criterion.weight': f32([2], [1, 2]) }, true))).toBe('ok');
    expect(codeOf(read(way, { ...way.tensors, total_ops: f32([1], [5]) }))).toBe('ok');
    expect(codeOf(read(way, { ...way.tensors, total_ops: f32([2], [5, 6]) }))).toBe('K0207');
  });
});
