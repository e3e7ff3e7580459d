/** run, eval and verify on compiled artifacts. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/driver/node/hash.js';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { rightOf } from '../support/checked.js';
import { data, model, REGRESSION, WINE, workplace } from './support.js';

const { kanc, path, read, list, putNpy } = workplace();
const WINE_TEST = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];

const npy = (name: string) => rightOf(readNpy(readFileSync(path(name))));

beforeAll(async () => {
  await kanc(['compile', WINE, '-o', path('wine'), '--calib', data('wine', 'calib_inputs.npy')]);
  const calib = data('regression', 'calib_inputs.npy');
  await kanc(['compile', REGRESSION, '-o', path('regression'), '--calib', calib, '--nan', 'refuse']);
});

describe('kanc run', () => {
  it('gives the same outputs and integers for the artifact and for its graph', async () => {
    const input = ['--input', data('wine', 'test_inputs.npy')];
    for (const raw of [[], ['--raw']]) {
      await kanc(['run', path('wine'), ...input, '--output', path('a.npy'), ...raw]);
      await kanc(['run', path('wine', 'model.kir'), ...input, '--output', path('b.npy'), ...raw]);
      expect(npy('a.npy')).toMatchObject({ shape: [72, 3], dtype: raw.length === 0 ? 'f4' : 'i4' });
      expect(npy('a.npy')).toEqual(npy('b.npy'));
    }
  });

  it('refuses --raw on floats and input flags on artifacts', async () => {
    const files = ['--input', data('wine', 'test_inputs.npy'), '--output', path('none.npy')];
    expect(await kanc(['run', WINE, ...files, '--raw'])).toMatchObject({ exit: 2 });
    expect(await kanc(['run', path('wine'), ...files, '--input-mean', '1'])).toMatchObject({ exit: 2 });
    expect(list()).not.toContain('none.npy');
  });

  it('refuses NaN where the model was compiled to', async () => {
    const values = Float32Array.of(0, Number.NaN);
    const input = putNpy('nan.npy', { shape: [1, 2], dtype: 'f4', data: values });
    for (const target of [path('regression'), path('regression', 'model.kir')]) {
      const { exit, err } = await kanc(['run', target, '--input', input, '--output', path('none.npy')]);
      expect(exit).toBe(1);
      expect(err).toContain('K0701');
    }
  });

  it('normalises for a checkpoint as the artifact does', async () => {
    const flags = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];
    const images = data('fashion-mnist', 'test_images.npy');
    const fashion = model('efficient-kan-fashion');
    const test = ['--data', images, '--labels', data('fashion-mnist', 'test_labels.npy'), '--limit', '300'];
    const float = await kanc(['eval', fashion, ...flags, ...test, '--json']);
    expect(JSON.parse(float.out)).toMatchObject({ engine: 'float', samples: 300 });
    expect(JSON.parse(float.out).accuracy).toBeGreaterThan(0.83);
    expect((await kanc(['eval', fashion, ...test])).err).toContain('--input-dtype u8');
  });
});

describe('kanc eval', () => {
  it('prints one JSON object', async () => {
    const { out, err } = await kanc(['eval', path('wine'), ...WINE_TEST, '--json']);
    expect(err).toMatch(/^assumed when it was compiled: [^\n]*\n$/);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ engine: 'wasm', samples: 72 });
    expect(result.accuracy).toBeGreaterThan(0.95);
    expect(result.microsecondsPerInference).toBeGreaterThan(0);
    // Test inputs reach a little beyond the calibrated range.
    expect(result.clipped.input).toBeGreaterThan(0);
    expect(result.clipped.input).toBeLessThan(0.05);
    expect(result.clipped.hidden).toBeLessThan(0.05);
  });

  it('names its engine, and gives the accuracy of the same integers', async () => {
    const [wasm, kir, float] = await Promise.all(
      [path('wine'), path('wine', 'model.kir'), WINE].map(async (target) =>
        JSON.parse((await kanc(['eval', target, ...WINE_TEST, '--json'])).out),
      ),
    );
    expect([wasm.engine, kir.engine, float.engine]).toEqual(['wasm', 'interpreter', 'float']);
    expect(kir.accuracy).toBe(wasm.accuracy);
    expect(kir.clipped).toEqual(wasm.clipped);
    expect(float.clipped).toBeUndefined();
  });

  it('gives the RMSE for float targets, and a text for people', async () => {
    const test = [
      '--data',
      data('regression', 'test_inputs.npy'),
      '--labels',
      data('regression', 'test_targets.npy'),
    ];
    const result = JSON.parse((await kanc(['eval', path('regression'), ...test, '--json'])).out);
    expect(result.accuracy).toBeUndefined();
    expect(result.rmse).toBeLessThan(0.05);
    const { out } = await kanc(['eval', path('regression'), ...test, '--limit', '10']);
    expect(out).toMatch(/^RMSE 0\.\d+ on 10 samples \(wasm, .* us per inference\)\nclipped/);
  });
});

describe('kanc verify', () => {
  it('proves every stage with --prove, as text and as JSON', async () => {
    const { exit, out, err } = await kanc(['verify', path('wine'), '--prove']);
    expect(err).toBe('');
    expect(exit).toBe(0);
    expect(out).toContain('proved   3,328 pairs of input and code, the others at code 128');
    expect(out).toMatch(/^5 stages proved, 0 sampled: \d+ results compared, 0 mismatches/m);
    expect(out).toContain('- the ranges of model.kir are right');
    const json = await kanc(['verify', path('wine'), '--prove', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({
      target: 'wasm',
      mismatches: 0,
      stages: { proved: 5, sampled: 0 },
    });
  });

  it('compares every integer on random and special inputs, and on data', async () => {
    const random = await kanc(['verify', path('wine'), '--samples', '500', '--json']);
    expect(random.exit).toBe(0);
    const result = JSON.parse(random.out);
    expect(result).toMatchObject({ files: 6, samples: 500, mismatches: 0 });
    expect(result.integers).toBeGreaterThan(500 * (13 + 8 + 8 + 3));
    const given = await kanc(['verify', path('wine'), '--data', data('wine', 'test_inputs.npy')]);
    expect(given.out).toMatch(/72 samples, \d+ integers and \d+ floats compared, 0 mismatches/);
    expect((await kanc(['verify', path('regression'), '--samples', '200', '--seed', '7'])).exit).toBe(0);
  });

  it('names the first value that differs', async () => {
    const manifest = JSON.parse(read('regression', 'manifest.json'));
    // A graph that is not the one of the module, under a hash that says it is.
    const kir = read('regression', 'model.kir').replace(/shift = (\d+)/, (_, s) => `shift = ${s - 1}`);
    manifest.files['model.kir'] = sha256Of(kir);
    writeFileSync(path('regression', 'model.kir'), kir);
    writeFileSync(path('regression', 'manifest.json'), JSON.stringify(manifest));
    const { exit, out, err } = await kanc(['verify', path('regression'), '--samples', '100', '--json']);
    expect(exit).toBe(1);
    expect(err).toMatch(/^error K0604: .*value '\w+' differs at element \d+ of sample \d+/);
    expect(JSON.parse(out).mismatches).toBeGreaterThan(0);
  });

  it('is not needed to see that model.kir was edited: all commands do', async () => {
    await kanc(['compile', WINE, '-o', path('edited')]);
    writeFileSync(path('edited', 'model.kir'), `${read('edited', 'model.kir')}// edited\n`);
    const input = ['--input', data('wine', 'test_inputs.npy'), '--output', path('none.npy')];
    for (const argv of [
      ['eval', path('edited'), ...WINE_TEST],
      ['run', path('edited'), ...input],
      ['print', path('edited')],
      ['verify', path('edited')],
    ]) {
      const { exit, out, err } = await kanc(argv);
      expect(err).toMatch(/^error K0603: [^\n]*model\.kir is not the file/);
      expect({ exit, out }).toEqual({ exit: 1, out: '' });
    }
    rmSync(path('edited', 'model.kir'));
    expect((await kanc(['eval', path('edited'), ...WINE_TEST])).err).toContain('model.kir is missing');
  });

  it('refuses a manifest whose numbers do not fit the module', async () => {
    await kanc(['compile', WINE, '-o', path('numbers')]);
    const manifest = JSON.parse(read('numbers', 'manifest.json'));
    for (const capacity of [0, 1e9]) {
      const memory = { ...manifest.memory, capacity };
      writeFileSync(path('numbers', 'manifest.json'), JSON.stringify({ ...manifest, memory }));
      const { exit, err } = await kanc(['eval', path('numbers'), ...WINE_TEST]);
      expect(err).toContain('K0603');
      expect(exit).toBe(1);
    }
  });

  it('checks the hashes of files', async () => {
    writeFileSync(path('wine', 'index.js'), '// changed');
    const { exit, err } = await kanc(['verify', path('wine')]);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0603.*index\.js/);
  });
});
