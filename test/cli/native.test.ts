/** run, eval and verify on artifacts of C and HLS: with a compiler of the machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/driver/node/hash.js';
import { nodeTools } from '../../src/driver/node/tools.js';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { rightOf } from '../support/checked.js';
import { missingTools } from '../support/tools.js';
import { data, REGRESSION, WINE, workplace } from './support.js';

const { kanc, path, putNpy, read } = workplace();
const npy = (name: string) => rightOf(readNpy(readFileSync(path(name))));

describe.skipIf(missingTools({ gcc: 'gcc', 'g++': 'g++' }))('artifacts that a compiler makes ready', () => {
  beforeAll(async () => {
    const calib = ['--calib', data('wine', 'calib_inputs.npy')];
    const options = ['--target-options', 'scratch=caller,name=wine'];
    await kanc(['compile', WINE, '-o', path('c'), ...calib, '--target', 'c', ...options]);
    await kanc(['compile', WINE, '-o', path('hls'), ...calib, '--target', 'hls']);
    await kanc(['compile', REGRESSION, '-o', path('refusing'), '--target', 'c', '--nan', 'refuse']);
  });

  it.each(['c', 'hls'])('%s: run gives what the graph gives', async (target) => {
    const input = ['--input', data('wine', 'test_inputs.npy')];
    for (const raw of [[], ['--raw']]) {
      const { exit, err } = await kanc(['run', path(target), ...input, '--output', path('a.npy'), ...raw]);
      expect([exit, err]).toEqual([0, expect.stringContaining(`(${target})`)]);
      await kanc(['run', path(target, 'model.kir'), ...input, '--output', path('b.npy'), ...raw]);
      expect(npy('a.npy')).toEqual(npy('b.npy'));
    }
  });

  it('verify compares every value of C programs, and the results of HLS designs', async () => {
    const counts = async (target: string): Promise<unknown> =>
      JSON.parse((await kanc(['verify', path(target), '--samples', '50', '--json'])).out);
    expect(await counts('c')).toMatchObject({
      samples: 50,
      mismatches: 0,
      integers: 50 * (13 + 8 + 8 + 3 + 3),
    });
    expect(await counts('hls')).toMatchObject({ samples: 50, mismatches: 0, integers: 50 * 3 });
  });

  it('verify finds a table that was changed', async () => {
    const source = read('c', 'wine.c');
    const changed = source.replace(
      /(s1_table\[\d+\] = \{\n\s+)(-?\d+)/,
      (_, before: string, n: string) => `${before}${Number(n) + 1}`,
    );
    expect(changed).not.toBe(source);
    const manifest = read('c', 'manifest.json');
    writeFileSync(path('c', 'wine.c'), changed);
    expect((await kanc(['verify', path('c')])).err).toContain('K0603');
    writeFileSync(
      path('c', 'manifest.json'),
      manifest.replace(sha256Of(Buffer.from(source)), sha256Of(Buffer.from(changed))),
    );
    const { exit, err } = await kanc(['verify', path('c'), '--samples', '300']);
    expect(exit).toBe(1);
    expect(err).toContain('K0604');
    writeFileSync(path('c', 'wine.c'), source);
    writeFileSync(path('c', 'manifest.json'), manifest);
  });

  it('eval names the target as the engine', async () => {
    const test = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];
    const { out } = await kanc(['eval', path('c'), ...test, '--json']);
    expect(JSON.parse(out)).toMatchObject({ engine: 'c', samples: 72 });
  });

  it('refuses NaN where the model was compiled to', async () => {
    putNpy('nan.npy', { shape: [1, 2], dtype: 'f4', data: Float32Array.of(0, Number.NaN) });
    const { exit, err } = await kanc([
      'run',
      path('refusing'),
      '--input',
      path('nan.npy'),
      '--output',
      path('no.npy'),
    ]);
    expect([exit, err]).toEqual([1, expect.stringContaining('K0701')]);
  });

  it('says what is missing, and what does not compile', async () => {
    const without = { tools: { ...nodeTools, run: () => undefined } };
    const missing = await kanc(['verify', path('c')], without);
    expect([missing.exit, missing.err]).toEqual([1, expect.stringContaining('apt-get install gcc')]);
    const failing = {
      tools: {
        ...nodeTools,
        run: () => ({ status: 1, stdout: new Uint8Array(0), stderr: 'wine.c:1: error' }),
      },
    };
    expect((await kanc(['verify', path('c')], failing)).err).toContain('wine.c:1: error');
    expect(E.isRight(nodeTools.scratch())).toBe(true);
  });

  it('opens no file outside of the folder', async () => {
    const manifest = read('hls', 'manifest.json');
    const hash = sha256Of(readFileSync(path('c', 'wine.h')));
    writeFileSync(
      path('hls', 'manifest.json'),
      manifest.replace('"golden.h"', `"../c/wine.h": "${hash}",\n    "golden.h"`),
    );
    const { exit, err } = await kanc(['verify', path('hls')]);
    expect([exit, err]).toEqual([1, expect.stringContaining('../c/wine.h is missing')]);
    writeFileSync(path('hls', 'manifest.json'), manifest);
  });
});
