/** Places that results may not go to: told before the work, and nothing is written. */
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/driver/node/files.js';
import { data, WINE, workplace } from './support.js';

const { folder, kanc, path, list, put } = workplace();
const X = data('wine', 'test_inputs.npy');
const COMPILE = ['compile', WINE, '--calib', data('wine', 'calib_inputs.npy'), '--quant', 'act=3,table=4'];

let own: ReadonlyArray<string>;
beforeAll(async () => {
  expect((await kanc([...COMPILE, '-o', path('out')])).exit).toBe(0);
  own = list('out');
  put('g.kir', (await kanc(['print', path('out')])).out);
}, 60_000);

/** Each command with the place of its result. */
const WRITING: ReadonlyArray<readonly [string, (file: string) => ReadonlyArray<string>]> = [
  ['run', (file) => ['run', WINE, '--input', X, '--output', file]],
  ['view', (file) => ['view', WINE, '-o', file]],
  ['report', (file) => ['report', WINE, '--html', file]],
  ['import', (file) => ['import', WINE, '-o', file]],
  ['import --draft-arch', (file) => ['import', '--draft-arch', WINE, '-o', file]],
  ['opt', (file) => ['opt', path('g.kir'), '--passes', 'dce', '-o', file]],
  ['opt --dump-ir', (file) => ['opt', path('g.kir'), '--passes', 'dce', '--dump-ir', file]],
  ['compile --dump-ir', (file) => [...COMPILE, '-o', path('never'), '--dump-ir', file]],
  ['compile', (file) => [...COMPILE, '-o', file]],
  ['sweep', (file) => ['sweep', WINE, '--calib', X, '-o', file]],
  ['sweep merge', (file) => ['sweep', 'merge', folder, '-o', file]],
];

describe.each(WRITING)('%s', (_, argv) => {
  it.each(['inner', 'build/inner'])(
    'writes no %s into an artifact, and reads nothing for it',
    async (name) => {
      const read: string[] = [];
      const files = {
        ...nodeFiles,
        read: (file: string) => {
          read.push(file);
          return nodeFiles.read(file);
        },
      };
      const { exit, err } = await kanc(argv(path('out', name)), { files });
      expect([exit, err]).toEqual([
        1,
        expect.stringMatching(
          /^error K0102: .*inner: is not written: the folder .*out holds an artifact of kanc/,
        ),
      ]);
      expect(read).toEqual([]);
      expect(list('out')).toEqual(own);
      expect(list('never')).toEqual([]);
    },
  );
});

describe('dumps', () => {
  it.each(['same', 'same/dumps'])('do not lie in the folder of the artifact: %s', async (dumps) => {
    const { exit, err } = await kanc([...COMPILE, '-o', path('same'), '--dump-ir', path(dumps)]);
    expect([exit, err]).toEqual([1, expect.stringMatching(/^error K0102: .*no dumps are written here/)]);
    expect(list('same')).toEqual([]);
  });

  it('may lie around it, time and again', async () => {
    for (let time = 0; time < 2; time++) {
      const { exit } = await kanc([...COMPILE, '-o', path('around', 'a'), '--dump-ir', path('around')]);
      expect(exit).toBe(0);
    }
    expect(list('around')).toEqual(expect.arrayContaining(['00-import.kir', 'a']));
  });
});
