/** Drafts that are tried on golden data: what the search finds, and what it says. */
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../src/importers/arch/build.js';
import { checkedDraft, goldenOf } from '../../../src/importers/arch/draft/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { batchNorm, draft, goldenFor, kan, layersOf, linear } from './draft-support.js';
import { build, fileOf, uniform } from './support.js';

const r = randomOf(20240612);

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
    expect(rightOf(one).assumed?.[0]).toMatch(/^checked: largest difference .* on 16 samples/);
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

  it('find out that a layer of a few possible kinds is KAJN', () => {
    const net = {
      'c.base_conv.0.weight': uniform(r, [2, 1, 3, 3]),
      'c.poly_weights': uniform(r, [1, 2, 3, 3, 3]),
      ...batchNorm('c.layer_norm.0', 2),
      ...linear('fc', 2, 3),
    };
    const layers = [
      { type: 'kajn-conv2d', prefix: 'c', stride: 1, padding: 1, dilation: 1 },
      { type: 'avgpool' },
      { type: 'flatten' },
      { type: 'linear', prefix: 'fc' },
    ];
    expect(messageOf(draft(net))).toMatch(/K0213.*may be of layers.*KAJN.*--check/);
    const kinds = layersOf(checkedDraft(fileOf(net), goldenFor(net, [1, 6, 6], layers))).map((l) => l.type);
    expect(kinds).toEqual(['kajn-conv2d', 'avgpool', 'flatten', 'linear']);
  });

  it('tell what makes a match less sure: few samples, and differences that are no noise', () => {
    const notes = (end: (row: ReadonlyArray<number>) => ReadonlyArray<number>, samples: number) =>
      rightOf(checkedDraft(fileOf(mixed), goldenFor(mixed, [6], mixedLayers, end, samples))).assumed?.join(
        '\n',
      );
    const same = notes((row) => row, 16);
    expect(same).not.toMatch('fewer than');
    expect(same).not.toMatch('noise of floats');
    expect(notes((row) => row, 15)).toMatch('fewer than 16 samples');
    expect(notes((row) => row.map((v) => v * 1.0005), 16)).toMatch('differ by more than the noise of floats');
  });
});
