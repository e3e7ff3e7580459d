/** Architecture files: the format, its errors, residuals and mixed models. */
import { describe, expect, it } from 'vitest';
import { decodeArchitecture, parseArchitecture } from '../../../src/importers/arch/architecture.js';
import { draftArchitecture } from '../../../src/importers/arch/draft/index.js';
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { resKanet } from '../../../src/importers/families/reskanet.js';
import { sourceOf } from '../../../src/importers/source.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import {
  at,
  build,
  convolve,
  difference,
  f32,
  fileOf,
  type Image,
  map,
  run,
  silu,
  splines,
  sum,
  uniform,
} from './support.js';

const r = randomOf(11);

describe('a file', () => {
  const wrong = (layers: unknown, input: unknown = [1, 4, 4]) =>
    messageOf(decodeArchitecture({ input, layers }));

  it.each([
    [
      'an unknown type',
      [{ type: 'flatten' }, { type: 'kan-conv3d', prefix: '0' }],
      'layers[1]: has the unknown type "kan-conv3d" (known: kan-conv2d,',
    ],
    ['no type', [{}], 'layers[0]: has no type'],
    ['a number for a layer', [7], 'layers[0]: expected layer, found 7'],
    [
      'a negative stride',
      [{ type: 'kan-conv2d', prefix: '0', stride: -1 }],
      'layers[0].stride: expected integer in [1, 65535], or two of them, found -1',
    ],
    ['three strides', [{ type: 'conv2d', prefix: '0', stride: [1, 1, 1] }], 'layers[0].stride: expected'],
    ['an absurd padding', [{ type: 'conv2d', prefix: '0', padding: 1e9 }], 'layers[0].padding: expected'],
    ['a misspelt field', [{ type: 'conv2d', prefix: '0', strides: 2 }], "layers[0]: unknown key 'strides'"],
    ['no prefix', [{ type: 'linear' }], 'layers[0].prefix: expected string, found nothing'],
    [
      'a descending range',
      [{ type: 'kan-conv2d', prefix: '0', gridRange: [1, -1] }],
      'layers[0].gridRange: expected two ascending numbers',
    ],
    [
      'an unknown activation',
      [{ type: 'activation', function: 'relux' }],
      'layers[0].function: expected one of silu',
    ],
    [
      'a wrong layer in a residual',
      [{ type: 'residual', body: [{ type: 'flatten' }, { type: 'linear', prefix: 3 }] }],
      'layers[0].body[1].prefix: expected string, found 3',
    ],
    [
      'a wrong shortcut',
      [{ type: 'residual', body: [], shortcut: [{}] }],
      'layers[0].shortcut[0]: has no type',
    ],
    ['no list of layers', { type: 'flatten' }, 'layers: expected'],
  ])('with %s', (_, layers, message) => {
    expect(wrong(layers)).toMatch(`error K0209: ${message}`);
  });

  it.each([[[0]], [[1, 2]], [[1.5]], [[1, 65536, 65536]], ['784'], [[]], [[null]]])(
    'with the input %j',
    (input) => {
      expect(wrong([], input)).toMatch(
        'error K0209: input: expected [features] or [channels, height, width]',
      );
    },
  );

  it('with too many layers', () => {
    const layers = Array(1001).fill({ type: 'residual', body: [{ type: 'flatten' }] });
    expect(messageOf(decodeArchitecture({ input: [1], layers }))).toMatch(
      'error K0113: there are 2002 layers',
    );
  });

  it('that is no JSON, too long or too deep', () => {
    expect(messageOf(parseArchitecture('{', 'a.json'))).toMatch(
      'error K0209: a.json: the file cannot be read',
    );
    expect(codeOf(parseArchitecture('[]', 'a.json'))).toBe('K0209');
    const deep = '{"type":"residual","body":['.repeat(40);
    expect(codeOf(parseArchitecture(`{"layers":[${deep}`, 'a.json'))).toBe('K0113');
    expect(codeOf(parseArchitecture('['.repeat(1e6), 'a.json'))).toBe('K0113');
    // Brackets in strings are no depth.
    expect(codeOf(parseArchitecture(`{"input":[1],"layers":[],"assumed":["${'['.repeat(200)}"]}`, 'a'))).toBe(
      'ok',
    );
  });
});

describe('layers without weights', () => {
  const image = (): Image => ({ shape: [2, 5, 4], data: Array.from(uniform(r, [2, 5, 4]).data) });
  const through = (x: Image, layers: ReadonlyArray<unknown>, tensors = {}) =>
    run(rightOf(build(tensors, x.shape, layers)).graph, x.data).get('outputs')!;

  it('pool, flatten and activate', () => {
    const x = image();
    const window = { kernel: [2, 3], stride: [1, 2], padding: [1, 1] } as const;
    const taps = { ...window, dilation: [1, 1], groups: 2 } as const;
    const mean = convolve(x, 2, taps, (_, __, ___, ____, v) => v / 6);
    expect(difference(through(x, [{ type: 'avgpool', ...window }]), mean.data)).toBeLessThan(1e-6);
    const all = through(x, [
      { type: 'avgpool' },
      { type: 'flatten' },
      { type: 'activation', function: 'tanh' },
    ]);
    const means = [0, 1].map((c) =>
      Math.tanh(x.data.slice(c * 20, c * 20 + 20).reduce((a, b) => a + b, 0) / 20),
    );
    expect(difference(all, means)).toBeLessThan(1e-6);
    const largest = [0, 1].map((c) => Math.max(...x.data.slice(c * 20, c * 20 + 20)));
    expect(difference(through(x, [{ type: 'maxpool' }]), largest)).toBeLessThan(1e-6);
  });

  it('normalise', () => {
    const x = image();
    const weight = uniform(r, [2, 5, 4]);
    const layered = through(x, [{ type: 'layer-norm', prefix: 'n' }], {
      'n.weight': weight,
      'n.bias': weight,
    });
    const mean = x.data.reduce((a, b) => a + b, 0) / 40;
    const variance = x.data.reduce((a, b) => a + (b - mean) ** 2, 0) / 40;
    const expected = x.data.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5) + 1) * weight.data[j]!);
    expect(difference(layered, expected)).toBeLessThan(1e-5);
    const mv = { 'b.running_mean': f32([2], [1, 2]), 'b.running_var': f32([2], [4, 9]) };
    const batch = through(x, [{ type: 'batch-norm', prefix: 'b', epsilon: 0.5 }], mv);
    const scaled = map(x, (v, c) => (v - (c + 1)) / Math.sqrt((c + 2) ** 2 + 0.5));
    expect(difference(batch, scaled.data)).toBeLessThan(1e-5);
    expect(codeOf(build({}, x.shape, [{ type: 'batch-norm', prefix: 'b' }]))).toBe('K0202');
    const slopes = through(x, [{ type: 'prelu', prefix: 'p' }], { 'p.weight': f32([2], [0.5, -1]) });
    expect(difference(slopes, map(x, (v, c) => (v >= 0 ? v : c === 0 ? v / 2 : -v)).data)).toBeLessThan(1e-6);
  });

  it('refuse what does not fit them', () => {
    expect(codeOf(build({}, [4], [{ type: 'avgpool' }]))).toBe('K0203');
    expect(codeOf(build({}, [1, 4, 4], [{ type: 'maxpool', kernel: 2, padding: 2 }]))).toBe('K0203');
    expect(codeOf(build({}, [1, 4, 4], [{ type: 'avgpool', kernel: 5 }]))).toBe('K0203');
    const linear = build(
      { 'l.weight': f32([2, 16], Array(32).fill(0)) },
      [1, 4, 4],
      [{ type: 'linear', prefix: 'l' }],
    );
    expect(messageOf(linear)).toMatch('layers[0] (linear): the layer is given a value of shape [1, 4, 4]');
    expect(messageOf(linear)).toMatch('flatten');
  });
});

describe('residuals', () => {
  const tensors = { 'a.weight': uniform(r, [2, 2, 3, 3]), 'b.weight': uniform(r, [2, 2, 1, 1]) };
  const x: Image = { shape: [2, 4, 4], data: Array.from(uniform(r, [2, 4, 4]).data) };
  const one = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  const long = convolve(
    x,
    2,
    { ...one, kernel: [3, 3], padding: [1, 1] },
    (o, i, ky, kx, v) => v * at(tensors['a.weight'], o, i, ky, kx),
  );
  const a = { type: 'conv2d', prefix: 'a', padding: 1 };

  it('add the value itself, or a shortcut of it', () => {
    const same = rightOf(build(tensors, x.shape, [{ type: 'residual', body: [a] }])).graph;
    expect(difference(run(same, x.data).get('outputs')!, sum(long, x).data)).toBeLessThan(1e-5);
    const b = { type: 'conv2d', prefix: 'b' };
    const short = convolve(x, 2, one, (o, i, ky, kx, v) => v * at(tensors['b.weight'], o, i, ky, kx));
    const other = rightOf(build(tensors, x.shape, [{ type: 'residual', body: [a], shortcut: [b] }])).graph;
    expect(difference(run(other, x.data).get('outputs')!, sum(long, short).data)).toBeLessThan(1e-5);
  });

  it('refuse ways that end in different shapes, and name the innermost layer', () => {
    const shapes = build(tensors, x.shape, [{ type: 'residual', body: [{ ...a, stride: 2 }] }]);
    expect(messageOf(shapes)).toMatch('layers[0] (residual): add takes two f32 values of the same shape');
    const inner = build(tensors, x.shape, [{ type: 'residual', body: [a, { type: 'conv2d', prefix: 'c' }] }]);
    expect(messageOf(inner)).toMatch('tensor c.weight: layers[0].body[1] (conv2d): the tensor is missing');
  });
});

describe('mixed models', () => {
  /** An efficient-kan layer of 3 intervals and order 2. */
  const kan = (prefix: string, I: number, O: number): Record<string, FileTensor> => ({
    [`${prefix}grid`]: f32(
      [I, 8],
      Array.from({ length: 8 * I }, (_, j) => -1 + (((j % 8) - 2) * 2) / 3),
    ),
    [`${prefix}base_weight`]: uniform(r, [O, I]),
    [`${prefix}spline_weight`]: uniform(r, [O, I, 5]),
  });
  const apply = (file: Record<string, FileTensor>, prefix: string, x: ReadonlyArray<number>): number[] => {
    const [w, s] = [file[`${prefix}base_weight`]!, file[`${prefix}spline_weight`]!];
    return Array.from({ length: w.shape[0]! }, (_, o) =>
      x.reduce(
        (n, v, i) =>
          n + silu(v) * at(w, o, i) + splines(v, 5, 2).reduce((m, b, k) => m + b * at(s, o, i, k), 0),
        0,
      ),
    );
  };
  const tensors: Record<string, FileTensor> = {
    'embed.weight': uniform(r, [3, 4]),
    'embed.bias': uniform(r, [3]),
    ...kan('head.layers.0.', 3, 4),
    ...kan('head.layers.1.', 4, 2),
  };
  const x = Array.from(uniform(r, [4]).data);
  const hidden = [0, 1, 2].map((o) =>
    Math.max(
      0,
      x.reduce((n, v, i) => n + v * at(tensors['embed.weight']!, o, i), tensors['embed.bias']!.data[o]!),
    ),
  );
  const expected = apply(tensors, 'head.layers.1.', apply(tensors, 'head.layers.0.', hidden));
  const before = [
    { type: 'linear', prefix: 'embed' },
    { type: 'activation', function: 'relu' },
  ];

  it('continue plain layers with an efficient-kan network, whole or layer by layer', () => {
    const whole = rightOf(build(tensors, [4], [...before, { type: 'efficient-kan', prefix: 'head' }])).graph;
    expect(difference(run(whole, x).get('outputs')!, expected)).toBeLessThan(1e-5);
    const layers = [0, 1].map((l) => ({ type: 'efficient-kan', prefix: `head.layers.${l}` }));
    const single = rightOf(build(tensors, [4], [...before, ...layers])).graph;
    expect(difference(run(single, x).get('outputs')!, expected)).toBeLessThan(1e-5);
    expect(single.nodes.at(-1)?.name).toBe('head.layers.1');
  });

  it('end in fast-kan and ChebyKAN layers', () => {
    const file = {
      'f.rbf.grid': f32([3], [-1, 0, 1]),
      'f.spline_linear.weight': uniform(r, [2, 12]),
      'f.base_linear.weight': uniform(r, [2, 4]),
      'f.base_linear.bias': uniform(r, [2]),
      'c.cheby_coeffs': uniform(r, [2, 3, 4]),
    };
    const layers = [
      { type: 'fast-kan', prefix: 'f' },
      { type: 'cheby-kan', prefix: 'c' },
    ];
    const { graph } = rightOf(build(file, [4], layers));
    const mid = [0, 1].map((o) =>
      x.reduce(
        (n, v, i) =>
          n +
          silu(v) * at(file['f.base_linear.weight'], o, i) +
          [-1, 0, 1].reduce(
            (m, c, k) => m + Math.exp(-((v - c) ** 2)) * at(file['f.spline_linear.weight'], o, i * 3 + k),
            0,
          ),
        file['f.base_linear.bias'].data[o]!,
      ),
    );
    const out = [0, 1, 2].map((o) =>
      mid.reduce(
        (n, v, i) =>
          n +
          [0, 1, 2, 3].reduce(
            (m, d) => m + Math.cos(d * Math.acos(Math.tanh(v))) * at(file['c.cheby_coeffs'], i, o, d),
            0,
          ),
        0,
      ),
    );
    expect(difference(run(graph, x).get('outputs')!, out)).toBeLessThan(1e-5);
  });

  it('name tensors of heads as the checkpoint does', () => {
    const { 'head.layers.1.grid': _, ...rest } = tensors;
    const layer = { type: 'efficient-kan', prefix: 'head.layers.1' };
    expect(messageOf(build(rest, [4], [layer]))).toMatch(
      'tensor head.layers.1.grid: layers[0] (efficient-kan): the tensor is missing',
    );
    expect(messageOf(build(tensors, [4], [{ ...layer, prefix: 'tail' }]))).toMatch(
      'no tensor is named tail....',
    );
    expect(messageOf(build(tensors, [5], [layer]))).toMatch(
      'takes 4 features, but it is given a value of shape [5]',
    );
    expect(messageOf(build(tensors, [1, 2, 2], [layer]))).toMatch(
      'A flatten layer makes features of an image',
    );
  });

  it('are drafted in the order of the file', () => {
    const draft = rightOf(draftArchitecture(fileOf(tensors)));
    expect(draft.input).toEqual([4]);
    expect(draft.layers).toEqual([
      { type: 'linear', prefix: 'embed' },
      { type: 'efficient-kan', prefix: 'head.layers.0' },
      { type: 'efficient-kan', prefix: 'head.layers.1' },
    ]);
    expect(draft.assumed?.slice(0, 2)).toEqual([
      'order of the layers, one after another: that of the file, embed, head.layers.0, head.layers.1',
      'activations between layers, residual sums, dropout and other modules without tensors: none',
    ]);
    expect(draft.assumed?.at(-1)).toMatch('kanc eval MODEL --arch FILE --data golden_inputs.npy');
  });
});

describe('ResKANet', () => {
  /** A network of KACN bottlenecks with the stem for large images. */
  const conv = (prefix: string, I: number, O: number, k: number) => ({
    [`${prefix}.poly_conv.0.weight`]: uniform(r, [O, I * 3, k, k]),
    [`${prefix}.arange`]: f32([1, 1, 3, 1, 1], [0, 1, 2]),
  });
  const block = (at: string, I: number, W: number, O: number, down: boolean) => ({
    ...conv(`${at}.conv1`, I, W, 1),
    ...conv(`${at}.conv2`, W, W, 3),
    ...conv(`${at}.conv3`, W, O, 1),
    ...(down ? conv(`${at}.downsample`, I, O, 1) : {}),
  });
  const tensors = {
    ...conv('conv1', 2, 4, 7),
    ...block('layer1.0', 4, 2, 8, true),
    ...block('layer1.1', 8, 2, 8, false),
    ...block('layer2.0', 8, 2, 8, true),
    'fc.weight': uniform(r, [3, 8]),
    'fc.bias': uniform(r, [3]),
  };

  it('of bottlenecks of another convolution', () => {
    const file = fileOf(tensors);
    expect(resKanet.recognises(file)).toBe(true);
    const { graph, assumptions } = rightOf(resKanet.read(file, {}, sourceOf(new Uint8Array(0), '')));
    const shape = (name: string) => graph.nodes.find((n) => n.name === name)?.type.shape;
    expect(graph.inputs[0]?.type.shape).toEqual([2, 32, 32]);
    expect(shape('conv1')).toEqual([4, 16, 16]);
    expect(shape('maxpool')).toEqual([4, 8, 8]);
    expect(shape('layer1.0.sum')).toEqual([8, 8, 8]);
    expect(shape('layer2.0.conv1')).toEqual([2, 8, 8]);
    expect(shape('layer2.0.sum')).toEqual([8, 4, 4]);
    expect(assumptions.map((a) => a.option)).toEqual([
      '--input-shape',
      '--arch',
      '--arch with "norm": "none" where there is none',
      '--norm-epsilon',
    ]);
    expect(run(graph, uniform(r, [2, 32, 32]).data).get('outputs')).toHaveLength(3);
  });
});
