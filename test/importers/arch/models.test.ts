/** The shipped convolutional checkpoints against golden outputs of the library. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeArchitecture, parseArchitecture } from '../../../src/importers/arch/architecture.js';
import { buildArchitecture } from '../../../src/importers/arch/build.js';
import { draftArchitecture, showArchitecture } from '../../../src/importers/arch/draft/index.js';
import { readCheckpoint, readNpy } from '../../../src/importers/containers/index.js';
import { resKanet } from '../../../src/importers/families/reskanet.js';
import { sourceOf } from '../../../src/importers/source.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { difference, run } from './support.js';

const MODELS = new URL('../../../examples/models/', import.meta.url);
const bytes = (name: string, file: string): Uint8Array => readFileSync(new URL(`${name}/${file}`, MODELS));
const golden = (name: string, file: string): Float32Array =>
  Float32Array.from(rightOf(readNpy(bytes(name, file))).data);
const tensors = (name: string) =>
  rightOf(readCheckpoint(bytes(name, 'model.safetensors'), 'model.safetensors'));
const NO_SOURCE = sourceOf(new Uint8Array(0), '');

const PIXELS = 28 * 28;

describe('conv-kan-fashion-batchnorm', () => {
  const name = 'conv-kan-fashion-batchnorm';
  const text = new TextDecoder().decode(bytes(name, 'arch.json'));

  it('gives the golden values of every layer', () => {
    const arch = rightOf(parseArchitecture(text, 'arch.json'));
    const { graph, assumptions } = rightOf(buildArchitecture(arch, tensors(name), {}));
    expect(assumptions.map((a) => a.what)).toEqual([
      'the knots of spline convolutions are not stored',
      'the epsilon of the norms is not stored',
      'the activation of the base branch is not stored',
    ]);
    const values = run(graph, golden(name, 'golden_inputs.npy'));
    expect(difference(values.get('outputs')!, golden(name, 'golden_outputs.npy'))).toBeLessThan(1e-4);
    const layers = ['layer0', 'layer1', 'layer2', 'avgpool', 'flatten', 'layer5'];
    for (const [index, layer] of layers.entries()) {
      // Layers are stored for the first samples only.
      const expected = golden(name, `golden_layer${index}.npy`);
      const value = Array.from(values.get(layer)!).slice(0, expected.length);
      expect(difference(value, expected), layer).toBeLessThan(1e-4);
    }
  });

  it('has a draft that tells its guesses and needs only the strides', () => {
    const draft = rightOf(draftArchitecture(tensors(name)));
    expect(draft.input).toEqual([1, 28, 28]);
    expect(draft.layers.map(({ type }) => type)).toEqual([
      'kan-conv2d',
      'kan-conv2d',
      'kan-conv2d',
      'avgpool',
      'flatten',
      'linear',
    ]);
    expect(draft.assumed?.join('\n')).toMatch('stride 1, padding 1');
    expect(draft.assumed?.join('\n')).toMatch('modules 3, 4 have no tensors');
    const edited = showArchitecture(draft)
      .replace('"stride": 1', '"stride": 2')
      .replace('"stride": 1', '"stride": 2');
    const arch = rightOf(parseArchitecture(edited, 'draft'));
    const { graph } = rightOf(buildArchitecture(arch, tensors(name), {}));
    const few = golden(name, 'golden_inputs.npy').subarray(0, 4 * PIXELS);
    const expected = golden(name, 'golden_outputs.npy').subarray(0, 40);
    expect(difference(run(graph, few).get('outputs')!, expected)).toBeLessThan(1e-4);
  });
});

describe('reskanet18x32p-fashion', () => {
  const name = 'reskanet18x32p-fashion';

  it('gives the golden outputs from its names alone', () => {
    const file = tensors(name);
    expect(resKanet.recognises(file)).toBe(true);
    const { graph, assumptions } = rightOf(resKanet.read(file, {}, NO_SOURCE));
    expect(assumptions.map((a) => `${a.what}: ${a.assumed} (${a.option})`)).toEqual([
      'height and width of the images are not stored: 28x28 (--input-shape)',
      'strides and pooling are not stored: the stem has stride 1 and no pooling; stages from the second on halve the image (--arch)',
      'the knots of spline convolutions are not stored: order 3, uniform over [-1, 1], where the layer does not say otherwise (--arch)',
      'norms behind convolutions have no running statistics: instance norms, of the values of each sample (--arch with "norm": "none" where there is none)',
      'the epsilon of the norms is not stored: 0.00001 (--norm-epsilon)',
      'the activation of the base branch is not stored: gelu (--base-activation)',
    ]);
    expect(graph.inputs[0]!.type.shape).toEqual([1, 28, 28]);
    const few = golden(name, 'golden_inputs.npy').subarray(0, 4 * PIXELS);
    const expected = golden(name, 'golden_outputs.npy').subarray(0, 40);
    expect(difference(run(graph, few).get('outputs')!, expected)).toBeLessThan(1e-3);
  });

  it('takes images of another size, but not of other channels', () => {
    const read = (inputShape: ReadonlyArray<number>) =>
      resKanet.read(tensors(name), { inputShape }, NO_SOURCE);
    expect(rightOf(read([1, 32, 20])).graph.inputs[0]!.type.shape).toEqual([1, 32, 20]);
    expect(messageOf(read([3, 32, 32]))).toMatch('takes 1 channels, but it is given 3');
    expect(codeOf(read([784]))).toBe('K0203');
    expect(codeOf(read([1, 0, 28]))).toBe('K0206');
    expect(codeOf(read([1, 1e9, 1e9]))).toBe('K0206');
  });

  it('has a draft that reads as the same network', () => {
    const draft = rightOf(draftArchitecture(tensors(name)));
    expect(draft.assumed).toHaveLength(3);
    expect(draft.assumed?.[2]).toMatch('nothing of this was tried');
    const json: unknown = JSON.parse(showArchitecture(draft));
    const arch = rightOf(decodeArchitecture(json));
    const graph = rightOf(buildArchitecture(arch, tensors(name), {})).graph;
    expect(graph).toStrictEqual(rightOf(resKanet.read(tensors(name), {}, NO_SOURCE)).graph);
  });

  it('tells what is missing', () => {
    const without = (prefix: string) => {
      const file = tensors(name);
      const left = new Map([...file.tensors].filter(([key]) => !key.startsWith(prefix)));
      return resKanet.read({ ...file, tensors: left }, {}, NO_SOURCE);
    };
    expect(messageOf(without('layer2.0.conv2.'))).toMatch('layer2.0.conv2.base_conv.0.weight');
    expect(messageOf(without('layer3.'))).toMatch('layer3.0.conv1');
    expect(messageOf(without('layer2.0.'))).toMatch('layer2.0.conv1');
    expect(messageOf(without('fc.weight'))).toMatch('tensor fc.weight');
  });
});
