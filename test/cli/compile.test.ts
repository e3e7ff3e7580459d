import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type FileTensor, readCheckpoint, readNpy } from '../../src/importers/index.js';
import { rightOf } from '../support/checked.js';
import { data, model, REGRESSION, safetensors, WINE, workplace } from './support.js';

const { kanc, path, list, read, put, putNpy } = workplace();
const CALIB = ['--calib', data('wine', 'calib_inputs.npy')];

/** A safetensors file with the tensors under every prefix, and one that belongs to nothing. */
const renamed = (
  tensors: ReadonlyMap<string, FileTensor>,
  prefixes: ReadonlyArray<string>,
  extra: string,
): Uint8Array => {
  const header: Record<string, unknown> = {};
  const content: number[] = [];
  const add = (name: string, shape: ReadonlyArray<number>, values: Iterable<number>): void => {
    const begin = 4 * content.length;
    content.push(...values);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, 4 * content.length] };
  };
  for (const prefix of prefixes) {
    for (const [name, { shape, data: values }] of tensors) add(prefix + name, shape, values);
  }
  add(extra, [1], [1]);
  return safetensors(header, content);
};

const compileWine = (out: string, ...more: ReadonlyArray<string>) =>
  kanc(['compile', WINE, '-o', path(out), ...CALIB, ...more]);

describe('kanc compile', () => {
  it('writes an artifact and says so on standard error', async () => {
    const result = await compileWine('plain');
    expect(result).toMatchObject({ exit: 0, out: '' });
    expect(result.err).toContain('the largest output is the same for');
    expect(list('plain')).toEqual([
      'index.d.ts',
      'index.js',
      'manifest.json',
      'model-worker.js',
      'model.kir',
      'model.wasm',
      'package.json',
    ]);
  });

  it('writes the same bytes again, from wherever the files lie', async () => {
    await compileWine('first');
    const calib = put('moved.npy', readFileSync(data('wine', 'calib_inputs.npy')));
    const checkpoint = put('moved.safetensors', readFileSync(WINE));
    await kanc(['compile', checkpoint, '-o', path('second'), '--calib', calib]);
    for (const file of list('first')) {
      expect(readFileSync(path('first', file)).equals(readFileSync(path('second', file)))).toBe(true);
    }
    expect(read('second', 'manifest.json')).not.toContain('moved');
  });

  it('tells pipeline, hashes, policies and the divergence in the manifest', async () => {
    await compileWine('told', '--quant', 'act=7,hidden=6', '--out-of-range', 'extend', '--nan', 'refuse');
    const { extra } = JSON.parse(read('told', 'manifest.json'));
    expect(extra.pipeline).toMatch(
      /^calibrate\{data=sha256-[0-9a-f]{64}\},quantize\{act=7,hidden=6,range=extend,nan=refuse\},/,
    );
    expect(extra).toMatchObject({ outOfRange: 'extend', nan: 'refuse', data: [{ samples: 106 }] });
    expect(extra.checkpoint.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(extra.divergence.relativeRms).toBeLessThan(0.1);
    expect(extra.divergence.samples).toBe(106);
  });

  it('prints exactly one JSON object with --json', async () => {
    const { out } = await compileWine('json', '--json', '--single-file');
    const summary = JSON.parse(out);
    expect(summary).toMatchObject({ target: 'wasm', divergence: { samples: 106 } });
    expect(Object.keys(summary.files)).toContain('model.wasm');
  });

  it('gives a module that runs by itself', async () => {
    await compileWine('module', '--single-file');
    const own: unknown = await import(pathToFileURL(path('module', 'index.js')).href);
    expect(own).toHaveProperty('load');
  });

  it('replaces an artifact, and nothing else', async () => {
    expect((await compileWine('again', '--quant', 'act=5')).exit).toBe(0);
    expect((await compileWine('again', '--quant', 'act=4')).exit).toBe(0);
    expect(read('again', 'manifest.json')).toContain('act=4');
    put('precious.txt', 'x');
    const refused = await compileWine('.');
    expect(refused.exit).toBe(1);
    expect(refused.err).toMatch(/^error K0102: .*other things than an artifact[^\n]*\n$/);
    put('again/notes.txt', 'x');
    const beside = await compileWine('again');
    expect(beside.exit).toBe(1);
    expect(beside.err).toMatch(/^error K0102: .*'notes\.txt'[^\n]*\n$/);
    expect(read('again', 'notes.txt')).toBe('x');
    const file = await compileWine('precious.txt');
    expect(file.err).toContain('K0102');
    expect(read('precious.txt')).toBe('x');
  });

  it('reads u8 data with --input-dtype, and says so where it is missing', async () => {
    const pixels = ['--calib', data('fashion-mnist', 'calib_images.npy')];
    const fashion = ['compile', model('efficient-kan-fashion', 'model.pt'), '-o', path('fashion'), ...pixels];
    const without = await kanc(fashion);
    expect(without.exit).toBe(1);
    expect(without.err).toMatch(/K0701.*uint8.*--input-dtype u8.*--input-mean.*--input-std/);
    expect(list('fashion')).toEqual([]);
    expect((await kanc([...fashion, '--input-dtype', 'f32'])).err).toContain('K0701');
  });

  it('measures on calibration samples that are numbers, and needs one', async () => {
    const values = Float32Array.from({ length: 20 * 13 }, (_, k) => Math.sin(k));
    values[5] = Number.NaN;
    const some = putNpy('some.npy', { shape: [20, 13], dtype: 'f4', data: values });
    const result = await kanc(['compile', WINE, '-o', path('some'), '--calib', some]);
    expect(result.exit).toBe(0);
    expect(result.err).toMatch(/outputs differ .* on 19 samples/);
    const none = putNpy('none.npy', {
      shape: [2, 13],
      dtype: 'f4',
      data: new Float32Array(26).fill(Number.NaN),
    });
    const refused = await kanc(['compile', WINE, '-o', path('none'), '--calib', none]);
    expect(refused.exit).toBe(1);
    expect(refused.err).toMatch(/^error K0701: .*none\.npy: [^\n]*NaN[^\n]*\n$/);
    expect(list('none')).toEqual([]);
  });

  it('refuses tables that would not fit before it makes them', async () => {
    const wide = ['--form', 'edge', '--quant', 'act=16'];
    const fashion = ['compile', model('efficient-kan-fashion'), '-o', path('wide'), '--input-dtype', 'u8'];
    const { exit, err } = await kanc([...fashion, ...wide]);
    expect(err).toMatch(
      /^error K0507: pass tabulate: the tables would take 3\d{3} MB.*fewer bits.*--form basis/m,
    );
    expect(exit).toBe(1);
    expect(list('wide')).toEqual([]);
  });

  it('reads one network of several, and leaves out tensors where it is told to', async () => {
    const { tensors } = rightOf(readCheckpoint(readFileSync(WINE), WINE));
    const file = put('two.safetensors', renamed(tensors, ['enc.', 'dec.'], 'enc.norm.weight'));
    const compile = (...flags: ReadonlyArray<string>) =>
      kanc(['compile', file, '-o', path('one'), ...CALIB, ...flags]);
    expect((await compile()).err).toMatch(/^error K0208: .*'enc\.', 'dec\.'/);
    const extra = await compile('--prefix', 'enc');
    expect(extra).toMatchObject({ exit: 1 });
    expect(extra.err).toMatch(/^error K0207: .*enc\.norm\.weight \[1\]/);
    expect((await compile('--prefix', 'enc', '--ignore-tensors')).exit).toBe(0);
    expect(JSON.parse(read('one', 'manifest.json')).extra.options).toEqual({
      prefix: 'enc',
      ignoreExtra: true,
    });
    await compileWine('whole');
    expect(read('one', 'model.kir')).toBe(read('whole', 'model.kir'));
  });

  it('gives a hint when the integers are far from the floats', async () => {
    const { err } = await compileWine('coarse', '--quant', 'act=2,table=2');
    expect(err).toContain('hint: ');
    expect(err).toContain('--quant');
  });

  it('shows what the passes do', async () => {
    const { err } = await compileWine(
      'shown',
      '--timing',
      '--remarks',
      '--print-ir-after',
      'fold',
      '--verify-each',
    );
    expect(err).toContain('// after fold\nkir 1\n');
    expect(err).toContain('// resources elided');
    expect(err).not.toContain('// after dce');
    expect(err).toMatch(/tabulate +\d+\.\d ms\n/);
    expect(err).toMatch(/\(write\) +\d+\.\d ms\n/);
    expect(err).toContain('note: tabulate %layer0');
  });

  it('leaves out passes that did nothing with --print-changed', async () => {
    const { err } = await compileWine('changed', '--print-changed');
    expect(err).toContain('// after tabulate');
    const all = await compileWine('changed', '--print-ir-after', 'all');
    expect(all.err.split('// after').length).toBeGreaterThan(err.split('// after').length);
  });

  it('dumps graphs that kanc opt takes', async () => {
    await kanc(['compile', REGRESSION, '-o', path('dumped'), '--dump-ir', path('ir')]);
    const files = list('ir');
    expect(files.slice(0, 3)).toEqual(['00-import.kir', '01-calibrate.kir', '02-quantize.kir']);
    for (const file of files) {
      const again = await kanc(['opt', path('ir', file), '--passes', 'dce', '--verify-each']);
      expect(again.exit).toBe(0);
    }
    const rest = await kanc([
      'opt',
      path('ir', '03-tabulate.kir'),
      '--passes',
      'fold,prune,dedupe,narrow,dce',
    ]);
    expect(rest.out).toBe(read('dumped', 'model.kir'));
  });

  it('compiles with the basis form and a memory budget', async () => {
    const digits = model('efficient-kan-digits', 'model.pt');
    const calib = data('digits', 'calib_inputs.npy');
    const { exit } = await kanc([
      'compile',
      digits,
      '-o',
      path('basis'),
      '--calib',
      calib,
      '--form',
      'basis',
      '--quant',
      'act=6',
    ]);
    expect(exit).toBe(0);
    expect(read('basis', 'model.kir')).toContain('table.basis');
    const small = await kanc([
      'compile',
      digits,
      '-o',
      path('small'),
      '--calib',
      calib,
      '--budget-mem',
      '100kB',
    ]);
    expect(small.exit).toBe(0);
    expect((await kanc(['verify', path('basis'), '--samples', '300'])).exit).toBe(0);
  });

  it('compiles every example within half a point of float', async () => {
    for (const [name, set] of [
      ['efficient-kan-digits', 'digits'],
      ['efficient-kan-digits-adaptive-grid', 'digits'],
      ['efficient-kan-wine', 'wine'],
    ] as const) {
      const checkpoint = model(name, 'model.pt');
      await kanc(['compile', checkpoint, '-o', path(name), '--calib', data(set, 'calib_inputs.npy')]);
      const test = [
        '--data',
        data(set, 'test_inputs.npy'),
        '--labels',
        data(set, 'test_labels.npy'),
        '--json',
      ];
      const compiled = JSON.parse((await kanc(['eval', path(name), ...test])).out);
      const float = JSON.parse((await kanc(['eval', checkpoint, ...test])).out);
      expect(compiled.engine).toBe('wasm');
      expect(float.engine).toBe('float');
      expect(compiled.accuracy).toBeGreaterThan(float.accuracy - 0.005);
    }
  });

  it('gives the outputs that the golden files hold, as float', async () => {
    const golden = model('efficient-kan-wine', 'golden_inputs.npy');
    await kanc(['run', WINE, '--input', golden, '--output', path('y.npy')]);
    const expected = rightOf(readNpy(readFileSync(model('efficient-kan-wine', 'golden_outputs.npy'))));
    const found = rightOf(readNpy(readFileSync(path('y.npy'))));
    expect(found.shape).toEqual(expected.shape);
    for (const [j, y] of expected.data.entries()) expect(found.data[j]).toBeCloseTo(y, 4);
  });
});
