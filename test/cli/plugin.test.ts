import { describe, expect, it } from 'vitest';
import { REGRESSION, workplace } from './support.js';

const { kanc, path, put, putNpy, list } = workplace();
const fixture = (name: string): string => new URL(`fixtures/${name}.mjs`, import.meta.url).pathname;
const compile = (passes: string, ...plugins: ReadonlyArray<string>) =>
  kanc([
    'compile',
    REGRESSION,
    '-o',
    path('out'),
    '--passes',
    passes,
    ...plugins.flatMap((p) => ['--plugin', p]),
  ]);
const WHOLE = 'calibrate,quantize,tabulate,fold,dce';

describe('kanc --plugin', () => {
  it('runs passes of a module, in compile and in opt', async () => {
    const good = fixture('good-plugin');
    expect(await compile(`rename{to=mine},${WHOLE}`, good)).toMatchObject({ exit: 0 });
    const again = await kanc(['opt', path('out', 'model.kir'), '--passes', 'rename', '--plugin', good]);
    expect(again.out).toContain('graph @renamed level table');
    expect((await kanc(['passes', '--plugin', good])).out).toContain('renames the graph');
  });

  it.each([
    ['throws', 'K0506', 'no luck'],
    ['breaks', 'K0401', 'nowhere'],
    ['nothing', 'K0506', 'threw'],
  ])('tells the author of a pass that %s', async (name, code, words) => {
    const { exit, err } = await compile(`${WHOLE},${name}`, fixture('bad-plugins'));
    expect(exit).toBe(1);
    expect(err).toMatch(new RegExp(`error ${code}: pass ${name}[^\\n]*\\n$`));
    expect(err).toContain(words);
  });

  it('names the line of the module that threw, whether the function has a name or not', async () => {
    const { err } = await compile(`${WHOLE},throws`, fixture('bad-plugins'));
    expect(err).toMatch(/TypeError: no luck \([^()\n]*bad-plugins\.mjs:13:11\)/);
  });

  it.each([
    [`${WHOLE},pokes-constant`, /numbers of op %layer\d+_acc\d*, '(table|coefficients)'/],
    ['pokes-and-throws', /numbers of op %layer0, 'branches', 'weights'/],
    [`${WHOLE},pokes-attribute`, /an object: .*made/],
    [`${WHOLE},pokes-nodes`, /an object/],
    [`pokes-data{data=DATA},${WHOLE}`, /numbers of the data '.*calib.npy'/],
  ])('refuses %s, which changes what other graphs share', async (passes, words) => {
    const calib = putNpy('calib.npy', {
      shape: [4, 2],
      dtype: 'f4',
      data: Float32Array.of(0, 1, 0, 1, 0, 1, 0, 1),
    });
    const { exit, err } = await compile(passes.replace('DATA', `"${calib}"`), fixture('bad-plugins'));
    expect(exit).toBe(1);
    expect(err).toMatch(/error K0508: pass pokes-/);
    expect(err).toMatch(words);
  });

  it('refuses modules that export no passes', async () => {
    for (const [name, source, words] of [
      ['none.mjs', 'export const answer = 42;', 'exports no passes'],
      ['odd.mjs', "export const passes = [{ name: 'x' }];", 'malformed'],
      ['syntax.mjs', 'export const = ;', 'could not be loaded'],
    ] as const) {
      const { exit, err } = await compile(WHOLE, put(name, source));
      expect(exit).toBe(1);
      expect(err).toContain('K0506');
      expect(err).toContain(words);
    }
    expect((await compile(WHOLE, path('absent.mjs'))).err).toContain('K0101');
  });

  it('refuses a name that is taken', async () => {
    const { err } = await compile(WHOLE, fixture('good-plugin'), fixture('good-plugin'));
    expect(err).toContain("there is already a pass 'rename'");
    expect(list()).not.toContain('.out');
  });
});
