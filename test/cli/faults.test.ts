/** What is left on disk when it is full, cannot be written to, or the process is killed: whole files or none. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { type Diagnostics, diagnostic } from '../../src/diagnostics/index.js';
import type { Capabilities, Files } from '../../src/driver/capabilities.js';
import { nodeDisk } from '../../src/driver/node/index.js';
import { tryOn } from '../../src/search/trial.js';
import { data, WINE, workplace } from './support.js';

const { kanc, path, list, read } = workplace();

const bin = fileURLToPath(new URL('../../bin/kanc.js', import.meta.url));
const CALIB = data('wine', 'calib_inputs.npy');

const compile = (out: string, act = '4'): ReadonlyArray<string> => [
  'compile',
  WINE,
  '--target',
  'wasm',
  '--calib',
  CALIB,
  '--quant',
  `act=${act},table=8`,
  '-o',
  out,
];

const sweep = (out: string): ReadonlyArray<string> => [
  'sweep',
  WINE,
  '--calib',
  CALIB,
  '--grid',
  'act=3,4,table=3,8',
  '--refit',
  '0',
  '--jobs',
  '1',
  '-o',
  out,
];

const Manifest = t.type({ files: t.record(t.string, t.string) });

/** Whether all files that the manifest lists are there with the hashes that it says. */
const isWhole = (folder: string): boolean => {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  if (!Manifest.is(manifest)) return false;
  const files = Object.entries(manifest.files);
  return (
    files.length > 2 &&
    files.every(([name, hash]) =>
      hash.endsWith(
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ),
    )
  );
};

const fileSystem = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')] as const),
  );

describe('kanc compile that is killed', () => {
  /** Kills the process so long after it has begun to write; tells whether it came to that. */
  const killWhileWriting = (parent: string, argv: ReadonlyArray<string>, ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [bin, ...argv], { stdio: 'ignore' });
      const isWriting = (): boolean => readdirSync(parent).some((name) => name.startsWith('.out.kanc-'));
      const timer = setInterval(() => {
        if (!isWriting()) return;
        clearInterval(timer);
        if (ms === 0) child.kill('SIGKILL');
        else setTimeout(() => child.kill('SIGKILL'), ms);
      }, 0.2);
      child.on('exit', (_, signal) => {
        clearInterval(timer);
        resolve(signal === 'SIGKILL');
      });
    });

  it.each([
    ['a new folder', false],
    ['a folder with an artifact', true],
  ])(
    'leaves no half of it in %s, and the next one is as if nothing had been',
    async (_, replacing) => {
      const parent = path(`killed-${replacing}`);
      const out = join(parent, 'out');
      mkdirSync(parent);
      let killed = 0;
      for (const ms of [0, 1, 3]) {
        rmSync(parent, { recursive: true });
        mkdirSync(parent);
        if (replacing) expect((await kanc(compile(out, '3'))).exit).toBe(0);
        killed += (await killWhileWriting(parent, compile(out), ms)) ? 1 : 0;
        // Names with a dot are what a kill may leave: parts of the new artifact, or the old one as a whole.
        const others = readdirSync(parent).filter((name) => name !== 'out');
        for (const name of others) expect(name).toMatch(/^\.(out\.(kanc|old)|kanc-probe)-/);
        if (existsSync(out)) expect(isWhole(out)).toBe(true);
        else if (replacing) {
          expect(others.some((name) => name.startsWith('.out.old-') && isWhole(join(parent, name)))).toBe(
            true,
          );
        }
        expect((await kanc(compile(out))).exit).toBe(0);
        expect(isWhole(out)).toBe(true);
      }
      expect(killed).toBeGreaterThan(0);
      expect((await kanc(compile(path('undisturbed')))).exit).toBe(0);
      expect(fileSystem(out)).toEqual(fileSystem(path('undisturbed')));
    },
    120_000,
  );
});

/** A disk that takes so many writes and is full then. */
const fullAfter = (writes: number): Files => {
  let left = writes;
  type Done = TE.TaskEither<Diagnostics, void>;
  const full: Done = TE.left([diagnostic('K0102', 'no space left on device')]);
  const unlessFull =
    (task: Done): Done =>
    async () =>
      left-- > 0 ? task() : full();
  const { files } = nodeDisk;
  return {
    ...files,
    write: (name, content) => unlessFull(files.write(name, content)),
    append: (name, content) => unlessFull(files.append(name, content)),
  };
};

describe('a disk that is full', () => {
  it.each([0, 1, 2, 3])(
    'after %s writes of a compilation: one message, and nothing is left',
    async (writes) => {
      const { exit, err } = await kanc(compile(path('full', 'out')), { files: fullAfter(writes) });
      expect(exit).toBe(1);
      expect(err).toMatch(/^error K0102: [^\n]*no space left on device/m);
      expect(list('full')).toEqual([]);
    },
  );

  it.each([0, 1, 4])(
    'after %s dumps: whole files, one message with the name of the next one, and no artifact',
    async (writes) => {
      const dumps = `dumps-${writes}`;
      const argv = [...compile(path('undumped')), '--dump-ir', path(dumps)];
      const { exit, err } = await kanc(argv, { files: fullAfter(writes) });
      expect(exit).toBe(1);
      expect(err.match(/^error/gm)).toHaveLength(1);
      expect(err).toMatch(/^error K0102: [^\n]*no space left on device/m);
      expect(list('undumped')).toEqual([]);
      expect(list(dumps)).toHaveLength(writes);
      for (const name of list(dumps)) expect((await kanc(['print', path(dumps, name)])).exit).toBe(0);
    },
  );

  it('during a sweep: what is finished stays, and the next run ends as one that was not disturbed', async () => {
    expect((await kanc(sweep(path('whole')))).exit).toBe(0);
    const names = list('whole');
    for (const writes of [0, 1, 2, 3, 5, 6]) {
      const disturbed = path(`full-sweep-${writes}`);
      const { exit, err } = await kanc(sweep(disturbed), { files: fullAfter(writes) });
      expect(exit, `after ${writes} writes`).toBe(1);
      expect(err).toMatch(/^error K0102/m);
      expect((await kanc(sweep(disturbed))).exit).toBe(0);
      for (const name of names) expect(read(`full-sweep-${writes}`, name)).toBe(read('whole', name));
      expect(list(`full-sweep-${writes}`)).toEqual(names);
    }
  });

  it.runIf(existsSync('/dev/full'))('is told for results, too', async () => {
    const inputs = data('wine', 'calib_inputs.npy');
    const { exit, err } = await kanc(['run', WINE, '--input', inputs, '--output', '/dev/full']);
    expect(exit).toBe(1);
    expect(err).toMatch(/^error K0102: \/dev\/full: /);
  });
});

describe('a thread that dies during a search', () => {
  it('ends it with one message, keeps the artifact that is there, and the next search is as without it', async () => {
    const search = (out: string) => [
      ...compile(path(out)).filter((a) => !/quant|act=/.test(a)),
      '--max-drop',
      '2',
    ];
    expect((await kanc(search('calm'))).exit).toBe(0);
    expect((await kanc(compile(path('struck'), '3'))).exit).toBe(0);
    const before = fileSystem(path('struck'));
    for (const trials of [0, 1, 7]) {
      let left = trials;
      const dying: Capabilities['trials'] = (study) => async () => ({
        attempt: (trial) =>
          left-- > 0
            ? tryOn(study)(trial)
            : TE.left([diagnostic('K0903', 'a thread ended before its work was done')]),
        close: async () => {},
      });
      const { exit, err } = await kanc(search('struck'), { trials: dying });
      expect(exit).toBe(1);
      expect(err).toMatch(/^error K0903/m);
      expect(fileSystem(path('struck'))).toEqual(before);
    }
    expect((await kanc(search('struck'))).exit).toBe(0);
    expect(fileSystem(path('struck'))).toEqual(fileSystem(path('calm')));
  });
});

/** Runs a script with a file system of its own at $1; undefined where the system does not let us. */
const mounted = (options: string, script: string): ReturnType<typeof spawnSync> => {
  const at = path('mount');
  mkdirSync(at, { recursive: true });
  const whole = `mount -t tmpfs -o ${options} none "$1" || exit 99; ${script}`;
  return spawnSync('unshare', ['-rm', 'sh', '-c', whole, 'sh', at], { encoding: 'utf8' });
};

const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Real ones need Linux and namespaces of users; what is simulated above runs everywhere. */
describe.runIf(canMount)('a file system of its own', () => {
  const line = (argv: ReadonlyArray<string>): string =>
    [process.execPath, bin, ...argv]
      .map((word) => (word.startsWith('$') ? `"${word}"` : `'${word}'`))
      .join(' ');

  it('that is full: nothing is left of an artifact, and with more room it is written', () => {
    const { stdout, stderr } = mounted(
      'size=16k',
      `${line(compile('$1/out'))}; echo "exit $?"; ls -A "$1"; mount -o remount,size=4m "$1"; ${line(compile('$1/out'))} && ls "$1/out"`,
    );
    expect(String(stderr)).toMatch(/error K0102: [^\n]*(no space|full|ENOSPC)/i);
    expect(String(stdout)).toMatch(/^exit 1\nindex\.d\.ts\n/);
  });

  it('that cannot be written to is told before anything is compiled', () => {
    const { stdout, stderr } = mounted('ro', `${line(compile('$1/out'))}; echo "exit $?"`);
    expect(String(stderr)).toMatch(/^error K0102: [^\n]*read-only/im);
    expect(String(stdout)).toBe('exit 1\n');
  });

  it('that is full during a sweep: with more room the sweep goes on', () => {
    const { stdout, stderr } = mounted(
      'size=12k',
      `${line(sweep('$1/s'))}; echo "exit $?"; mount -o remount,size=4m "$1"; ${line(sweep('$1/s'))}; echo "exit $?"; ls -A "$1/s"; cat "$1/s/results.csv"`,
    );
    expect(String(stderr)).toContain('error K0102');
    expect(String(stdout)).toBe(
      `exit 1\nexit 0\npoints-1-of-1.jsonl\nresults.csv\nresults.json\nsweep.html\n${read('whole', 'results.csv')}`,
    );
  });
});
