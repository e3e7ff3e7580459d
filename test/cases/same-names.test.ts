/**
 * Networks whose tensors have the names of another one: a layer of each library with what the library computes for it.
 * Every one is right, or refused, or told as an assumption whose option makes it right.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FileTensor } from '../../src/importers/containers/tensor.js';
import type { Assumption, ImportOptions } from '../../src/importers/family.js';
import { importSource, importTensors, readNpy } from '../../src/importers/index.js';
import { sourceOf } from '../../src/importers/source.js';
import { workplace } from '../cli/support.js';
import { difference, f32, fileOf, run, uniform } from '../importers/arch/support.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';

const place = workplace();
const path = (name: string): string => fileURLToPath(new URL(`same-names/${name}`, import.meta.url));
const array = (name: string) => Float32Array.from(rightOf(readNpy(readFileSync(path(name)))).data);

/** How far a network of the folder is from the outputs of its library, and what was assumed. */
const read = (
  file: string,
  options: ImportOptions = {},
): { readonly off: number; readonly family: string; readonly assumptions: ReadonlyArray<Assumption> } => {
  const name = file.replace(/\.\w+$/, '');
  const source = sourceOf(readFileSync(path(file)), file);
  const { graph, family, assumptions } = rightOf(importSource(source, options));
  const outputs = run(graph, array(`${name}_inputs.npy`)).get('outputs')!;
  return { off: difference(outputs, array(`${name}_outputs.npy`)), family, assumptions };
};

const optionsOf = (assumptions: ReadonlyArray<Assumption>): ReadonlyArray<string | undefined> =>
  assumptions.map(({ option }) => option);

describe('radial bases', () => {
  it('FasterKAN is a family of its own, told by rbf.inv_denominator', () => {
    const { off, family, assumptions } = read('faster-kan.safetensors');
    expect(family).toBe('faster-kan');
    expect(off).toBeLessThan(1e-5);
    // Copies of the library compute with the denominator: that is the width 1 / 0.5.
    expect(optionsOf(assumptions)).toEqual(['--rbf-width 2', '--norm-epsilon']);
    expect(read('faster-kan.safetensors', { rbfWidth: 2 }).off).toBeGreaterThan(0.1);
    const gaussian = importSource(sourceOf(readFileSync(path('faster-kan.safetensors')), 'f'), {
      rbf: 'gaussian',
    });
    expect(codeOf(gaussian)).toBe('K0206');
    expect(messageOf(gaussian)).toContain('rbf.inv_denominator');
  });

  it('its first versions have the tensors of FastKAN: told, with an option that works', () => {
    const { off, assumptions } = read('faster-kan-first.safetensors');
    expect(off).toBeGreaterThan(0.1);
    expect(optionsOf(assumptions)).toEqual(['--rbf reflectional-switch', '--rbf-width', '--norm-epsilon']);
    const said = read('faster-kan-first.safetensors', { rbf: 'reflectional-switch' });
    expect(said.off).toBeLessThan(1e-5);
    expect(optionsOf(said.assumptions)).toEqual(['--rbf-width', '--norm-epsilon']);
    expect(read('faster-kan-first.safetensors', { family: 'faster-kan' }).off).toBeLessThan(1e-5);
    const all = read('faster-kan-first.safetensors', {
      rbf: 'reflectional-switch',
      rbfWidth: 0.33,
      normEpsilon: 1e-5,
    });
    expect(all.off).toBeLessThan(1e-5);
    expect(all.assumptions).toEqual([]);
  });

  it('a FastKAN with a width of its own: told, with an option that works', () => {
    const { off, assumptions } = read('fast-kan-width.safetensors');
    expect(off).toBeGreaterThan(0.1);
    expect(optionsOf(assumptions)).toEqual(['--base-activation', '--rbf-width', '--norm-epsilon']);
    expect(read('fast-kan-width.safetensors', { rbfWidth: 0.8 }).off).toBeLessThan(1e-5);
  });

  it('an architecture file says the same, for each layer', () => {
    const arch = (layer: object): ImportOptions => ({
      architecture: { text: JSON.stringify({ input: [16], layers: [layer] }), file: 'arch.json' },
    });
    const layer = { type: 'fast-kan', prefix: '' };
    const width = arch({ ...layer, rbfWidth: 0.8, epsilon: 1e-5, baseActivation: 'silu' });
    const said = read('fast-kan-width.safetensors', width);
    expect(said.off).toBeLessThan(1e-5);
    expect(said.assumptions).toEqual([]);
    const kind = arch({ ...layer, rbf: 'reflectional-switch' });
    expect(read('faster-kan-first.safetensors', kind).off).toBeLessThan(1e-5);
    expect(read('fast-kan-width.safetensors', { ...arch(layer), rbfWidth: 0.8 }).off).toBeLessThan(1e-5);
  });

  it('K0209: a field that says nothing about its layer is refused', () => {
    const layer = { type: 'fast-kan', prefix: '', baseActivation: 'gelu' };
    const result = importSource(sourceOf(readFileSync(path('faster-kan-first.safetensors')), 'f'), {
      architecture: { text: JSON.stringify({ input: [16], layers: [layer] }), file: 'arch.json' },
    });
    expect(codeOf(result)).toBe('K0209');
    expect(messageOf(result)).toContain('layers[0] (fast-kan): the field baseActivation has no effect');
  });

  it('on the command line', async () => {
    const said = ['--rbf', 'reflectional-switch', '--rbf-width', '0.33', '--norm-epsilon', '1e-5'];
    const file = path('faster-kan-first.safetensors');
    const described = await place.kanc(['import', '--describe', file, ...said]);
    expect(described.exit).toBe(0);
    expect(described.out).toContain('6 reflectional switches of width 0.33 on [-2, 2]');
    expect(described.out).toContain('nothing had to be assumed');
    const none = await place.kanc(['import', file, '--base-activation', 'gelu']);
    expect(none.exit).toBe(2);
    expect(none.err).toContain('K0206');
    expect(none.err).toContain('--base-activation');
    for (const [flag, value] of [
      ['--rbf', 'cubic'],
      ['--rbf-width', '0'],
      ['--norm-epsilon', '-1'],
      ['--squash', 'tanh'],
      ['--input-shape', '1x4x4'],
    ]) {
      const wrong = await place.kanc(['import', file, flag!, value!]);
      expect(wrong.err, flag).toMatch(/K0206.*option/);
      expect(wrong.err).toContain(flag);
    }
  });
});

describe('polynomials that see x and not tanh(x)', () => {
  it('are told, with an option and a field', () => {
    const tensors = { 'c.cheby_coeffs': f32([1, 1, 3], [0.5, 1, 2]) };
    const x = 0.75;
    const value = (options: ImportOptions): number =>
      run(rightOf(importTensors(fileOf(tensors), options)), [x]).get('outputs')![0]!;
    const sum = (s: number): number => 0.5 + s + 2 * (2 * s * s - 1);
    expect(value({})).toBeCloseTo(sum(Math.tanh(x)), 5);
    expect(value({ squash: 'none' })).toBeCloseTo(sum(x), 5);
    const text = JSON.stringify({ input: [1], layers: [{ type: 'cheby-kan', prefix: 'c', squash: 'none' }] });
    expect(value({ architecture: { text, file: 'arch.json' } })).toBeCloseTo(sum(x), 5);
    expect(codeOf(importTensors(fileOf(tensors), { squash: 'sigmoid' }))).toBe('K0206');
  });
});

describe('names of a family in a file of another', () => {
  it('K0201: layers of another library are not called broken ones of ours', () => {
    // FC-KAN and BSRBF-KAN: weights of rank 2, and norms and centers beside them.
    const fc = {
      'layers.0.base_weight': f32([1, 2], [1, 2]),
      'layers.0.spline_weight': f32([1, 4], [1, 2, 3, 4]),
      'layers.0.grid': f32([2, 4], [0, 1, 2, 3, 0, 1, 2, 3]),
      'layers.0.layernorm.weight': f32([2], [1, 1]),
      'layers.0.layernorm.bias': f32([2], [0, 0]),
      'layers.0.rbf.grid': f32([2], [0, 1]),
    };
    const result = importTensors(fileOf(fc));
    expect(codeOf(result)).toBe('K0201');
    expect(messageOf(result)).toContain('layers.0.spline_weight [1, 4]');
    expect(messageOf(result)).not.toContain('any, any');
  });

  it('K0202: a damaged file of a family is told by what it lacks', () => {
    const result = importTensors(
      fileOf({
        'layers.0.grid': f32([1, 4], [0, 1, 2, 3]),
        'layers.0.spline_weight': f32([1, 1, 2], [1, 2]),
      }),
    );
    expect(codeOf(result)).toBe('K0202');
    expect(messageOf(result)).toContain('layers.0.base_weight');
  });

  it('K0208: several networks of radial bases are not the first of them', () => {
    const r = randomOf(5);
    const network = (prefix: string) => ({
      [`${prefix}layers.0.rbf.grid`]: f32([2], [0, 1]),
      [`${prefix}layers.0.spline_linear.weight`]: uniform(r, [1, 4]),
    });
    const file = fileOf({ ...network('enc.'), ...network('dec.') });
    expect(codeOf(importTensors(file))).toBe('K0208');
    expect(codeOf(importTensors(file, { prefix: 'dec' }))).toBe('ok');
  });

  it('K0207 suggests to leave out only what is known to be no part', () => {
    const layer = { 'c.cheby_coeffs': f32([1, 1, 1], [1]) };
    const radial = {
      'layers.0.rbf.grid': f32([2], [0, 1]),
      'layers.0.spline_linear.weight': f32([1, 2], [1, 2]),
    };
    const weight = f32([2], [1, 1]);
    expect(messageOf(importTensors(fileOf({ ...radial, 'head.weight': weight })))).not.toContain('--ignore');
    expect(messageOf(importTensors(fileOf({ ...radial, 'criterion.weight': weight })))).toContain('--ignore');
    expect(codeOf(importTensors(fileOf({ ...radial, 'layers.0.total_ops': f32([1], [9]) })))).toBe('ok');
    expect(codeOf(importTensors(fileOf({ ...layer, 'criterion.weight': f32([1, 1], [1]) })))).toBe('K0201');
  });
});

describe('weights that are integers', () => {
  const grid = { 'layers.0.rbf.grid': f32([2], [0, 1]) };
  const integers = (dtype: 'I8' | 'U8' | 'BOOL' | 'I64'): FileTensor => ({
    dtype,
    shape: [1, 2],
    data: Int32Array.of(1, 0),
  });

  it('K0211: are refused, as their scales are not there', () => {
    for (const dtype of ['I8', 'U8', 'BOOL', 'I64'] as const) {
      const result = importTensors(fileOf({ ...grid, 'layers.0.spline_linear.weight': integers(dtype) }));
      expect(codeOf(result), dtype).toBe('K0211');
      expect(messageOf(result)).toContain('layers.0.spline_linear.weight');
    }
  });
});
