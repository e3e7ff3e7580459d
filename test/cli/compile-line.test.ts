/** The commands that a sweep prints make what it measured. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compileLine, PLACEHOLDERS } from '../../src/cli/commands/sweep/compile-line.js';
import { EIGHT } from '../../src/search/configuration.js';
import type { Identity } from '../../src/search/sweep/records.js';
import { data, WINE, workplace } from './support.js';

const { kanc, path, read } = workplace();

const identity = (options: Identity['options']): Identity => ({
  kanc: '0',
  checkpoint: [],
  options,
  data: '',
  holdout: null,
  labels: null,
  grid: '',
  sensitivity: false,
  refit: 0,
  samples: 8,
  folds: 4,
  metric: 'rms',
  layers: [],
});

describe('compileLine', () => {
  it('has what the configuration says, in words that a shell keeps', () => {
    const files = { checkpoint: "my model's.pt", calib: 'x.npy', arch: 'a b.yaml' };
    const configuration = {
      ...EIGHT,
      form: 'basis' as const,
      coef: 4,
      layers: { 'layers.0': { form: 'edge' as const, act: 3 } },
    };
    expect(compileLine(identity({ architecture: 'hash' }), configuration, files)).toBe(
      `kanc compile 'my model'\\''s.pt' -o out --calib x.npy --arch 'a b.yaml' --form basis --quant act=8,hidden=8,table=8,coef=4,basis=8,layers.0.form=edge,layers.0.act=3`,
    );
  });

  it('has the options of the network, the input and the passes', () => {
    const options = {
      family: 'torch-conv-kan',
      inputShape: [1, 28, 28],
      ignoreExtra: true,
      pipeline:
        'input{dtype=u8,mean=0.5,std=0.25},calibrate{data=sha256-x},quantize{range=extend,nan=refuse,ranges=mse,quantizer=lloyd},tabulate',
    };
    expect(compileLine(identity(options), EIGHT)).toBe(
      `kanc compile CHECKPOINT -o out --calib INPUTS --family torch-conv-kan --input-shape 1x28x28 --ignore-tensors --input-dtype u8 --input-mean 0.5 --input-std 0.25 --ranges mse --quantizer lloyd --out-of-range extend --nan refuse --form edge --quant act=8,hidden=8,table=8`,
    );
  });

  it('is none where no options ask for the configuration', () => {
    expect(compileLine(identity({}), { ...EIGHT, symmetry: 'symmetric' })).toBeUndefined();
    expect(compileLine(identity({}), { ...EIGHT, layers: { '<b>': { act: 2 } } })).toBeUndefined();
  });
});

describe('kanc sweep', () => {
  const calib = data('wine', 'calib_inputs.npy');
  let shown = '';
  beforeAll(async () => {
    const argv = ['sweep', WINE, '--calib', calib, '-o', path('sweep'), '--refit', '0'];
    const passes = ['--ranges', 'mse', '--out-of-range', 'extend'];
    shown = (await kanc([...argv, ...passes, '--grid', 'act=3,5,hidden=4,table=5,coef=5,form=edge,basis']))
      .err;
  });

  it('prints a command for each point of the front, which compiles it', async () => {
    const { fronts, points } = JSON.parse(read('sweep', 'results.json'));
    const lines = shown.split('\n').filter((line) => line.startsWith('  kanc compile '));
    expect(lines).toHaveLength(fronts.memory.length);
    for (const [k, line] of lines.entries()) {
      const [, ...argv] = line.trim().split(' ');
      const { exit, out } = await kanc([...argv, '-o', path(`made-${k}`), '--json']);
      expect(exit).toBe(0);
      const told = JSON.parse(out);
      expect(told.pipeline).toMatch(/quantize\{.*range=extend.*ranges=mse/);
      const sizes = fronts.memory.map((index: number) => points[index].cost.bytes);
      // Ranges of all data are a little wider than those of a fold.
      expect(sizes.some((bytes: number) => Math.abs(told.cost.bytes / bytes - 1) < 0.05)).toBe(true);
    }
  });

  it('has the same on its page without the names of files, and so has merge', async () => {
    const { fronts } = JSON.parse(read('sweep', 'results.json'));
    const html = read('sweep', 'sweep.html');
    const all = new Set(Object.values(fronts).flat());
    const command = `kanc compile ${PLACEHOLDERS.checkpoint} -o out --calib ${PLACEHOLDERS.calib} --ranges mse --out-of-range extend --form`;
    expect(html.split(`<code>${command}`)).toHaveLength(all.size + 1);
    expect(html).not.toContain('.npy');
    const merged = await kanc(['sweep', 'merge', path('sweep'), '-o', path('merged')]);
    expect(merged.err).toContain(`\n  ${command}`);
    expect(read('merged', 'sweep.html')).toBe(html);
  });
});
