/** Checkpoints of several files and of integers on the command line. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { compile } from '../../src/index.js';
import { rightOf } from '../support/checked.js';
import { model, WINE, workplace } from './support.js';

const place = workplace();
const { kanc } = place;

const array = (path: string) => rightOf(readNpy(readFileSync(path)));

describe('kanc import', () => {
  it('describes a checkpoint for people and for programs', async () => {
    const text = await kanc(['import', '--describe', WINE]);
    expect(text.exit).toBe(0);
    expect(text.out).toMatch(
      /family: efficient-kan[\s\S]*p = 3[\s\S]*G = [\s\S]*knots uniform[\s\S]*--base-activation/,
    );
    const json = await kanc(['import', '--describe', '--json', model('pykan-mult', 'model_config.yml')]);
    expect(json.err).toBe('');
    const told: unknown = JSON.parse(json.out);
    expect(told).toMatchObject({ family: 'pykan', level: 'float', assumptions: [], parameters: 416 });
  });

  it('writes the graph where it is told to', async () => {
    const path = place.path('wine.kir');
    expect((await kanc(['import', WINE, '-o', path])).out).toBe('');
    expect(place.read('wine.kir')).toBe((await kanc(['print', WINE])).out);
  });

  it('tells what is wrong in one message', async () => {
    const absent = await kanc(['import', place.path('nothing')]);
    expect(absent).toMatchObject({ exit: 1, out: '' });
    expect(absent.err).toContain('there is no such file');
    expect((await kanc(['import'])).exit).toBe(2);
  });
});

describe('pykan', () => {
  const folder = `${model('pykan-mult', '')}/`;
  const golden = array(model('pykan-mult', 'golden_outputs.npy'));

  it.each(['model_state', 'model_config.yml', 'model_cache_data', 'model', ''])(
    'is found by any of its files, their common path and the folder: "%s"',
    async (name) => {
      const out = place.path('pykan.npy');
      const ran = await kanc([
        'run',
        folder + name,
        '--input',
        model('pykan-mult', 'golden_inputs.npy'),
        '--output',
        out,
      ]);
      expect(ran).toMatchObject({ exit: 0 });
      const found = array(out);
      expect(found.shape).toEqual(golden.shape);
      for (let j = 0; j < golden.data.length; j++) expect(found.data[j]).toBeCloseTo(golden.data[j]!, 5);
    },
  );

  it('K0101: the state is missing, or a folder holds several', async () => {
    mkdirSync(place.path('alone'));
    copyFileSync(`${folder}model_config.yml`, place.path('alone', 'net_config.yml'));
    const alone = await kanc(['print', place.path('alone', 'net_config.yml')]);
    expect(alone.exit).toBe(1);
    expect(alone.err).toMatch(/K0101.*net_state/);
    mkdirSync(place.path('several'));
    for (const name of ['0.0_state', '0.1_state'])
      copyFileSync(`${folder}model_state`, place.path('several', name));
    const several = await kanc(['print', place.path('several')]);
    expect(several.err).toMatch(/K0101.*0\.0_state, 0\.1_state/);
  });
});

describe('kanele', () => {
  const folder = `${model('kanele-wine', '')}/`;
  const lines = (file: string) =>
    readFileSync(folder + file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.trim().split(' ').map(Number));
  const [inputs, outputs] = [lines('vectors_in.txt'), lines('vectors_out.txt')];
  const codes = place.putNpy('codes.npy', {
    shape: [1000, 13],
    dtype: 'u1',
    data: Uint8Array.from(inputs.flat()),
  });

  it.each(['', 'config.json', 'truth_tables.json'])('runs all vectors from "%s"', async (name) => {
    const out = place.path('kanele.npy');
    expect(await kanc(['run', folder + name, '--input', codes, '--output', out])).toMatchObject({ exit: 0 });
    expect(Array.from(array(out).data)).toEqual(outputs.flat());
    await kanc(['run', folder + name, '--input', codes, '--output', out, '--raw']);
    expect(Array.from(array(out).data)).toEqual(outputs.flat());
  });

  it('is measured, printed and written as a graph that runs alike', async () => {
    const classes = outputs.map((row) => row.indexOf(Math.max(...row)));
    const labels = place.putNpy('labels.npy', { shape: [1000], dtype: 'i4', data: Int32Array.from(classes) });
    const measured = await kanc(['eval', folder, '--data', codes, '--labels', labels, '--json']);
    expect(JSON.parse(measured.out)).toMatchObject({ accuracy: 1, samples: 1000, engine: 'interpreter' });
    expect((await kanc(['print', folder, '--no-resources'])).out).toContain('level table (%x : u6[n, 13])');
    await kanc(['import', folder, '-o', place.path('k.kir')]);
    const out = place.path('k.npy');
    await kanc(['run', place.path('k.kir'), '--input', codes, '--output', out]);
    expect(Array.from(array(out).data)).toEqual(outputs.flat());
  });

  it('K0701: codes that there are not, and floats', async () => {
    const wide = place.putNpy('wide.npy', { shape: [1, 13], dtype: 'u1', data: new Uint8Array(13).fill(64) });
    const run = (input: string) => kanc(['run', folder, '--input', input, '--output', place.path('x.npy')]);
    expect((await run(wide)).err).toMatch(/K0701.*element 0 of sample 0 is 64.*0 to 63/);
    const integers = place.putNpy('i4.npy', {
      shape: [1, 13],
      dtype: 'i4',
      data: new Int32Array(13).fill(63),
    });
    expect((await run(integers)).exit).toBe(0);
    const negative = place.putNpy('neg.npy', {
      shape: [1, 13],
      dtype: 'i4',
      data: new Int32Array(13).fill(-1),
    });
    expect((await run(negative)).err).toContain('K0701');
    const floats = place.putNpy('f4.npy', { shape: [1, 13], dtype: 'f4', data: new Float32Array(13) });
    expect((await run(floats)).err).toContain('K0701');
    const narrow = place.putNpy('n.npy', { shape: [1, 12], dtype: 'u1', data: new Uint8Array(12) });
    expect((await run(narrow)).err).toMatch(/K0701.*\[1, 12\]/);
  });

  it('K0801: options that would quantize what is quantized already', async () => {
    const wrong = await kanc([
      'compile',
      folder,
      '-o',
      place.path('o'),
      '--quant',
      'act=4',
      '--form',
      'edge',
    ]);
    expect(wrong.exit).toBe(2);
    expect(wrong.err).toMatch(/integers already.*--form, --quant/);
  });

  it('compiles to WASM and gives all vectors', async () => {
    const out = place.path('artifact');
    const compiled = await kanc(['compile', folder, '-o', out, '--verify-each']);
    expect(compiled.err).not.toContain('error');
    expect(compiled.exit).toBe(0);
    const result = place.path('w.npy');
    await kanc(['run', out, '--input', codes, '--output', result]);
    expect(Array.from(array(result).data)).toEqual(outputs.flat());
    expect((await kanc(['verify', out, '--samples', '500'])).exit).toBe(0);
    // Codes in integers of any width, as the checkpoint takes them.
    const wide = { shape: [1000, 13], dtype: 'i4', data: Int32Array.from(inputs.flat()) } as const;
    const again = ['run', out, '--input', place.putNpy('wide-codes.npy', wide), '--output', result];
    expect(await kanc(again)).toMatchObject({ exit: 0 });
    expect(Array.from(array(result).data)).toEqual(outputs.flat());
    const beyond = { ...wide, data: wide.data.with(13 + 2, 64) };
    place.putNpy('wide-codes.npy', beyond);
    expect((await kanc(again)).err).toMatch(/K0701.*element 2 of sample 1 is 64.*0 to 63/);
  });
});

describe('other families', () => {
  it('fast-kan gives its golden outputs', async () => {
    const out = place.path('fast.npy');
    const folder = `${model('fast-kan-fashion', '')}/`;
    await kanc([
      'run',
      `${folder}model.safetensors`,
      '--input',
      `${folder}golden_inputs.npy`,
      '--output',
      out,
    ]);
    const [found, golden] = [array(out), array(`${folder}golden_outputs.npy`)];
    for (let j = 0; j < golden.data.length; j++) expect(found.data[j]).toBeCloseTo(golden.data[j]!, 4);
  });
});

describe('as a library', () => {
  it('compile takes the files of a set by name', async () => {
    const folder = `${model('kanele-wine', '')}/`;
    const files = { 'config.json': readFileSync(`${folder}config.json`) };
    const checkpoint = readFileSync(`${folder}truth_tables.json`);
    const made = await compile({ checkpoint, checkpointName: 'truth_tables.json', files });
    expect(made.pipeline).toBe('fold,prune,dedupe,narrow,dce');
    expect(made.graph.level).toBe('table');
    await expect(compile({ checkpoint, checkpointName: 'truth_tables.json' })).rejects.toThrow(
      'no config.json beside it',
    );
    await expect(
      compile({ checkpoint, checkpointName: 'truth_tables.json', files, form: 'edge' }),
    ).rejects.toThrow('integers already');
  });
});
