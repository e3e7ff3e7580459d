/** Convolutional layers against convolution written from its definition. */
import { describe, expect, it } from 'vitest';
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { type Random, randomOf } from '../../support/random.js';
import {
  at,
  build,
  convolve,
  difference,
  f32,
  gelu,
  type Image,
  instanceNorm,
  map,
  run,
  silu,
  splines,
  sum,
  uniform,
  type Where,
} from '../arch/support.js';

const PLAIN: Where = { kernel: [3, 3], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };

const PLACES: ReadonlyArray<readonly [string, Where]> = [
  ['one pixel', { ...PLAIN, kernel: [1, 1] }],
  ['padding', { ...PLAIN, padding: [1, 1] }],
  ['stride', { ...PLAIN, stride: [2, 2], padding: [1, 1] }],
  ['dilation', { ...PLAIN, dilation: [2, 2], padding: [2, 2] }],
  ['groups', { ...PLAIN, padding: [1, 1], groups: 2 }],
  [
    'everything, different in height and width',
    { kernel: [3, 2], stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 },
  ],
];

const fields = ({ stride, padding, dilation, groups }: Where) => ({ stride, padding, dilation, groups });

const image = (r: Random, shape: Image['shape']): Image => ({
  shape,
  data: Array.from(uniform(r, shape, -1.4, 1.4).data),
});

/** One tensor for each group. */
const lists = (
  r: Random,
  prefix: string,
  groups: number,
  shape: ReadonlyArray<number>,
): Record<string, FileTensor> =>
  Object.fromEntries(
    Array.from({ length: groups }, (_, g) => [`${prefix}.${g}.weight`, uniform(r, shape)] as const),
  );

const [C, O] = [4, 6];

describe('KANConv2DLayer', () => {
  const K = 8;
  const tensors = (r: Random, w: Where): Record<string, FileTensor> => ({
    ...lists(r, 'c.base_conv', w.groups, [O / w.groups, C / w.groups, ...w.kernel]),
    ...lists(r, 'c.spline_conv', w.groups, [O / w.groups, (C / w.groups) * K, ...w.kernel]),
    ...Object.fromEntries(
      Array.from({ length: w.groups }, (_, g) => [`c.prelus.${g}.weight`, f32([1], [0.25 * (g + 1)])]),
    ),
  });

  const sumBefore = (file: Record<string, FileTensor>, x: Image, w: Where): Image =>
    convolve(x, O, w, (o, i, ky, kx, v) => {
      const width = O / w.groups;
      const g = Math.floor(o / width);
      const spline = file[`c.spline_conv.${g}.weight`]!;
      return splines(v, K, 3).reduce(
        (n, b, k) => n + b * at(spline, o % width, i * K + k, ky, kx),
        gelu(v) * at(file[`c.base_conv.${g}.weight`]!, o % width, i, ky, kx),
      );
    });

  const prelu = (y: Image, w: Where): Image =>
    map(y, (v, o) => (v >= 0 ? v : v * 0.25 * (Math.floor(o / (O / w.groups)) + 1)));

  it.each(PLACES)('with instance norm: %s', (_, w) => {
    const r = randomOf(1);
    const file = tensors(r, w);
    const x = image(r, [C, 6, 5]);
    const { graph } = rightOf(build(file, x.shape, [{ type: 'kan-conv2d', prefix: 'c', ...fields(w) }]));
    const expected = prelu(instanceNorm(sumBefore(file, x, w)), w);
    expect(difference(run(graph, x.data).get('outputs')!, expected.data)).toBeLessThan(1e-4);
  });

  it.each(PLACES)('with batch norm: %s', (_, w) => {
    const r = randomOf(2);
    const width = O / w.groups;
    const file = tensors(r, w);
    for (let g = 0; g < w.groups; g++) {
      file[`c.layer_norm.${g}.running_mean`] = uniform(r, [width]);
      file[`c.layer_norm.${g}.running_var`] = uniform(r, [width], 0.5, 2);
      file[`c.layer_norm.${g}.weight`] = uniform(r, [width]);
      file[`c.layer_norm.${g}.bias`] = uniform(r, [width]);
    }
    const x = image(r, [C, 6, 5]);
    const { graph } = rightOf(build(file, x.shape, [{ type: 'kan-conv2d', prefix: 'c', ...fields(w) }]));
    const normal = map(sumBefore(file, x, w), (v, o) => {
      const part = (name: string): number =>
        at(file[`c.layer_norm.${Math.floor(o / width)}.${name}`]!, o % width);
      return (
        ((v - part('running_mean')) / Math.sqrt(part('running_var') + 1e-5)) * part('weight') + part('bias')
      );
    });
    expect(difference(run(graph, x.data).get('outputs')!, prelu(normal, w).data)).toBeLessThan(1e-4);
  });

  it('takes another order, range, activation and no norm from the file', () => {
    const r = randomOf(3);
    const file = tensors(r, PLAIN);
    const x = image(r, [C, 4, 4]);
    const layer = {
      type: 'kan-conv2d',
      prefix: 'c',
      splineOrder: 2,
      gridRange: [-2, 1],
      baseActivation: 'silu',
      norm: 'none',
    };
    const { graph } = rightOf(build(file, x.shape, [layer]));
    const expected = convolve(x, O, PLAIN, (o, i, ky, kx, v) =>
      splines(v, K, 2, -2, 1).reduce(
        (n, b, k) => n + b * at(file['c.spline_conv.0.weight']!, o, i * K + k, ky, kx),
        silu(v) * at(file['c.base_conv.0.weight']!, o, i, ky, kx),
      ),
    );
    expect(difference(run(graph, x.data).get('outputs')!, prelu(expected, PLAIN).data)).toBeLessThan(1e-4);
  });

  it('padding contributes nothing, although the splines are not 0 at 0', () => {
    const file: Record<string, FileTensor> = {
      'c.base_conv.0.weight': f32([1, 1, 3, 3], Array(9).fill(0)),
      'c.spline_conv.0.weight': f32([1, K, 3, 3], Array(9 * K).fill(1)),
      'c.prelus.0.weight': f32([1], [1]),
    };
    const layer = { type: 'kan-conv2d', prefix: 'c', padding: 1, norm: 'none' };
    const { graph } = rightOf(build(file, [1, 1, 1], [layer]));
    // B-splines sum to 1 inside of the grid: one pixel, eight padded taps.
    expect(run(graph, [0]).get('outputs')![0]).toBeCloseTo(1, 6);
  });
});

describe('FastKANConv2DLayer', () => {
  const grid = [-2, -1, 0, 1, 2];
  it.each(PLACES)('%s', (_, w) => {
    const r = randomOf(4);
    const M = grid.length;
    const file: Record<string, FileTensor> = {
      ...lists(r, 'c.base_conv', w.groups, [O / w.groups, C / w.groups, ...w.kernel]),
      ...lists(r, 'c.spline_conv', w.groups, [O / w.groups, (C / w.groups) * M, ...w.kernel]),
      'c.rbf.grid': f32([M], grid),
    };
    const x = image(r, [C, 6, 5]);
    const { graph } = rightOf(build(file, x.shape, [{ type: 'fast-kan-conv2d', prefix: 'c', ...fields(w) }]));
    const width = O / w.groups;
    const weight = (list: string, o: number): FileTensor =>
      file[`c.${list}.${Math.floor(o / width)}.weight`]!;
    const radial = convolve(instanceNorm(x), O, w, (o, i, ky, kx, v) =>
      grid.reduce(
        (n, center, m) =>
          n + Math.exp(-((v - center) ** 2)) * at(weight('spline_conv', o), o % width, i * M + m, ky, kx),
        0,
      ),
    );
    const base = convolve(
      x,
      O,
      w,
      (o, i, ky, kx, v) => silu(v) * at(weight('base_conv', o), o % width, i, ky, kx),
    );
    expect(difference(run(graph, x.data).get('outputs')!, sum(radial, base).data)).toBeLessThan(1e-4);
  });
});

/** T_0 .. T_D by the cosine that the library computes. */
const chebyshev = (x: number, D: number): ReadonlyArray<number> =>
  Array.from({ length: D + 1 }, (_, d) => Math.cos(d * Math.acos(Math.tanh(x))));

describe('KACNConv2DLayer', () => {
  it.each(PLACES)('%s', (_, w) => {
    const r = randomOf(5);
    const D = 3;
    const width = O / w.groups;
    const file: Record<string, FileTensor> = {
      ...lists(r, 'c.poly_conv', w.groups, [width, (C / w.groups) * (D + 1), ...w.kernel]),
      'c.arange': f32([1, 1, D + 1, 1, 1], [0, 1, 2, 3]),
    };
    const x = image(r, [C, 6, 5]);
    const { graph } = rightOf(build(file, x.shape, [{ type: 'kacn-conv2d', prefix: 'c', ...fields(w) }]));
    const poly = convolve(x, O, w, (o, i, ky, kx, v) =>
      chebyshev(v, D).reduce(
        (n, p, d) =>
          n +
          p * at(file[`c.poly_conv.${Math.floor(o / width)}.weight`]!, o % width, i * (D + 1) + d, ky, kx),
        0,
      ),
    );
    expect(difference(run(graph, x.data).get('outputs')!, instanceNorm(poly).data)).toBeLessThan(1e-4);
  });
});

describe('KAGNConv2DLayer', () => {
  const D = 4;
  const gram = (v: number, beta: FileTensor, outer = silu): ReadonlyArray<number> => {
    const x = Math.tanh(v);
    const b = (n: number, m: number): number =>
      (((m + n) * (m - n) * n ** 2) / (m ** 2 / (4 * n ** 2 - 1))) * beta.data[n]!;
    const p = [1, x];
    for (let i = 2; i <= D; i++) p.push(x * p[i - 1]! - b(i - 1, i) * p[i - 2]!);
    return p.map(outer);
  };

  it.each(PLACES)('%s', (_, w) => {
    const r = randomOf(6);
    const [width, inside] = [O / w.groups, C / w.groups];
    const beta = uniform(r, [D + 1], -0.05, 0.05);
    const poly = uniform(r, [w.groups, width, inside * (D + 1), ...w.kernel]);
    const file: Record<string, FileTensor> = {
      ...lists(r, 'c.base_conv', w.groups, [width, inside, ...w.kernel]),
      'c.poly_weights': poly,
      'c.beta_weights': beta,
    };
    const x = image(r, [C, 6, 5]);
    const { graph } = rightOf(build(file, x.shape, [{ type: 'kagn-conv2d', prefix: 'c', ...fields(w) }]));
    const y = convolve(x, O, w, (o, i, ky, kx, v) => {
      const g = Math.floor(o / width);
      return gram(v, beta).reduce(
        (n, p, d) => n + p * at(poly, g, o % width, d * inside + i, ky, kx),
        silu(v) * at(file[`c.base_conv.${g}.weight`]!, o % width, i, ky, kx),
      );
    });
    expect(difference(run(graph, x.data).get('outputs')!, map(instanceNorm(y), silu).data)).toBeLessThan(
      1e-4,
    );
  });

  it.each(PLACES)('version 2, whose groups split the expanded channels: %s', (_, w) => {
    const r = randomOf(7);
    const [width, inside] = [O / w.groups, C / w.groups];
    const beta = uniform(r, [D + 1], -0.05, 0.05);
    const poly = uniform(r, [O, inside * (D + 1), ...w.kernel]);
    const base = uniform(r, [O, inside, ...w.kernel]);
    const file = { 'c.base_conv.weight': base, 'c.poly_conv.weight': poly, 'c.beta_weights': beta };
    const x = image(r, [C, 6, 5]);
    const { graph } = rightOf(build(file, x.shape, [{ type: 'kagn-conv2d', prefix: 'c', ...fields(w) }]));
    // The library's own steps: all degrees of all channels one after another, reordered by its list of indices.
    const area = x.shape[1] * x.shape[2];
    const concatenated = Array.from({ length: D + 1 }, (_, d) => x.data.map((v) => gram(v, beta)[d]!)).flat();
    const indexes = Array.from({ length: C }, (_, i) =>
      Array.from({ length: D + 1 }, (_, j) => i * (D + 1) + j),
    ).flat();
    const expanded: Image = {
      shape: [C * (D + 1), x.shape[1], x.shape[2]],
      data: indexes.flatMap((n) => concatenated.slice(n * area, (n + 1) * area)),
    };
    const y = sum(
      convolve(expanded, O, w, (o, m, ky, kx, v) => v * at(poly, o, m, ky, kx)),
      convolve(x, O, w, (o, i, ky, kx, v) => silu(v) * at(base, o, i, ky, kx)),
    );
    expect(width * w.groups).toBe(O);
    expect(difference(run(graph, x.data).get('outputs')!, map(instanceNorm(y), silu).data)).toBeLessThan(
      1e-4,
    );
  });
});

describe('the activation of KAGNConv2DLayer and KAJNConv2DLayer', () => {
  const file = {
    'c.base_conv.0.weight': f32([1, 1, 1, 1], [0.7]),
    'c.poly_weights': f32([1, 1, 2, 1, 1], [0.3, -0.8]),
  };
  const beta = { 'c.beta_weights': f32([2], [0, 0]) };
  const x = image(randomOf(12), [1, 2, 2]);
  const outputs = (type: string, fields: object, options = {}) => {
    const tensors = type === 'kagn-conv2d' ? { ...file, ...beta } : file;
    const layer = { type, prefix: 'c', norm: 'none', ...fields };
    const built = rightOf(build(tensors, x.shape, [layer], options));
    return { built, y: run(built.graph, x.data).get('outputs')! };
  };

  it('is that of the file or of the option, before, behind and after the layer', () => {
    const act = Math.tanh;
    const gram = x.data.map((v) => act(0.7 * act(v) + 0.3 * act(1) - 0.8 * act(Math.tanh(v))));
    const jacobi = x.data.map((v) => act(0.7 * v + 0.3 - 0.8 * 2 * Math.tanh(v)));
    for (const [type, expected] of [
      ['kagn-conv2d', gram],
      ['kajn-conv2d', jacobi],
    ] as const) {
      expect(difference(outputs(type, { baseActivation: 'tanh' }).y, expected)).toBeLessThan(1e-6);
      expect(difference(outputs(type, {}, { baseActivation: 'tanh' }).y, expected)).toBeLessThan(1e-6);
    }
  });

  it('is told where nobody says it', () => {
    const told = (fields: object) => outputs('kagn-conv2d', fields).built.assumptions.map((a) => a.assumed);
    expect(told({})).toEqual(['silu']);
    expect(told({ baseActivation: 'silu' })).toEqual([]);
  });
});

describe('KAJNConv2DLayer', () => {
  const D = 4;
  /** Jacobi polynomials of a = b = 1 are 2 / (n + 2) times the derivatives of the Legendre polynomials of n + 1. */
  const jacobi = (v: number): ReadonlyArray<number> => {
    const x = Math.tanh(v);
    const p = [1, x];
    const derivatives = [0, 1];
    for (let n = 1; n <= D; n++) {
      p.push(((2 * n + 1) * x * p[n]! - n * p[n - 1]!) / (n + 1));
      derivatives.push((2 * n + 1) * p[n]! + derivatives[n - 1]!);
    }
    return derivatives.slice(1).map((d, n) => (2 / (n + 2)) * d);
  };

  it.each(PLACES)('%s', (_, w) => {
    const r = randomOf(11);
    const [width, inside] = [O / w.groups, C / w.groups];
    const poly = uniform(r, [w.groups, width, inside * (D + 1), ...w.kernel]);
    const base = lists(r, 'c.base_conv', w.groups, [width, inside, ...w.kernel]);
    const x = image(r, [C, 6, 5]);
    const file = { ...base, 'c.poly_weights': poly };
    const { graph } = rightOf(build(file, x.shape, [{ type: 'kajn-conv2d', prefix: 'c', ...fields(w) }]));
    const y = convolve(x, O, w, (o, i, ky, kx, v) => {
      const g = Math.floor(o / width);
      return jacobi(v).reduce(
        (n, p, d) => n + p * at(poly, g, o % width, d * inside + i, ky, kx),
        v * at(base[`c.base_conv.${g}.weight`]!, o % width, i, ky, kx),
      );
    });
    expect(difference(run(graph, x.data).get('outputs')!, map(instanceNorm(y), silu).data)).toBeLessThan(
      1e-4,
    );
  });

  it('has the tensors of KALN and KABN, so that the file must say it', () => {
    const file = {
      ...lists(randomOf(1), 'c.base_conv', 1, [1, 1, 1, 1]),
      'c.poly_weights': f32([1, 1, 2, 1, 1], [1, 1]),
    };
    const result = build(file, [1, 2, 2], [{ type: 'kaln-conv2d', prefix: 'c' }]);
    expect(codeOf(result)).toBe('K0201');
    expect(messageOf(result)).toContain('"type": "kajn-conv2d"');
    expect(codeOf(build(file, [2, 2, 2], [{ type: 'kajn-conv2d', prefix: 'c' }]))).toBe('K0203');
  });
});

describe('plain layers', () => {
  it.each(PLACES)('Conv2d with a bias: %s', (_, w) => {
    const r = randomOf(8);
    const weight = uniform(r, [O, C / w.groups, ...w.kernel]);
    const bias = uniform(r, [O]);
    const x = image(r, [C, 6, 5]);
    const tensors = { 'c.weight': weight, 'c.bias': bias };
    const { graph } = rightOf(build(tensors, x.shape, [{ type: 'conv2d', prefix: 'c', ...fields(w) }]));
    const y = convolve(x, O, w, (o, i, ky, kx, v) => v * at(weight, o, i, ky, kx));
    const expected = map(y, (v, o) => v + bias.data[o]!);
    expect(difference(run(graph, x.data).get('outputs')!, expected.data)).toBeLessThan(1e-4);
  });
});

describe('wrong convolutions', () => {
  const layer = { type: 'kan-conv2d', prefix: 'c' };
  const good = (): Record<string, FileTensor> => ({
    'c.base_conv.0.weight': f32([2, 1, 3, 3], Array(18).fill(1)),
    'c.spline_conv.0.weight': f32([2, 8, 3, 3], Array(144).fill(1)),
    'c.prelus.0.weight': f32([1], [0.25]),
  });
  const wrong = (change: Record<string, FileTensor | undefined>, more: object = {}) => {
    const tensors = Object.entries({ ...good(), ...change }).flatMap(([k, v]) =>
      v === undefined ? [] : [[k, v] as const],
    );
    return build(Object.fromEntries(tensors), [1, 5, 5], [{ ...layer, ...more }]);
  };

  it('are none to begin with', () => expect(codeOf(wrong({}))).toBe('ok'));

  it('tell a missing tensor by its name and layer', () => {
    for (const name of Object.keys(good())) {
      expect(messageOf(wrong({ [name]: undefined }))).toMatch(`tensor ${name}: layers[0] (kan-conv2d): `);
      expect(codeOf(wrong({ [name]: undefined }))).toBe('K0202');
    }
  });

  it.each([
    [
      'a channel count that is no multiple',
      { 'c.spline_conv.0.weight': f32([2, 8, 3, 2], Array(96).fill(1)) },
    ],
    ['another rank', { 'c.base_conv.0.weight': f32([2, 9], Array(18).fill(1)) }],
    ['more input channels', { 'c.base_conv.0.weight': f32([2, 2, 3, 3], Array(36).fill(1)) }],
    ['too few functions', { 'c.spline_conv.0.weight': f32([2, 3, 3, 3], Array(54).fill(1)) }],
    ['a second group of another shape', { 'c.base_conv.1.weight': f32([3, 1, 3, 3], Array(27).fill(1)) }],
    ['several slopes', { 'c.prelus.0.weight': f32([3], [1, 1, 1]) }],
    ['statistics of another length', { 'c.layer_norm.0.running_mean': f32([3], [0, 0, 0]) }],
  ])('%s', (_, change) => expect(codeOf(wrong(change))).toBe('K0203'));

  it('NaN in any tensor', () => {
    for (const [name, tensor] of Object.entries(good())) {
      const bad = f32(tensor.shape, Array.from(tensor.data).fill(Number.NaN, 0, 1));
      expect(codeOf(wrong({ [name]: bad }))).toBe('K0204');
    }
  });

  it('a negative variance, and a mean without a variance', () => {
    const mean = { 'c.layer_norm.0.running_mean': f32([2], [0, 0]) };
    expect(codeOf(wrong({ ...mean, 'c.layer_norm.0.running_var': f32([2], [1, -1]) }))).toBe('K0204');
    expect(codeOf(wrong(mean))).toBe('K0202');
  });

  it('groups that the tensors do not have', () => {
    expect(messageOf(wrong({}, { groups: 3 }))).toMatch('groups is 3, but the tensors are of 1 group(s)');
  });

  it('windows that do not fit, and results of absurd size', () => {
    expect(codeOf(wrong({}, { dilation: 9 }))).toBe('K0203');
    expect(codeOf(wrong({}, { padding: 8000 }))).toBe('K0113');
  });

  it('KALN, whose results depend on the other samples', () => {
    const result = build({}, [1, 5, 5], [{ type: 'kaln-conv2d', prefix: 'c' }]);
    expect(messageOf(result)).toMatch('least and largest value of the whole batch');
  });

  it('radial centers that do not ascend', () => {
    const tensors = { ...good(), 'c.rbf.grid': f32([8], [7, 6, 5, 4, 3, 2, 1, 0]) };
    expect(codeOf(build(tensors, [1, 5, 5], [{ type: 'fast-kan-conv2d', prefix: 'c' }]))).toBe('K0203');
  });
});
