/** Weights that torch keeps in parts: folded as the module computes them, or refused by the name of what they are. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FileTensor, TensorFile } from '../../src/importers/containers/tensor.js';
import { foldParts } from '../../src/importers/fold.js';
import { importSource } from '../../src/importers/index.js';
import { sourceOf } from '../../src/importers/source.js';
import { workplace } from '../cli/support.js';
import { f32, fileOf, uniform } from '../importers/arch/support.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';

const { kanc } = workplace();
const path = (name: string): string => fileURLToPath(new URL(`parts/${name}`, import.meta.url));

type Tensors = Readonly<Record<string, FileTensor>>;
const folded = (tensors: Tensors): TensorFile => rightOf(foldParts(fileOf(tensors))).file;
const close = (a: ArrayLike<number>, b: ReadonlyArray<number>): void => {
  expect(a.length).toBe(b.length);
  for (const [k, v] of b.entries()) expect(a[k]).toBeCloseTo(v, 5);
};

describe('files of torch', () => {
  it('are folded, and tell so', async () => {
    for (const [file, how] of [
      ['pruned.pt', 'pruned'],
      ['weight-norm.pt', 'weight norm'],
    ]) {
      const told = await kanc(['import', '--describe', path(file!)]);
      expect(told.exit).toBe(0);
      expect(told.out).toContain(`folded: layers.0.base_weight (${how})`);
    }
    const imported = rightOf(importSource(sourceOf(readFileSync(path('pruned.pt')), 'pruned.pt')));
    expect(imported.folded).toEqual(['layers.0.base_weight (pruned)']);
  });

  it('K0211: of a parametrisation that is a function of its own are refused by its name', async () => {
    const told = await kanc(['import', path('orthogonal.pt')]);
    expect(told.exit).toBe(1);
    expect(told.err).toContain('K0211');
    expect(told.err).toContain('layers.0.parametrizations.base_weight');
    expect(told.err).toContain("remove_parametrizations(module, 'base_weight')");
  });
});

describe('the formulas', () => {
  it('pruning: the weight times its mask, of any type', () => {
    const mask: FileTensor = { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) };
    const file = folded({ w_orig: f32([3], [1, 2, 3]), w_mask: mask });
    expect([...file.tensors]).toEqual([['w', f32([3], [1, 0, 3])]]);
  });

  it('weight norm: over all axes but that of g, whichever it is', () => {
    const v = f32([2, 3], [3, 0, 4, 0, 5, 12]);
    const names = [
      ['w_g', 'w_v'],
      ['parametrizations.w.original0', 'parametrizations.w.original1'],
    ] as const;
    for (const [g, d] of names) {
      const rows = folded({ [g]: f32([2, 1], [10, 26]), [d]: v }).tensors.get('w');
      close(rows!.data, [6, 0, 8, 0, 10, 24]);
      const columns = folded({ [g]: f32([1, 3], [1, 1, 1]), [d]: v }).tensors.get('w');
      const long = Math.sqrt(16 + 144);
      close(columns!.data, [1, 0, 4 / long, 0, 1, 12 / long]);
      const all = folded({ [g]: f32([], [1]), [d]: f32([2, 2], [1, 1, 1, 1]) }).tensors.get('w');
      close(all!.data, [0.5, 0.5, 0.5, 0.5]);
    }
  });

  it('spectral norm: divided by u W v, for matrices, kernels and transposed ones', () => {
    const r = randomOf(7);
    const weight = uniform(r, [3, 2, 2]);
    for (const axis of [0, 1]) {
      const rows = weight.shape[axis]!;
      const [u, v] = [uniform(r, [rows], 0.1, 1), uniform(r, [12 / rows], 0.1, 1)];
      let sigma = 0;
      for (let a = 0; a < 3; a++) {
        for (let b = 0; b < 2; b++) {
          for (let c = 0; c < 2; c++) {
            const [row, column] = axis === 0 ? [a, b * 2 + c] : [b, a * 2 + c];
            sigma += u.data[row]! * weight.data[(a * 2 + b) * 2 + c]! * v.data[column]!;
          }
        }
      }
      const expected = [...weight.data].map((x) => x / sigma);
      close(folded({ 'm.w_orig': weight, 'm.w_u': u, 'm.w_v': v }).tensors.get('m.w')!.data, expected);
      const at = 'm.parametrizations.w.';
      const parts = { [`${at}original`]: weight, [`${at}0._u`]: u, [`${at}0._v`]: v };
      close(folded(parts).tensors.get('m.w')!.data, expected);
    }
  });

  it('one in the parts of another, and in the place of the first part', () => {
    const file = folded({
      before: f32([1], [0]),
      w_g: f32([1, 1], [10]),
      'other.weight': f32([1], [1]),
      w_v_orig: f32([1, 2], [3, 4]),
      w_v_mask: f32([1, 2], [1, 0]),
    });
    expect([...file.tensors.keys()]).toEqual(['before', 'w', 'other.weight']);
    close(file.tensors.get('w')!.data, [10, 0]);
  });
});

describe('what is no part', () => {
  it('stays as it is', () => {
    const tensors = { w: f32([1], [1]), w_g: f32([1], [1]), w_v: f32([1], [1]), x_g: f32([1], [1]) };
    expect([...folded(tensors).tensors.keys()]).toEqual(Object.keys(tensors));
  });

  it('K0203, K0204, K0211: parts that do not fit, are not finite, are integers', () => {
    const v = f32([2, 2], [1, 2, 3, 4]);
    const code = (tensors: Tensors): string => codeOf(foldParts(fileOf(tensors)));
    expect(code({ w_g: f32([3, 1], [1, 1, 1]), w_v: v })).toBe('K0203');
    expect(code({ w_orig: v, w_mask: f32([2], [1, 1]) })).toBe('K0203');
    expect(code({ w_orig: v, w_u: f32([3], [1, 1, 1]), w_v: f32([2], [1, 1]) })).toBe('K0203');
    expect(code({ w_g: f32([2, 1], [1, Number.NaN]), w_v: v })).toBe('K0204');
    expect(code({ w_g: { ...f32([2, 1], [1, 1]), dtype: 'I8' }, w_v: v })).toBe('K0211');
    expect(code({ 'parametrizations.w.original': v })).toBe('K0211');
    expect(messageOf(foldParts(fileOf({ 'a.parametrizations.w.original': v })))).toContain(
      'a.parametrizations.w',
    );
  });
});
