/** Drafts of architecture files: what they can name, and what they refuse. */
import { describe, expect, it } from 'vitest';
import { decodeArchitecture } from '../../../src/importers/arch/architecture.js';
import { checkedDraft, showArchitecture } from '../../../src/importers/arch/draft/index.js';
import { importSource } from '../../../src/importers/import.js';
import { sourceOf } from '../../../src/importers/source.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { safetensorsOf } from '../families/pykan-support.js';
import { batchNorm, draft, goldenFor, kan, layersOf, linear, type Tensors, zero } from './draft-support.js';
import { f32, fileOf } from './support.js';

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

  it('take a norm within a KAN layer for one of its own, on the side that fits', () => {
    const net = { ...linear('fc', 4, 3), ...kan('k', 3, 2), ...batchNorm('k.layer_norm', 3) };
    expect(layersOf(draft(net)).map((layer) => ('prefix' in layer ? layer.prefix : ''))).toEqual([
      'fc',
      'k.layer_norm',
      'k',
    ]);
  });

  it('know FasterKAN by its tensors', () => {
    const net = {
      ...linear('fc', 4, 3),
      'k.rbf.grid': f32([2], [0, 1]),
      'k.rbf.inv_denominator': f32([], [0.5]),
      'k.spline_linear.weight': zero([2, 6]),
    };
    expect(layersOf(draft(net)).map(({ type }) => type)).toEqual(['linear', 'fast-kan']);
  });

  it('are told where they are read and nothing of them was tried', () => {
    const net = { ...linear('a', 4, 3), ...linear('b', 3, 2) };
    const told = (text: string) =>
      rightOf(
        importSource(sourceOf(safetensorsOf(net), 'x'), { architecture: { text, file: 'arch.json' } }),
      ).assumptions.map(({ what }) => what);
    const arch = rightOf(draft(net));
    expect(told(showArchitecture(arch))).toEqual([
      'the architecture file is a draft, of which nothing was tried',
    ]);
    const layers = [
      { type: 'linear', prefix: 'a' },
      { type: 'linear', prefix: 'b' },
    ];
    const found = rightOf(checkedDraft(fileOf(net), goldenFor(net, [4], layers)));
    expect(told(showArchitecture(found))).toEqual([]);
    expect(told(showArchitecture({ ...arch, assumed: [] }))).toEqual([]);
  });
});
