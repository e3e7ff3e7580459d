/** Bugs of our own: exit 3, and a folder that reproduces them. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { BUILTIN_PASSES, type NamedPass } from '../../src/passes/registry.js';
import { REGRESSION, workplace } from './support.js';

const { kanc, path, list, read } = workplace();

const broken = (name: string, run: () => never): NamedPass => ({
  name,
  summary: '',
  help: [],
  from: 'any',
  to: 'same',
  bind: () => E.right({ files: [], run: () => run }),
});

const invalid: NamedPass = {
  ...broken('invalid', () => {
    throw new Error();
  }),
  bind: () =>
    E.right({
      files: [],
      run: () => (graph) => E.right({ graph: { ...graph, outputs: [] }, remarks: [] }),
    }),
};

const passes = async (): Promise<ReadonlyArray<NamedPass>> => [
  ...BUILTIN_PASSES,
  broken('explode', () => {
    throw new TypeError('undefined is not a function');
  }),
  invalid,
];

const reproducers = () => list().filter((name) => name.startsWith('kanc-reproducer-'));

const compile = (pipeline: string) =>
  kanc(['compile', REGRESSION, '-o', path('out'), '--passes', pipeline, '--dump-ir', path('ir')], { passes });

describe('a bug', () => {
  it('leaves the graph before the failing pass, the rest of the pipeline, version and options', async () => {
    const { exit, out, err } = await compile('calibrate,explode,quantize{act=6}');
    expect(exit).toBe(3);
    expect(out).toBe('');
    expect(err).not.toMatch(/\n\s+at /);
    const [folder, ...others] = reproducers();
    expect(others).toEqual([]);
    expect(err).toContain(folder);
    expect(list(folder!)).toEqual(['command.json', 'error.txt', 'input.kir', 'pipeline.txt', 'report.json']);
    expect(read(folder!, 'pipeline.txt')).toBe('explode,quantize{act=6}\n');
    expect(JSON.parse(read(folder!, 'report.json'))).toMatchObject({ options: { target: 'wasm' } });
    expect(read(folder!, 'error.txt')).toContain('undefined is not a function');
    const replay = ['opt', path(folder!, 'input.kir'), '--passes', read(folder!, 'pipeline.txt').trim()];
    expect((await kanc(replay, { passes })).exit).toBe(3);
    expect(list('out')).toEqual([]);
    expect(list('ir')).toEqual(['00-import.kir', '01-calibrate.kir']);
  });

  it('is told where a pass makes an invalid graph', async () => {
    for (const flags of [[], ['--verify-each']]) {
      const { exit, err } = await kanc(
        ['opt', path('ir', '00-import.kir'), '--passes', 'dce,invalid', ...flags],
        { passes },
      );
      expect(exit).toBe(3);
      expect(err).toContain('the graph has no output');
    }
  });

  it('is told even when nothing can be written', async () => {
    const { exit, err } = await kanc(['passes'], {
      passes: async () => {
        throw new Error('really');
      },
      crashFolder: path('ir', '00-import.kir'),
    });
    expect(exit).toBe(3);
    expect(err).toContain('really');
  });
});
