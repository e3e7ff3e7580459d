import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/driver/capabilities.js';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path, put, read, list } = workplace();

const DIGITS = model('efficient-kan-digits');
const CALIB = data('digits', 'calib_inputs.npy');
const WINE_CALIB = data('wine', 'calib_inputs.npy');

describe('kanc compile --max-drop', () => {
  it('chooses bits, tells them, and compiles them', async () => {
    const argv = [
      'compile',
      DIGITS,
      '-o',
      path('out'),
      '--calib',
      CALIB,
      '--max-drop',
      '2',
      '--form',
      'edge',
    ];
    const { exit, out, err } = await kanc([...argv, '--json']);
    expect(err).toMatch(
      /chosen of \d+ configurations for the least memory:\n {2}layer0: edge tables, activations \d/,
    );
    expect(err).toMatch(/held-out samples, 2 allowed/);
    expect(err).not.toContain('hint');
    expect(exit).toBe(0);
    const told = JSON.parse(out);
    expect(told.search).toMatchObject({ maxDrop: 2, minimize: 'memory', metric: 'changed', form: 'edge' });
    expect(told.search.chosen.drop + told.search.chosen.error).toBeLessThanOrEqual(2);
    expect(told.cost.bytes).toBeLessThan(told.search.finest.cost.bytes / 10);

    // What the search tells of the program is what the program has.
    expect(told.search.chosen.cost.bytes).toBe(told.cost.bytes);

    const manifest = JSON.parse(read('out', 'manifest.json'));
    expect(manifest.extra.options.search).toEqual(told.search);
    expect(JSON.stringify(manifest)).not.toContain('.npy');
    expect((await kanc(['verify', path('out'), '--samples', '64'])).exit).toBe(0);
    const test = ['--data', data('digits', 'test_inputs.npy'), '--labels', data('digits', 'test_labels.npy')];
    const eval_ = async (what: string): Promise<number> =>
      JSON.parse((await kanc(['eval', what, ...test, '--json'])).out).accuracy;
    expect(await eval_(path('out'))).toBeGreaterThan((await eval_(DIGITS)) - 0.02);
  });

  it('gives the same artifact on every run', async () => {
    const made = async (folder: string): Promise<string> => {
      const argv = ['compile', WINE, '-o', path(folder), '--calib', WINE_CALIB, '--max-drop', '2'];
      expect((await kanc([...argv, '--minimize', 'luts'])).exit).toBe(0);
      return read(folder, 'manifest.json');
    };
    expect(await made('one')).toBe(await made('two'));
  });

  it('keeps a budget with the program it writes, and measures on data that are given for it', async () => {
    const argv = ['compile', WINE, '-o', path('kept'), '--calib', WINE_CALIB, '--max-drop', '5', '--json'];
    const holdout = [
      '--holdout',
      data('wine', 'test_inputs.npy'),
      '--labels',
      data('wine', 'test_labels.npy'),
    ];
    const { exit, out } = await kanc([...argv, ...holdout, '--minimize', 'bitops', '--budget-mem', '1kB']);
    expect(exit).toBe(0);
    const told = JSON.parse(out);
    expect(told.search).toMatchObject({ metric: 'accuracy', folds: 1, chosen: { samples: 72 } });
    expect(told.search.holdout).toMatch(/^[0-9a-f]{64}$/);
    expect(told.cost.bytes).toBeLessThanOrEqual(1000);
    expect(told.search.chosen.cost.bytes).toBe(told.cost.bytes);
  });

  it('fails where no configuration is good or small enough, and writes nothing', async () => {
    const regression = model('efficient-kan-regression');
    const calib = data('regression', 'calib_inputs.npy');
    const strict = await kanc([
      'compile',
      regression,
      '-o',
      path('none'),
      '--calib',
      calib,
      '--max-drop',
      '0.000001',
    ]);
    expect(strict.err).toMatch(
      /^error K0902: option --max-drop: none of the finest configurations is within the limit\. .* loses/,
    );
    // The command line is right: it is the network that cannot do it.
    expect(strict.exit).toBe(1);
    const argv = ['compile', WINE, '-o', path('none'), '--calib', WINE_CALIB, '--max-drop', '2'];
    const small = await kanc([...argv, '--budget-mem', '10B']);
    expect(small.err).toMatch(/^error K0902: .*bytes of tables/);
    expect(small.exit).toBe(1);
    expect(list('none')).toEqual([]);
  });

  it('finds out before the search that nothing can be written', async () => {
    const untouched: Capabilities['trials'] = () => () => {
      throw new Error('nothing is to be tried');
    };
    const argv = ['compile', WINE, '--calib', WINE_CALIB, '--max-drop', '2', '-o'];
    put('afile', '');
    for (const [out, message] of [
      ...(existsSync('/proc/self') ? [['/proc/foo', /no folder can be made in \/proc/] as const] : []),
      [path('afile', 'out'), /a part of the path is not a folder/],
    ] as const) {
      const { exit, err } = await kanc([...argv, out], { trials: untouched });
      expect(err).toMatch(message);
      expect(err).toContain(`: ${out}: `);
      expect(err).not.toContain('.kanc-');
      expect(exit).toBe(1);
    }
  });

  it('tells at once that a network of integers has no bits to choose', async () => {
    const kanele = model('kanele-wine', 'truth_tables.json');
    const { exit, err } = await kanc([
      'compile',
      kanele,
      '--calib',
      WINE_CALIB,
      '--max-drop',
      '2',
      '-o',
      path('none'),
    ]);
    expect(err).toMatch(
      /^error K0801: .*truth_tables\.json: the checkpoint is a network of integers already/,
    );
    expect(exit).toBe(2);
  });

  it.each([
    [['--minimize', 'luts'], /option --minimize: it has no effect without a search/],
    [['--budget-luts', '5k'], /option --budget-luts: it has no effect/],
    [['--holdout', 'x.npy'], /option --holdout: it has no effect/],
    [['--labels', 'y.npy'], /option --labels: it has no effect/],
    [['--max-drop', '1'], /option --max-drop: without data nothing can be measured/],
    [['--max-drop', '-1', '--calib', WINE_CALIB], /option --max-drop: -1 is not possible/],
    [['--max-drop', 'x', '--calib', WINE_CALIB], /It is not a number/],
    [['--max-drop', '1', '--calib', WINE_CALIB, '--quant', 'act=4'], /--quant would have no effect/],
    [['--max-drop', '1', '--calib', WINE_CALIB, '--passes', 'dce'], /--passes/],
    [['--max-drop', '1', '--calib', WINE_CALIB, '--budget-luts', '5q'], /'5q' is not possible/],
    [['--max-drop', '1', '--calib', WINE_CALIB, '--budget-mem', 'x'], /'x' is not possible/],
    [['--max-drop', '1', '--calib', WINE_CALIB, '--minimize', 'time'], /--minimize/],
  ] as const)('is wrong usage: %j', async (flags, message) => {
    const { exit, err } = await kanc(['compile', WINE, '-o', path('none'), ...flags]);
    expect(err).toMatch(message);
    expect(exit).toBe(2);
    expect(list('none')).toEqual([]);
  });
});
