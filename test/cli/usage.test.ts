import { describe, expect, it } from 'vitest';
import { CATALOG } from '../../src/diagnostics/index.js';
import { REGRESSION, WINE, workplace } from './support.js';

const { kanc, path } = workplace();

describe('wrong usage exits with 2', () => {
  it.each([
    [['nonsense']],
    [['compile']],
    [['compile', WINE]],
    [['compile', WINE, '-o', 'x', '--bogus']],
    [['compile', WINE, '-o', 'x', '--form', 'round']],
    [['compile', WINE, '-o', 'x', '--input-mean', 'half']],
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

describe('what tells about kanc', () => {
  it('prints help and version on standard output', async () => {
    const help = await kanc(['--help']);
    expect(help).toMatchObject({ exit: 0, err: '' });
    expect(help.out).toContain('Exit codes');
    expect((await kanc(['compile', '--help'])).out).toContain('--out-of-range');
    expect((await kanc(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('lists passes and targets', async () => {
    const passes = await kanc(['passes']);
    expect(passes.out).toContain('quantize (float -> quantized)');
    const list = JSON.parse((await kanc(['passes', '--json'])).out);
    expect(list.passes.map((p: { name: string }) => p.name)).toContain('tabulate');
    expect((await kanc(['targets'])).out).toContain('wasm: ');
    expect(JSON.parse((await kanc(['targets', '--json'])).out).targets[0].name).toBe('wasm');
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
    expect(dot).toContain('"layer0" -> "layer1" [label="f32[n, 5]"];');
    expect((await kanc(['print', WINE, '--no-resources'])).out).toContain('// resources elided');
  });

  it('prints artifacts', async () => {
    await kanc(['compile', REGRESSION, '-o', path('a')]);
    expect((await kanc(['print', path('a')])).out).toContain('level table');
  });
});
