/** Networks that pykan itself wrote, with what it computes for them, in the forms in which its users have them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { workplace } from '../cli/support.js';
import { f32 } from '../importers/arch/support.js';
import { randomPykan, safetensorsOf, type Tensors } from '../importers/families/pykan-support.js';
import { rightOf } from '../support/checked.js';

const place = workplace();
const { kanc } = place;
const HERE = new URL('./pykan/', import.meta.url).pathname;

const array = (path: string) => rightOf(readNpy(readFileSync(path)));

/** The largest difference from what pykan computes for x.npy. */
const difference = async (
  folder: string,
  file: string,
  options: ReadonlyArray<string> = [],
): Promise<number> => {
  const out = place.path(`${folder}.npy`);
  const ran = await kanc(['run', file, '--input', `${HERE}${folder}/x.npy`, '--output', out, ...options]);
  expect(ran.err).toBe(ran.err.replace(/^error.*/m, ''));
  expect(ran.exit).toBe(0);
  const [found, golden] = [array(out).data, array(`${HERE}${folder}/y.npy`).data];
  expect(found.length).toBe(golden.length);
  return Math.max(...Array.from(golden, (y, j) => Math.abs(y - found[j]!)));
};

const describeText = async (path: string): Promise<string> =>
  (await kanc(['import', '--describe', path])).out;

describe('repeated knots', () => {
  it('are computed as pykan does, from the checkpoint and from its text', async () => {
    const state = `${HERE}repeated-knots/m_state`;
    expect(await difference('repeated-knots', state)).toBeLessThan(1e-4);
    const text = place.path('repeated.kir');
    await kanc(['import', state, '-o', text]);
    expect(place.read('repeated.kir')).toContain('repeated = "vanish"');
    expect(await difference('repeated-knots', text)).toBeLessThan(1e-4);
  });

  it.each(['basis', 'edge'])('are compiled so, in the %s form', async (form) => {
    const out = place.path(`repeated-${form}`);
    const calib = `${HERE}repeated-knots/x.npy`;
    const argv = ['compile', `${HERE}repeated-knots/m_state`, '--calib', calib, '--form', form];
    const compiled = await kanc([...argv, '--quant', 'act=12,table=14,coef=14,basis=12', '-o', out]);
    expect(compiled.err).not.toContain('error');
    expect(await difference('repeated-knots', out)).toBeLessThan(0.05);
  });
});

describe('the base function', () => {
  it.each([
    ['base-class', 'm_state', 'tanh'],
    ['base-object', 'model_state', 'relu'],
  ])('is read of the class that the configuration names: %s', async (folder, file, activation) => {
    expect(await difference(folder, `${HERE}${folder}/${file}`)).toBeLessThan(1e-4);
    expect((await kanc(['print', `${HERE}${folder}/${file}`])).out).toContain(`"${activation}"`);
  });

  it('is refused where it is a function of the owner, with what there is; a Gaussian is one of them', async () => {
    const state = `${HERE}base-lambda/m_state`;
    const refused = await kanc(['print', state]);
    expect(refused.exit).toBe(1);
    expect(refused.err).toMatch(
      /K0206.*the Python function __main__\.<lambda>.*silu.*gaussian.*--base-activation/,
    );
    expect(await difference('base-lambda', state, ['--base-activation', 'gaussian'])).toBeLessThan(1e-4);
  });
});

it('formulas that symbolic_enabled leaves out and layers that are constant are told', async () => {
  const state = `${HERE}symbolic-disabled/m_state`;
  expect(await difference('symbolic-disabled', state)).toBe(0);
  const told = await describeText(state);
  expect(told).toMatch(/2 edges are formulas in layer 0, but symbolic_enabled is false/);
  expect(told).toMatch(/every edge of layer 1 is masked/);
});

it('a network within a larger module is found', async () => {
  expect(await difference('under-a-prefix', `${HERE}under-a-prefix/m.pt`)).toBeLessThan(1e-4);
  expect(
    await difference('under-a-prefix', `${HERE}under-a-prefix/m.pt`, ['--prefix', 'model']),
  ).toBeLessThan(1e-4);
});

it('a state of a version before 0.1 is read', async () => {
  expect(await difference('before-0.1', `${HERE}before-0.1/m.pt`)).toBeLessThan(1e-4);
});

describe('a state of a version before 0.1', () => {
  /** Two inputs, one output, two intervals of order 1. */
  const old = (changes: Tensors = {}): Tensors => ({
    'act_fun.0.coef': f32([2, 3], [1, 2, 4, 0, 1, 0]),
    'act_fun.0.grid': f32([2, 3], [-1, 0, 1, 0, 1, 3]),
    'act_fun.0.mask': f32([2], [1, 1]),
    'act_fun.0.scale_base': f32([2], [0, 0]),
    'act_fun.0.scale_sp': f32([2], [1, 2]),
    'symbolic_fun.0.mask': f32([1, 2], [0, 0]),
    'symbolic_fun.0.affine': f32([1, 2, 4], new Array(8).fill(0)),
    'biases.0.weight': f32([1, 1], [10]),
    ...changes,
  });
  const run = async (tensors: Tensors) => {
    const file = place.put('old.safetensors', safetensorsOf(tensors));
    const input = place.putNpy('old-x.npy', { shape: [1, 2], dtype: 'f4', data: Float32Array.of(0.5, 2) });
    return kanc(['run', file, '--input', input, '--output', place.path('old-y.npy')]);
  };

  it('is its splines on the grid of each input, and its bias', async () => {
    expect(await run(old())).toMatchObject({ exit: 0 });
    // Hats: half of 2 and of 4 at 0.5; at 2, in the middle of [1, 3], half of 1, times 2.
    expect(array(place.path('old-y.npy')).data[0]).toBe(10 + 3 + 1);
  });

  it('is refused where it says too little, or NaN', async () => {
    const formula = await run(old({ 'symbolic_fun.0.mask': f32([1, 2], [0, 1]) }));
    expect(formula.err).toMatch(/K0202.*saves no names of functions.*symbolic\.funs_name/);
    place.put('old_config.yml', "symbolic.funs_name.0: [['0', 'x']]\n");
    const affine = f32([1, 2, 4], [0, 0, 0, 0, 1, 0, 5, 0]);
    const named = old({ 'symbolic_fun.0.mask': f32([1, 2], [0, 1]), 'symbolic_fun.0.affine': affine });
    expect(await run(named)).toMatchObject({ exit: 0 });
    expect(array(place.path('old-y.npy')).data[0]).toBe(10 + 3 + 1 + 5 * 2);
    expect((await run(old({ 'act_fun.0.grid': f32([2, 3], [-1, -1, 1, 0, 1, 3]) }))).err).toContain('K0210');
    expect((await run(old({ 'act_fun.0.coef': f32([2, 1], [1, 2]) }))).err).toContain('K0203');
    expect((await run(old({ 'act_fun.0.mask': f32([1], [1]) }))).err).toMatch(/K0203.*act_fun\.0\.mask/);
  });
});

it('K0208: several networks within a module, of which one is chosen', async () => {
  const net = randomPykan({
    seed: 1,
    nodes: [
      { sum: 2, arities: [] },
      { sum: 1, arities: [] },
    ],
    grid: 3,
    order: 2,
    masked: 0,
    symbolic: 0,
  });
  const twice = Object.fromEntries(
    ['a.', 'b.'].flatMap((start) => Object.entries(net.tensors).map(([name, t]) => [start + name, t])),
  );
  const file = place.put('two.safetensors', safetensorsOf(twice));
  const refused = await kanc(['print', file]);
  expect(refused.err).toMatch(/K0208.*'a\.', 'b\.'.*--prefix/);
  expect(await kanc(['print', file, '--prefix', 'b', '--no-resources'])).toMatchObject({ exit: 0 });
});
