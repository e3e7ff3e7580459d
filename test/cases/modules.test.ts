/**
 * Whole modules, programs and arrays as torch and numpy write them (modules/make.py), against what PyTorch computed of
 * them, and what is told of each: nothing is assumed that the file answers.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import type { ImportOptions } from '../../src/importers/family.js';
import { importSource } from '../../src/importers/index.js';
import { sourceOf } from '../../src/importers/source.js';
import { type Graph, interpret, sizeOf } from '../../src/ir/index.js';
import { messageOf, rightOf } from '../support/checked.js';
import { floats } from '../support/pickle-writer.js';

const bytesOf = (name: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`modules/${name}`, import.meta.url)));

const importOf = (name: string, options: ImportOptions = {}) =>
  importSource(sourceOf(bytesOf(name), name), options);

/** The largest difference to what PyTorch computed, as a part of its largest value. */
const differenceOf = (graph: Graph, golden: string): number => {
  const inputs = rightOf(readNpy(bytesOf(`${golden}_inputs.npy`)));
  const outputs = rightOf(readNpy(bytesOf(`${golden}_outputs.npy`)));
  const type = graph.inputs[0]!.type;
  const data = Float32Array.from(inputs.data);
  const [found] = rightOf(interpret(graph, [{ type, batch: data.length / sizeOf(type), data }]));
  expect(found?.data).toHaveLength(outputs.data.length);
  let [difference, largest] = [0, 0];
  for (const [k, value] of outputs.data.entries()) {
    difference = Math.max(difference, Math.abs((found?.data[k] ?? Number.NaN) - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
};

const toldOf = (name: string, options: ImportOptions = {}): ReadonlyArray<string> =>
  rightOf(importOf(name, options)).assumptions.map(({ what, assumed }) => `${what}: ${assumed}`);

const IMAGES = { inputShape: [1, 8, 8] };
const GELU = { baseActivation: 'gelu' };

describe('files against PyTorch', () => {
  it.each<readonly [string, string, ImportOptions]>([
    ['kan.pt', 'kan', {}],
    ['kan-legacy.pt', 'kan', {}],
    ['parallel.pt', 'kan', {}],
    ['fast.pt', 'fast', {}],
    ['classifier.pt', 'classifier', {}],
    ['sequential.pt', 'sequential', {}],
    ['images.pt', 'images', IMAGES],
    ['weight-norm.pt', 'weight-norm', {}],
    ['script.pt', 'script', {}],
    ['script-kan.pt', 'kan', {}],
    ['arrays.pt', 'kan', GELU],
    ['arrays-protocol-4.pt', 'kan', GELU],
    ['arrays.npz', 'kan', GELU],
  ])('%s', (name, golden, options) => {
    expect(differenceOf(rightOf(importOf(name, options)).graph, golden)).toBeLessThan(1e-6);
  });
});

describe('what a whole module tells', () => {
  it('leaves nothing to assume where all layers stand in lists of torch', () => {
    for (const name of ['kan.pt', 'kan-legacy.pt', 'parallel.pt', 'sequential.pt', 'weight-norm.pt']) {
      expect(toldOf(name)).toEqual([]);
    }
    expect(toldOf('images.pt', IMAGES)).toEqual([]);
  });

  it('the optimizer beside it is told, and what lies beside without tensors is not', () => {
    expect(toldOf('fast.pt')).toEqual([
      'Python objects with tensors: optimizer (torch.optim.adam.Adam, 12 tensors): no part of the network',
    ]);
  });

  it('what a class of its own does with its modules is assumed, and told', () => {
    expect(toldOf('classifier.pt')).toEqual([
      'what Classifier does with its modules stands in its code, which no file holds: it runs encoder, kan one after another, and nothing else',
    ]);
  });

  it('an option that says otherwise is refused where the file answers', () => {
    expect(messageOf(importOf('kan.pt', { baseActivation: 'silu' }))).toMatch(/K0206.*no effect/);
    expect(messageOf(importOf('fast.pt', { rbfWidth: 0.5 }))).toMatch(/K0206.*no effect/);
  });

  it('by its names alone it is what its state dict is', () => {
    const byNames = rightOf(importOf('kan.pt', { family: 'efficient-kan', ...GELU }));
    expect(differenceOf(byNames.graph, 'kan')).toBeLessThan(1e-6);
    expect(byNames.family).toBe('efficient-kan');
  });

  it('a prefix chooses a module of it', () => {
    const { graph, assumptions } = rightOf(importOf('classifier.pt', { prefix: 'kan' }));
    expect(assumptions).toEqual([]);
    expect(graph.inputs[0]?.type.shape).toEqual([6]);
    const first = rightOf(importOf('fast.pt', { prefix: 'model.layers.0' }));
    expect(first.graph.inputs[0]?.type.shape).toEqual([4]);
    expect(first.assumptions.filter(({ what }) => !what.startsWith('Python objects'))).toEqual([]);
  });
});

describe('what is refused', () => {
  it.each([
    ['shared.pt', /K0212.*networks\.Shared.*activation behind all its layers/],
    ['own-activation.pt', /K0212.*module 1 is of the class networks\.Swish2/],
    ['own-base.pt', /K0212.*layers\.0.*base function is networks\.Swish2/],
    ['cycle.pt', /K0113.*nests more than 64 deep/],
    ['frozen.pt', /K0201.*without tensors.*frozen/],
    ['images.pt', /K0206.*--input-shape/],
    ['quantized.pt', /K0114.*layers\.0\.weight is a quantized tensor/],
    ['sparse.pt', /K0114.*w\.a is a sparse tensor.*to_dense/],
  ])('%s', (name, message) => {
    expect(messageOf(importOf(name))).toMatch(message);
  });
});

describe('torch.export', () => {
  const meta = (sizes: ReadonlyArray<number>, strides: ReadonlyArray<number>, dtype = 7) => ({
    dtype,
    sizes: sizes.map((as_int) => ({ as_int })),
    strides: strides.map((as_int) => ({ as_int })),
    storage_offset: { as_int: 0 },
  });
  const exported = (tensor_meta: object, use_pickle = false): Uint8Array =>
    zipSync({
      'm/archive_format': new TextEncoder().encode('pt2'),
      'm/data/weights/weight_0': floats([1, 2, 3, 4, 5, 6]),
      'm/data/weights/model_weights_config.json': new TextEncoder().encode(
        JSON.stringify({ config: { 'a.cheby_coeffs': { path_name: 'weight_0', use_pickle, tensor_meta } } }),
      ),
    });
  const read = (bytes: Uint8Array) => importSource(sourceOf(bytes, 'm.pt2'));

  it('weights beside the program are read', () => {
    const { format, graph } = rightOf(read(exported(meta([1, 2, 3], [6, 3, 1]))));
    expect(format).toBe('torch-export');
    expect(graph.outputs).toHaveLength(1);
  });

  it('another type, a Python object, and sizes beyond the file are refused by name', () => {
    expect(messageOf(read(exported(meta([1, 2, 3], [6, 3, 1], 9))))).toMatch(
      /K0112.*a\.cheby_coeffs.*number 9/,
    );
    expect(messageOf(read(exported(meta([1, 2, 3], [6, 3, 1]), true)))).toMatch(/K0112.*Python object/);
    expect(messageOf(read(exported(meta([1, 3, 3], [9, 3, 1]))))).toMatch(/K0109.*9 elements/);
    expect(messageOf(read(exported(meta([1, 2, 3], [6, 9, 1]))))).toMatch(/K0109/);
    expect(messageOf(read(exported(meta([1, 2, 3], [3, 1]))))).toMatch(/K0108/);
  });

  it('before torch 2.8: the state dict in the archive', () => {
    const old = zipSync({
      'serialized_exported_program.json': new TextEncoder().encode('{}'),
      'serialized_state_dict.pt': bytesOf('arrays.pt'),
    });
    expect(differenceOf(rightOf(importSource(sourceOf(old, 'm.pt2'), GELU)).graph, 'kan')).toBeLessThan(1e-6);
  });
});
