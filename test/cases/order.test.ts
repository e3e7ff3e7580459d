/** What the order and the numbers of tensors tell about a network, and what they do not. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FileTensor, TensorFile } from '../../src/importers/containers/tensor.js';
import { chebyKan } from '../../src/importers/families/cheby/index.js';
import { importSource, importTensors, readNpy } from '../../src/importers/index.js';
import { sourceOf } from '../../src/importers/source.js';
import { difference, f32, fileOf, run, uniform } from '../importers/arch/support.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';

const path = (name: string): string => fileURLToPath(new URL(`same-names/${name}`, import.meta.url));
const array = (name: string) => Float32Array.from(rightOf(readNpy(readFileSync(path(name)))).data);

const torch = (tensors: Readonly<Record<string, FileTensor>>): TensorFile => ({
  ...fileOf(tensors),
  container: 'torch-zip',
});

describe('the order of a file', () => {
  it('decides where normalisations stand, in a torch file', () => {
    const source = sourceOf(readFileSync(path('norms-first.pt')), 'norms-first.pt');
    const { graph, assumptions } = rightOf(importSource(source));
    const outputs = run(graph, array('norms-first_inputs.npy')).get('outputs')!;
    expect(difference(outputs, array('norms-first_outputs.npy'))).toBeLessThan(1e-5);
    expect(assumptions[1]?.assumed).toBe('in the order of the file: norm1 before cheby1, norm2 after cheby1');
  });

  it('decides the order of layers whose names tell another one', () => {
    const r = randomOf(1);
    const tensors = {
      'entry.cheby_coeffs': uniform(r, [2, 2, 3]),
      'deep.cheby_coeffs': uniform(r, [2, 2, 3]),
    };
    const orderOf = (file: TensorFile): ReadonlyArray<number> =>
      Array.from(run(rightOf(importTensors(file)), [0.3, -1]).get('outputs')!);
    const swapped = {
      'deep.cheby_coeffs': tensors['deep.cheby_coeffs'],
      'entry.cheby_coeffs': tensors['entry.cheby_coeffs'],
    };
    // safetensors files are sorted by name: the order in them tells nothing.
    expect(orderOf(fileOf(tensors))).toEqual(orderOf(fileOf(swapped)));
    expect(orderOf(torch(swapped))).toEqual(orderOf(fileOf(swapped)));
    expect(orderOf(torch(tensors))).not.toEqual(orderOf(fileOf(tensors)));
  });

  it('does not move normalisations that are defined behind all layers', () => {
    const r = randomOf(2);
    const tensors = {
      'c1.cheby_coeffs': uniform(r, [2, 2, 3]),
      'c2.cheby_coeffs': uniform(r, [2, 2, 3]),
      'n1.weight': uniform(r, [2], 0.5, 1.5),
      'n1.bias': uniform(r, [2]),
    };
    const { nodes } = rightOf(importTensors(torch(tensors)));
    expect(nodes.map(({ name }) => name)).toEqual(['layer0', 'norm0_after', 'layer1']);
  });

  it('two normalisations for one place are refused by what is wrong with them', () => {
    const r = randomOf(3);
    const norm = { weight: uniform(r, [2], 0.5, 1.5), bias: uniform(r, [2]) };
    const result = importTensors(
      fileOf({
        'net.0.cheby_coeffs': uniform(r, [2, 2, 3]),
        'net.1.weight': norm.weight,
        'net.1.bias': norm.bias,
        'net.2.weight': norm.weight,
        'net.2.bias': norm.bias,
      }),
    );
    expect(codeOf(result)).toBe('K0203');
    expect(messageOf(result)).toContain('another normalisation stands after net.0 already');
  });
});

describe('a list that leaves out a number', () => {
  const r = randomOf(4);
  const first = uniform(r, [3, 2, 4]);
  const second = uniform(r, [2, 2, 4]);

  it('K0212: between layers, something without tensors stands there', () => {
    for (const parent of ['', 'net.', 'layers.']) {
      const result = importTensors(
        fileOf({ [`${parent}0.cheby_coeffs`]: first, [`${parent}2.cheby_coeffs`]: second }),
      );
      expect(codeOf(result)).toBe('K0212');
      expect(messageOf(result)).toContain(`what ${parent}1 is, before ${parent}2`);
      expect(messageOf(result)).toContain('--arch');
    }
  });

  it('K0212 and K0201: in the lists of the other families, too', () => {
    const layer = (l: number) => ({
      [`layers.${l}.grid`]: f32([1, 4], [0, 1, 2, 3]),
      [`layers.${l}.base_weight`]: f32([1, 1], [1]),
      [`layers.${l}.spline_weight`]: f32([1, 1, 2], [1, 2]),
    });
    const gap = importTensors(fileOf({ ...layer(0), ...layer(2) }));
    expect(codeOf(gap)).toBe('K0212');
    const norm = { 'layers.1.weight': f32([1], [1]), 'layers.1.bias': f32([1], [0]) };
    const other = importTensors(fileOf({ ...layer(0), ...norm, ...layer(2) }));
    expect(codeOf(other)).toBe('K0201');
    expect(messageOf(other)).toContain('layers.1.weight');
  });

  it('is told before the first layer, where a flattening stands', () => {
    const file = fileOf({ '1.cheby_coeffs': first, '2.cheby_coeffs': second });
    const { assumptions } = rightOf(chebyKan.read(file, {}, sourceOf(new Uint8Array(0), '')));
    expect(assumptions).toContainEqual({
      what: 'no tensor tells what 0 is, before the first layer',
      assumed: 'nothing, or a flattening',
      option: '--arch',
    });
  });

  it('is none where a list has children of other names, or layers are attributes', () => {
    for (const [a, b] of [
      ['net.0', 'net.last'],
      ['cheby1', 'cheby3'],
    ]) {
      const file = fileOf({ [`${a}.cheby_coeffs`]: first, [`${b}.cheby_coeffs`]: second });
      expect(codeOf(importTensors(file))).toBe('ok');
    }
  });

  it('an architecture file says what is there', () => {
    const tensors = { '0.cheby_coeffs': first, '2.cheby_coeffs': second };
    const layers = [
      { type: 'cheby-kan', prefix: '0' },
      { type: 'activation', function: 'relu' },
      { type: 'cheby-kan', prefix: '2' },
    ];
    const text = JSON.stringify({ input: [3], layers });
    const graph = rightOf(importTensors(fileOf(tensors), { architecture: { text, file: 'arch.json' } }));
    expect(graph.nodes.map(({ op }) => op.kind)).toEqual(['kan', 'activate', 'kan']);
  });
});
