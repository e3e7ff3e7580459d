/** Drafts of architecture files: what they can name, what they refuse, and the search with golden data. */
import { describe, expect, it } from 'vitest';
import { decodeArchitecture, parseArchitecture } from '../../../src/importers/arch/architecture.js';
import { buildArchitecture } from '../../../src/importers/arch/build.js';
import {
  checkedDraft,
  draftArchitecture,
  goldenOf,
  showArchitecture,
} from '../../../src/importers/arch/draft/index.js';
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { sizeOf } from '../../../src/ir/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { build, f32, fileOf, run, uniform } from './support.js';

const r = randomOf(20240611);
type Tensors = Readonly<Record<string, FileTensor>>;

const zero = (shape: ReadonlyArray<number>): FileTensor =>
  f32(shape, Array(shape.reduce((n, d) => n * d, 1)).fill(0));

const linear = (prefix: string, I: number, O: number): Tensors => ({
  [`${prefix}.weight`]: uniform(r, [O, I]),
  [`${prefix}.bias`]: uniform(r, [O]),
});

const batchNorm = (prefix: string, C: number): Tensors => ({
  [`${prefix}.weight`]: uniform(r, [C], 0.5, 2),
  [`${prefix}.bias`]: uniform(r, [C]),
  [`${prefix}.running_mean`]: uniform(r, [C]),
  [`${prefix}.running_var`]: uniform(r, [C], 0.5, 2),
  [`${prefix}.num_batches_tracked`]: f32([], [7]),
});

const kan = (prefix: string, I: number, O: number): Tensors => ({
  [`${prefix}.grid`]: f32([I, 9], Array.from({ length: I }, () => [-4, -3, -2, -1, 0, 1, 2, 3, 4]).flat()),
  [`${prefix}.base_weight`]: uniform(r, [O, I]),
  [`${prefix}.spline_weight`]: uniform(r, [O, I, 5]),
});

const draft = (tensors: Tensors) => draftArchitecture(fileOf(tensors));

/** Golden data of the network that the layers say. */
const goldenFor = (
  tensors: Tensors,
  input: ReadonlyArray<number>,
  layers: ReadonlyArray<unknown>,
  end: (row: ReadonlyArray<number>) => ReadonlyArray<number> = (row) => row,
  samples = 8,
) => {
  const { graph } = rightOf(build(tensors, input, layers));
  const x = uniform(r, [samples, ...input], -2, 2);
  const y = Array.from(run(graph, x.data).get('outputs')!);
  const width = sizeOf(graph.nodes.at(-1)!.type);
  const rows = Array.from({ length: samples }, (_, n) => end(y.slice(n * width, (n + 1) * width)));
  return rightOf(
    goldenOf(
      { shape: x.shape, dtype: 'f4', data: Float32Array.from(x.data) },
      { shape: [samples, width], dtype: 'f4', data: Float32Array.from(rows.flat()) },
    ),
  );
};

/** What the draft says, once it went through its text. */
const layersOf = (result: ReturnType<typeof draft>) =>
  rightOf(parseArchitecture(showArchitecture(rightOf(result)), 'draft')).layers;

describe('drafts', () => {
  it('know every layer by its tensors, and number modules in order', () => {
    const all = rightOf(
      draft({
        '10.weight': zero([2, 64]),
        '0.base_conv.0.weight': zero([4, 3, 3, 3]),
        '0.spline_conv.0.weight': zero([4, 24, 3, 3]),
        '0.layer_norm.0.weight': zero([4]),
        '0.prelus.0.weight': zero([1]),
        '1.base_conv.0.weight': zero([4, 4, 1, 1]),
        '1.spline_conv.0.weight': zero([4, 32, 1, 1]),
        '1.rbf.grid': f32([8], [-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2]),
        '2.poly_conv.0.weight': zero([4, 16, 3, 3]),
        '3.base_conv.0.weight': zero([4, 4, 3, 3]),
        '3.poly_weights': zero([1, 4, 16, 3, 3]),
        '3.beta_weights': zero([4]),
        '5.base_conv.weight': zero([4, 4, 3, 3]),
        '5.poly_conv.weight': zero([4, 16, 3, 3]),
        '5.beta_weights': zero([4]),
        '6.weight': zero([4, 4, 3, 3]),
        '7.running_mean': zero([4]),
        '7.running_var': zero([4]),
        '8.weight': zero([1]),
      }),
    );
    expect(all.input).toEqual([3, 32, 32]);
    expect(all.layers.map(({ type }) => type)).toEqual([
      'kan-conv2d',
      'fast-kan-conv2d',
      'kacn-conv2d',
      'kagn-conv2d',
      'kagn-conv2d',
      'conv2d',
      'batch-norm',
      'prelu',
      'avgpool',
      'flatten',
      'linear',
    ]);
    expect(all.layers[8]).toEqual({ type: 'avgpool', kernel: 8 });
    expect(all.assumed?.join('\n')).toMatch('modules 4, 9 have no tensors');
    expect(decodeArchitecture(JSON.parse(showArchitecture(all)))._tag).toBe('Right');
  });

  it('refuse files without layers, however their tensors are named', () => {
    expect(codeOf(draft({}))).toBe('K0213');
    expect(codeOf(draft({ [`${'a.'.repeat(50000)}b`]: f32([1], [1]) }))).toBe('K0213');
  });

  const lone = { ...linear('fc', 4, 3) };
  it.each<readonly [string, Tensors, string]>([
    ['1-D convolution', { 'conv.weight': zero([4, 1, 5]) }, 'conv.weight [4, 1, 5]: a one-dimensional'],
    ['3-D convolution', { 'conv.weight': zero([4, 1, 3, 3, 3]) }, 'a three-dimensional convolution'],
    [
      '1-D KAN convolution',
      {
        '0.base_conv.0.weight': zero([8, 1, 5]),
        '0.spline_conv.0.weight': zero([8, 8, 5]),
        '0.prelus.0.weight': zero([1]),
      },
      '0.spline_conv.0.weight [8, 8, 5]: a one-dimensional convolution, where kan-conv2d layers have 4 dimensions',
    ],
    ['embedding', { 'tok_embed.weight': zero([100, 4]) }, 'tok_embed.weight [100, 4]: an embedding'],
    ['attention', { 'a.in_proj_weight': zero([12, 4]) }, 'attention'],
    ['LSTM', { 'rnn.weight_ih_l0': zero([16, 4]) }, 'recurrent layer'],
    ['transposed convolution', { 'up.weight': zero([4, 2, 3, 3]), 'up.bias': zero([2]) }, 'a transposed'],
    ['RMS norm', { 'norm.weight': zero([4]) }, 'a normalisation without a bias'],
    [
      'bias in a KAN layer',
      { ...kan('k', 3, 2), 'k.bias': zero([2]) },
      'k.bias [2]: a bias, which efficient-kan',
    ],
    [
      'norm in a KAN layer',
      { ...kan('k', 3, 2), 'k.layer_norm.weight': zero([3]), 'k.layer_norm.bias': zero([3]) },
      'k.layer_norm.weight [3], k.layer_norm.bias [3]: a normalisation, which efficient-kan layers do not have',
    ],
    [
      'KAN layer without its grid',
      { 'k.spline_weight': zero([2, 3, 5]), 'k.base_weight': zero([2, 3]) },
      'grid',
    ],
    ['parameter of an activation', { 'act.alpha': zero([1]) }, 'act.alpha [1]: a scale'],
    ['KALN', { 'c.poly_weights': zero([1, 4, 16, 3, 3]) }, 'KALN, KAJN or KABN'],
  ])('are not made of a file with a %s', (_, extra, says) => {
    const result = draft({ ...lone, ...extra });
    expect(codeOf(result)).toBe('K0213');
    expect(messageOf(result)).toContain(says);
  });

  it('are not made where layers do not follow each other', () => {
    const branches = draft({ ...kan('a', 4, 2), ...kan('b', 4, 2), ...linear('out', 4, 3) });
    expect(messageOf(branches)).toMatch(
      "'b' (efficient-kan) takes 4 features, but 'a' (efficient-kan) before it",
    );
    const back = draft({ ...linear('fc', 4, 9), 'up.weight': zero([1, 1, 3, 3]) });
    expect(messageOf(back)).toMatch("'up' (conv2d) takes images");
  });

  it('put norms with a list of their own beside the layers of their numbers, and say so', () => {
    const one = draft({
      ...kan('layers.0', 4, 4),
      ...kan('layers.1', 4, 4),
      ...kan('layers.2', 4, 4),
      ...batchNorm('bns.0', 4),
      ...batchNorm('bns.1', 4),
    });
    expect(layersOf(one).map((layer) => ('prefix' in layer ? layer.prefix : ''))).toEqual([
      'layers.0',
      'bns.0',
      'layers.1',
      'bns.1',
      'layers.2',
    ]);
    expect(rightOf(one).assumed?.join('\n')).toMatch(
      'order of the normalisations, which are a list of their own: by number, bns.0 after layers.0, bns.1 after layers.1',
    );
  });

  it('say what does not run before it is edited', () => {
    const one = draft({ 'conv.weight': zero([2, 1, 3, 3]), ...linear('fc', 50, 3) });
    expect(rightOf(one).assumed?.[0]).toMatch('does not run before it is edited');
  });
});

describe('checked drafts', () => {
  const mixed = {
    ...linear('fc1', 6, 5),
    ...batchNorm('bn1', 5),
    ...kan('kan', 5, 4),
    ...batchNorm('bn2', 4),
    ...linear('out', 4, 3),
  };
  const mixedLayers = [
    { type: 'linear', prefix: 'fc1' },
    { type: 'batch-norm', prefix: 'bn1' },
    { type: 'activation', function: 'tanh' },
    { type: 'efficient-kan', prefix: 'kan', baseActivation: 'tanh' },
    { type: 'batch-norm', prefix: 'bn2' },
    { type: 'linear', prefix: 'out' },
  ];

  it('find activations between layers and in them', () => {
    const golden = goldenFor(mixed, [6], mixedLayers);
    const one = checkedDraft(fileOf(mixed), golden);
    expect(layersOf(one)).toEqual(mixedLayers);
    expect(rightOf(one).assumed?.[0]).toMatch(/^checked: largest difference .* on 8 samples/);
    expect(one).toStrictEqual(checkedDraft(fileOf(mixed), golden));
  });

  it('find strides, paddings and poolings', () => {
    const net = {
      'a.weight': uniform(r, [2, 1, 3, 3]),
      'b.weight': uniform(r, [4, 2, 3, 3]),
      ...linear('fc', 4, 3),
    };
    const layers = [
      { type: 'conv2d', prefix: 'a', stride: 2, dilation: 1, padding: 1 },
      { type: 'activation', function: 'relu' },
      { type: 'maxpool', kernel: 2 },
      { type: 'conv2d', prefix: 'b', stride: 1, dilation: 1, padding: 1 },
      { type: 'activation', function: 'relu' },
      { type: 'avgpool' },
      { type: 'flatten' },
      { type: 'linear', prefix: 'fc' },
    ];
    expect(layersOf(checkedDraft(fileOf(net), goldenFor(net, [1, 12, 12], layers)))).toEqual(layers);
  });

  it('find norms before their layers, and residual sums', () => {
    const net = {
      ...kan('layers.0', 4, 4),
      ...kan('layers.1', 4, 4),
      ...batchNorm('bns.0', 4),
      ...batchNorm('bns.1', 4),
    };
    const before = ['0', '1'].flatMap((k) => [
      { type: 'batch-norm', prefix: `bns.${k}` },
      { type: 'efficient-kan', prefix: `layers.${k}` },
    ]);
    expect(layersOf(checkedDraft(fileOf(net), goldenFor(net, [4], before)))).toEqual(before);
    const sums = ['0', '1'].map((k) => ({
      type: 'residual',
      body: [
        { type: 'efficient-kan', prefix: `layers.${k}` },
        { type: 'batch-norm', prefix: `bns.${k}` },
      ],
    }));
    expect(layersOf(checkedDraft(fileOf(net), goldenFor(net, [4], sums)))).toEqual(sums);
  });

  it('say that a softmax at the end is left out', () => {
    const softmax = (row: ReadonlyArray<number>) => {
      const e = row.map(Math.exp);
      return e.map((v) => v / e.reduce((n, w) => n + w, 0));
    };
    for (const [end, name] of [
      [softmax, 'softmax'],
      [(row: ReadonlyArray<number>) => softmax(row).map(Math.log), 'log-softmax'],
    ] as const) {
      const one = rightOf(checkedDraft(fileOf(mixed), goldenFor(mixed, [6], mixedLayers, end)));
      expect(one.assumed?.[1]).toMatch(`the ${name} at the end is left out`);
    }
  });

  it('are refused where nothing computes the outputs, with how far off the nearest is', () => {
    const golden = goldenFor(mixed, [6], mixedLayers, (row) => row.map((v) => v * v + 1));
    const result = checkedDraft(fileOf(mixed), golden);
    expect(codeOf(result)).toBe('K0213');
    expect(messageOf(result)).toMatch(/none of the \d+ networks .* largest difference [\d.e-]+, RMS/);
    const wide = goldenFor(mixed, [6], mixedLayers, (row) => [...row, 0].slice(0, 3).concat(0).slice(1));
    expect(codeOf(checkedDraft(fileOf(mixed), wide))).toBe('K0213');
  });

  it('refuse data that are no inputs and outputs', () => {
    const data = new Float32Array(12).fill(1);
    const x = { shape: [2, 6], dtype: 'f4' as const, data };
    const y = (shape: ReadonlyArray<number>) => ({ shape, dtype: 'f4' as const, data: data.subarray(0, 6) });
    expect(codeOf(goldenOf(x, y([3, 2])))).toBe('K0701');
    expect(codeOf(goldenOf({ ...x, shape: [12] }, y([12])))).toBe('K0701');
    expect(rightOf(goldenOf({ ...x, shape: [2, 3, 2] }, y([2, 3]))).shape).toEqual([6]);
    expect(codeOf(goldenOf(x, { shape: [2], dtype: 'i4', data: Int32Array.of(0, 1) }))).toBe('K0701');
    expect(codeOf(goldenOf(x, { ...y([2, 3]), data: new Float32Array(6) }))).toBe('K0701');
    expect(codeOf(goldenOf(x, { ...y([2, 3]), data: new Float32Array(6).fill(Number.NaN) }))).toBe('K0701');
  });

  it('are read by the importer as they stand', () => {
    const one = rightOf(checkedDraft(fileOf(mixed), goldenFor(mixed, [6], mixedLayers)));
    expect(rightOf(buildArchitecture(one, fileOf(mixed), {})).graph).toStrictEqual(
      rightOf(build(mixed, [6], mixedLayers)).graph,
    );
  });
});
