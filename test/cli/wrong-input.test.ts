/** What people give by mistake: one clear paragraph, exit 1 (2 for values of options), and nothing is written. */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { call, global, pickle, text } from '../support/pickle-writer.js';
import { data, model, safetensors, WINE, workplace } from './support.js';

const { kanc, path, list, put, putNpy } = workplace();

const refused = async (argv: ReadonlyArray<string>, code: string, status = 1): Promise<string> => {
  const before = list();
  const { exit, out, err } = await kanc(argv);
  expect(err).toMatch(new RegExp(`^error ${code}: [^\\n]+\\n$`));
  expect(exit).toBe(status);
  expect(out).toBe('');
  expect(list()).toEqual(before);
  return err;
};

const compile = (checkpoint: string, ...more: ReadonlyArray<string>) => [
  'compile',
  checkpoint,
  '-o',
  path('out'),
  ...more,
];

describe('checkpoints', () => {
  it('that are cut off', async () => {
    const whole = readFileSync(model('efficient-kan-wine', 'model.pt'));
    const cut = put('cut.pt', whole.subarray(0, whole.length / 2));
    expect(await refused(compile(cut), 'K01(03|10)')).toContain('cut.pt');
    const tensors = readFileSync(WINE);
    await refused(compile(put('cut.safetensors', tensors.subarray(0, tensors.length - 10))), 'K0(103|106)');
  });

  it('whose tensors overlap', async () => {
    const entry = (begin: number) => ({ dtype: 'F32', shape: [2], data_offsets: [begin, begin + 8] });
    const file = put('overlap.safetensors', safetensors({ a: entry(0), b: entry(4) }, [1, 2, 3]));
    expect(await refused(compile(file), 'K0106')).toMatch(/overlap/);
  });

  it('that name os.system', async () => {
    const attack = pickle(call(global('os', 'system'), text('touch owned')));
    const file = put(
      'attack.pt',
      zipSync({ 'archive/data.pkl': Uint8Array.from(attack), 'archive/version': new Uint8Array([51, 10]) }),
    );
    expect(await refused(compile(file), 'K0107')).toContain('os');
    await refused(compile(put('bare.pt', Uint8Array.from(attack))), 'K01..');
  });

  it('of a family that is not known: the message lists what was found and what is supported', async () => {
    const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
    const file = put('other.safetensors', safetensors({ 'encoder.weight': entry }, [1, 2]));
    const message = await refused(compile(file), 'K0201');
    expect(message).toContain('encoder.weight [2]');
    expect(message).toContain('efficient-kan');
  });

  it('with NaN weights', async () => {
    const bytes = Uint8Array.from(readFileSync(WINE));
    // The last tensor of the file: all its weights.
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, Number.NaN, true);
    expect(await refused(compile(put('nan.safetensors', bytes)), 'K0204')).toMatch(/layers\.\d/);
  });

  it('that are not there, are folders or are something else', async () => {
    await refused(compile(path('absent.pt')), 'K0101');
    await refused(compile(data('wine', '')), 'K0101');
    await refused(compile(data('wine', 'test_inputs.npy')), 'K0104');
    await refused(compile(put('empty.pt', '')), 'K0104');
  });

  it('with options that do not exist', async () => {
    await refused(compile(WINE, '--family', 'no-kan'), 'K0206', 2);
    await refused(compile(WINE, '--base-activation', 'swoosh'), 'K0206', 2);
    await refused(compile(WINE, '--target', 'abacus'), 'K0601', 2);
  });
});

describe('data', () => {
  it('of a wrong shape, type or size', async () => {
    const digits = data('digits', 'calib_inputs.npy');
    expect(await refused(compile(WINE, '--calib', digits), 'K0701')).toMatch(/\[1078, 64\].*\[samples, 13\]/);
    await refused(compile(WINE, '--calib', put('text.npy', 'not an array')), 'K0704');
    const none = putNpy('none.npy', { shape: [0, 13], dtype: 'f4', data: new Float32Array(0) });
    await refused(compile(WINE, '--calib', none), 'K0701');
  });

  it('with labels that do not fit', async () => {
    const evaluate = (labels: string) => [
      'eval',
      WINE,
      '--data',
      data('wine', 'test_inputs.npy'),
      '--labels',
      labels,
    ];
    const count = await refused(evaluate(data('digits', 'test_labels.npy')), 'K0702');
    expect(count).toContain('719');
    const big = putNpy('big.npy', { shape: [72], dtype: 'i4', data: new Int32Array(72).fill(3) });
    expect(await refused(evaluate(big), 'K0702')).toContain('a class from 0 to 2');
    const floats = putNpy('floats.npy', { shape: [72], dtype: 'f4', data: new Float32Array(72).fill(0.5) });
    expect(await refused(evaluate(floats), 'K0702')).toContain('one class number per sample');
  });
});

describe('pipelines', () => {
  it('that are misspelt or ill-ordered', async () => {
    expect(await refused(compile(WINE, '--passes', 'calibrat'), 'K0501', 2)).toContain(
      "Did you mean 'calibrate'",
    );
    await refused(compile(WINE, '--passes', 'calibrate{data'), 'K0502', 2);
    await refused(compile(WINE, '--passes', 'quantize{bits=3}'), 'K0503', 2);
    await refused(compile(WINE, '--passes', 'tabulate,quantize'), 'K0504', 2);
    await refused(compile(WINE, '--passes', 'calibrate,quantize'), 'K0504', 2);
    await refused(compile(WINE, '--passes', 'calibrate{data=absent.npy},quantize,tabulate'), 'K0101');
    await refused(compile(WINE, '--print-ir-after', 'folding'), 'K0501', 2);
  });
});

describe('artifacts', () => {
  it('that are none or damaged', async () => {
    await kanc(compile(WINE));
    const out = path('out');
    await refused(['verify', path()], 'K0603');
    await refused(['run', path(), '--input', 'x.npy', '--output', path('y.npy')], 'K0603');
    const wasm = Uint8Array.from(readFileSync(path('out', 'model.wasm')));
    wasm[wasm.length - 5]! ^= 1;
    put('out/model.wasm', wasm);
    expect(await refused(['verify', out], 'K0603')).toContain('model.wasm');
    put('out/manifest.json', '{');
    await refused(['verify', out], 'K0603');
  });
});

describe('graphs', () => {
  it('that do not parse or break the rules', async () => {
    expect(await refused(['opt', put('bad.kir', 'kir 1\ngraph @x {'), '--passes', 'dce'], 'K0301')).toContain(
      'bad.kir:2',
    );
  });
});
