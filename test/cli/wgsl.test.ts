/** The command line on WebGPU artifacts. Those that run need Dawn and `npm run build`; see test/support/gpu/dawn.ts. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { diagnostic } from '../../src/diagnostics/index.js';
import { gpuEnvironment, skipsGpu } from '../support/gpu/dawn.js';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path, list, read } = workplace();
const root = fileURLToPath(new URL('../..', import.meta.url));

/** In a process that has a Vulkan driver. */
const withGpu = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ['bin/kanc.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: gpuEnvironment(),
  });

const calibrated = ['--calib', data('wine', 'calib_inputs.npy')];
const labelled = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];

beforeAll(async () => {
  for (const target of ['wgsl', 'wasm']) {
    const { exit, err } = await kanc([
      'compile',
      WINE,
      '--target',
      target,
      ...calibrated,
      '-o',
      path(target),
    ]);
    expect(err).toContain(`${target}, `);
    expect(exit).toBe(0);
  }
});

describe('kanc compile --target wgsl', () => {
  it('writes an artifact that tells its options', () => {
    expect(list('wgsl')).toEqual([
      'index.d.ts',
      'index.js',
      'manifest.json',
      'model.bin',
      'model.kir',
      'model.wgsl',
      'package.json',
    ]);
    expect(JSON.parse(read('wgsl', 'manifest.json'))).toMatchObject({
      target: 'wgsl',
      extra: { outOfRange: 'clamp' },
    });
  });

  it('adds the float network where it is asked for, and refuses it of networks that it does not cover', async () => {
    const flags = ['--target', 'wgsl', '--float-baseline'];
    const { exit } = await kanc(['compile', WINE, ...flags, ...calibrated, '-o', path('both')]);
    expect(exit).toBe(0);
    expect(list('both')).toEqual(expect.arrayContaining(['baseline.bin', 'baseline.js', 'baseline.wgsl']));
    const other = await kanc(['compile', model('pykan-symbolic', ''), ...flags, '-o', path('none')]);
    expect(other.exit).toBe(1);
    expect(other.err).toMatch(/K0602: .*the float baseline has no .*Leave out --float-baseline/);
    const wasm = await kanc(['compile', WINE, '--float-baseline', ...calibrated, '-o', path('none')]);
    expect(wasm.exit).toBe(2);
    expect(wasm.err).toMatch(/K0801.*floatBaseline/);
  });

  it('is listed among the targets', async () => {
    expect((await kanc(['targets'])).out).toMatch(/^wgsl: WebGPU/m);
  });
});

describe('WebGPU artifacts', () => {
  it('are read without a GPU', async () => {
    expect((await kanc(['print', path('wgsl')])).out).toContain('graph @model level table');
    expect((await kanc(['report', path('wgsl'), '--json'])).exit).toBe(0);
  });

  it('say what is missing where there is no WebGPU', async () => {
    const gpu = TE.left([diagnostic('K0606', 'the npm package webgpu could not be loaded')] as const);
    const { exit, err } = await kanc(['verify', path('wgsl')], { gpu });
    expect(exit).toBe(1);
    expect(err).toMatch(/^error K0606: .*wgsl: the npm package webgpu could not be loaded/);
    const none = await kanc(['eval', path('wgsl'), ...labelled], {
      gpu: TE.right({ requestAdapter: async () => null }),
    });
    expect(none.exit).toBe(1);
    expect(none.err).toMatch(/^error K0606: .*no graphics adapter.*VK_DRIVER_FILES/);
  });

  it('that are damaged are refused before they run', async () => {
    const folder = path('wgsl');
    const original = readFileSync(path('wgsl', 'model.bin'));
    const changed = Uint8Array.from(original);
    changed[0]! ^= 1;
    writeFileSync(path('wgsl', 'model.bin'), changed);
    const { exit, err } = await kanc(['verify', folder]);
    writeFileSync(path('wgsl', 'model.bin'), original);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0603: .*model.bin is not the file/);
    const manifest = read('wgsl', 'manifest.json');
    const gpu = TE.right({});
    for (const [from, to, said] of [
      ['"target": "wgsl"', '"target": "cuda"', /of target 'cuda'/],
      ['"length": 3,\n', '"length": 4,\n', /has 3 elements, not 4/],
      ['"page": 0', '"page": 7', /reads a page that there is not/],
    ] as const) {
      expect(manifest).toContain(from);
      writeFileSync(path('wgsl', 'manifest.json'), manifest.replace(from, to));
      const wrong = await kanc(['verify', folder], { gpu });
      expect(wrong.err).toMatch(said);
      expect(wrong.err).toContain('K0603');
    }
    writeFileSync(path('wgsl', 'manifest.json'), manifest);
  });
});

describe.skipIf(skipsGpu)('with a GPU', () => {
  it('verify finds every integer equal', () => {
    const done = withGpu(['verify', path('wgsl'), '--samples', '300', '--json']);
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout)).toMatchObject({ samples: 300, mismatches: 0 });
    expect(done.status).toBe(0);
  });

  it('verify tells a program that computes something else', async () => {
    // A module and a manifest that fit each other, and another model.kir.
    const wrong = [
      'compile',
      WINE,
      '--target',
      'wgsl',
      ...calibrated,
      '--quant',
      'table=6',
      '-o',
      path('wrong'),
    ];
    expect((await kanc(wrong)).exit).toBe(0);
    const manifest = JSON.parse(read('wrong', 'manifest.json'));
    manifest.files['model.kir'] = JSON.parse(read('wgsl', 'manifest.json')).files['model.kir'];
    writeFileSync(path('wrong', 'manifest.json'), JSON.stringify(manifest));
    writeFileSync(path('wrong', 'model.kir'), read('wgsl', 'model.kir'));
    const done = withGpu(['verify', path('wrong'), '--samples', '50']);
    expect(done.status).toBe(1);
    expect(done.stderr).toMatch(/^error K0604: .*the interpreter gives/);
  });

  it('run and eval give what WASM gives', async () => {
    const inputs = data('wine', 'test_inputs.npy');
    for (const raw of [[], ['--raw']]) {
      const done = withGpu(['run', path('wgsl'), '--input', inputs, '--output', path('gpu.npy'), ...raw]);
      expect(done.stderr).toContain('(wgsl)');
      await kanc(['run', path('wasm'), '--input', inputs, '--output', path('wasm.npy'), ...raw]);
      expect(readFileSync(path('gpu.npy'))).toEqual(readFileSync(path('wasm.npy')));
    }
    const own = JSON.parse(withGpu(['eval', path('wgsl'), ...labelled, '--json']).stdout);
    const other = JSON.parse((await kanc(['eval', path('wasm'), ...labelled, '--json'])).out);
    expect(own).toMatchObject({ engine: 'wgsl', accuracy: other.accuracy, samples: other.samples });
  });
});
