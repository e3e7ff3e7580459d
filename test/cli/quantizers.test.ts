/** Options of single layers, ranges and quantizers on the command line: the artifact is what was asked for and exact. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { data, model, workplace } from './support.js';

const { kanc, path } = workplace();
const DIGITS = model('efficient-kan-digits', 'model.safetensors');
const CALIB = data('digits', 'calib_inputs.npy');

const compile = (...more: ReadonlyArray<string>) =>
  kanc(['compile', DIGITS, '-o', path('out'), '--calib', CALIB, '--json', ...more]);

/** Ops of the artifact, in order. */
const opsOf = (): ReadonlyArray<string> =>
  [...readFileSync(path('out/model.kir'), 'utf8').matchAll(/^ {2}%\S+ : .* = ([a-z.]+) %/gm)].map(
    ([, op]) => op ?? '',
  );

describe('--quantizer lloyd', () => {
  it('leaves no float between input and result, and the artifact computes what the interpreter does', async () => {
    const { exit } = await compile('--quantizer', 'lloyd', '--quant', 'act=3', '--verify-each');
    expect(exit).toBe(0);
    expect(opsOf()).toEqual(['quantize', 'table.edge', 'bucketize', 'table.edge', 'dequantize']);
    const verified = await kanc(['verify', path('out'), '--data', data('digits', 'test_inputs.npy')]);
    expect(verified.exit).toBe(0);
    const eval_ = await kanc([
      'eval',
      path('out'),
      '--data',
      data('digits', 'test_inputs.npy'),
      '--labels',
      data('digits', 'test_labels.npy'),
      '--json',
    ]);
    expect(JSON.parse(eval_.out).accuracy).toBeGreaterThan(0.96);
  });
});

describe('--quant of single layers', () => {
  it('sets bits and forms, and the manifest tells them', async () => {
    const { exit } = await compile(
      '--quant',
      'act=6,layer1.act=4,layer1.table=5,layer1.form=basis',
      '--ranges',
      'mse',
    );
    expect(exit).toBe(0);
    expect(opsOf()).toEqual(['quantize', 'table.edge', 'requantize', 'table.basis', 'dequantize']);
    const manifest = JSON.parse(readFileSync(path('out/manifest.json'), 'utf8')).extra;
    expect(manifest.options.quant['layer1.act']).toBe('4');
    expect(manifest.options.ranges).toBe('mse');
    expect(manifest.pipeline).toContain('layer1.align=knots');
  });

  it('refuses layers that there are not, with the names of those there are', async () => {
    const { exit, err } = await compile('--quant', 'layer7.act=4');
    expect(exit).toBe(1);
    expect(err).toContain('K0503');
    expect(err).toContain('layer0, layer1');
    expect((await compile('--quant', 'layer1.act=x')).err).toContain('an integer from 1 to 16 for act');
    expect((await compile('--ranges', 'best')).exit).toBe(2);
    expect((await compile('--quantizer', 'kmeans')).exit).toBe(2);
  });
});
