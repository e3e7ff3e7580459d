import * as TE from 'fp-ts/lib/TaskEither.js';
import { describe, expect, it } from 'vitest';
import { CATALOG, diagnostic } from '../../src/diagnostics/index.js';
import type { Files } from '../../src/driver/capabilities.js';
import { nodeDisk } from '../../src/driver/node/index.js';
import { REGRESSION, WINE, workplace } from './support.js';

const { kanc, list, path } = workplace();

describe('wrong usage exits with 2', () => {
  it.each([
    [['nonsense']],
    [['compile']],
    [['compile', WINE]],
    [['compile', WINE, '-o', 'x', '--bogus']],
    [['compile', WINE, '-o', 'x', '--form', 'round']],
    [['compile', WINE, '-o', 'x', '--input-mean', 'half']],
    [['compile', WINE, '-o', 'x', '--input-std', '0']],
    [['compile', WINE, '-o', 'x', '--budget-mem', 'x']],
    [['compile', WINE, '-o', 'x', '--quant', 'act=0']],
    [['compile', WINE, '-o', 'x', '--quant', 'act=6,table=99']],
    [['eval', WINE, '--data', 'x', '--labels', 'y', '--input-std', '0']],
    [['compile', WINE, '-o', 'x', '--quant', 'act']],
    [['compile', WINE, '-o', 'x', '--quant', 'weights=3']],
    [['compile', WINE, '-o', 'x', '--passes', 'dce', '--form', 'edge']],
    [['eval', WINE, '--data', 'x', '--labels', 'y', '--limit', '0']],
    [['explain', 'K9999']],
    [[]],
  ])('%j', async (argv) => {
    const { exit, out, err } = await kanc(argv);
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe('the help', () => {
  it('tells of every command what the command tells of itself', async () => {
    const { out } = await kanc(['--help']);
    const commands = [...out.matchAll(/^ {2}([a-z]+)((?: [[<][a-z]+[\]>])*) {2}/gm)].filter(
      ([, name]) => name !== 'help',
    );
    expect(commands.length).toBe(14);
    for (const [, name = '', usage = ''] of commands) {
      const own = await kanc([name, '--help']);
      const [, told = ''] = new RegExp(`^Usage: kanc ${name}(.*)$`, 'm').exec(own.out) ?? [];
      const places = (text: string): string => text.replace(/ \[(?:options|command)\]/g, '');
      expect(places(told), name).toBe(places(usage));
    }
  });
});

describe('a wrong value', () => {
  it.each([
    [
      ['--quant', 'act=0'],
      /option --quant: 'act=0' is not possible\. Expected auto or an integer from 1 to 16/,
    ],
    [['--input-std', '0'], /option --input-std: '0' is not possible\. Expected a number from/],
    [['--input-mean', '1e31'], /option --input-mean/],
    [['--budget-mem', 'x'], /option --budget-mem: 'x' is not possible\. Expected a size such as 4MB/],
    [['--prefix', 'enc'], /option --prefix/],
    [['--passes', 'quantize{act=0}'], /option --passes: .*act/],
  ] as const)('is told with its flag, and nothing is written: %j', async (flags, message) => {
    const { exit, err } = await kanc(['compile', WINE, '-o', path('none'), ...flags]);
    expect(err).toMatch(message);
    expect(exit).toBe(2);
    expect(list()).not.toContain('none');
  });

  it('of -o does not reach the disk', async () => {
    const denied = TE.left([diagnostic('K0102', 'the test allows no changes')] as const);
    const changes = { write: () => denied, makeFolder: () => denied, rename: () => denied };
    const files: Files = { ...nodeDisk.files, ...changes, remove: () => denied, removeEmpty: () => denied };
    const { exit, err } = await kanc(['compile', WINE, '-o', ''], { files });
    expect(err).toMatch(/^error K0801: option --out: /);
    expect(exit).toBe(2);
  });
});

describe('what tells about kanc', () => {
  it('prints help and version on standard output', async () => {
    const help = await kanc(['--help']);
    expect(help).toMatchObject({ exit: 0, err: '' });
    expect(help.out).toContain('Exit codes');
    const compile = (await kanc(['compile', '--help'])).out.replace(/\s+/g, ' ');
    expect(compile).toMatch(/--out-of-range .*hidden values/);
    expect(compile).toContain('--ignore-tensors');
    expect((await kanc(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('lists passes and targets', async () => {
    const passes = await kanc(['passes']);
    expect(passes.out).toContain('quantize (float -> quantized)');
    const list = JSON.parse((await kanc(['passes', '--json'])).out);
    expect(list.passes.map((p: { name: string }) => p.name)).toContain('tabulate');
    expect((await kanc(['targets'])).out).toContain('wasm: ');
    const { targets } = JSON.parse((await kanc(['targets', '--json'])).out);
    expect(targets[0]).toMatchObject({
      name: 'wasm',
      options: [{ name: 'singleFile', type: 'true or false' }],
    });
    // What an error about options points at.
    for (const name of [
      'schedule +auto, fused or layers',
      'bindingBytes +integer in',
      'pipeline +integer in',
    ]) {
      expect((await kanc(['targets'])).out).toMatch(new RegExp(`^ {4}${name}`, 'm'));
    }
    for (const { options } of targets) expect(options.length).toBeGreaterThan(0);
  });

  it('explains codes', async () => {
    expect((await kanc(['explain', 'k0107'])).out).toBe(`K0107: ${CATALOG.K0107}\n`);
    const all = (await kanc(['explain'])).out.trimEnd().split('\n');
    expect(all).toHaveLength(Object.keys(CATALOG).length);
  });
});

describe('kanc print', () => {
  it('prints text that reads back, JSON and dot', async () => {
    const text = await kanc(['print', REGRESSION]);
    expect(text.out).toMatch(/^kir 1\n/);
    const json = JSON.parse((await kanc(['print', REGRESSION, '--format', 'json'])).out);
    expect(json.nodes.map((n: { op: string }) => n.op)).toEqual(['kan', 'kan']);
    const dot = (await kanc(['print', REGRESSION, '--format', 'dot'])).out;
    expect(dot).toContain('"%layer0" -> "%layer1" [label="f32[n, 5]"];');
    expect((await kanc(['print', WINE, '--no-resources'])).out).toContain('// resources elided');
  });

  it('prints artifacts', async () => {
    await kanc(['compile', REGRESSION, '-o', path('a')]);
    expect((await kanc(['print', path('a')])).out).toContain('level table');
  });
});
