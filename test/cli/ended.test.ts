/** Processes that are ended from outside, and streams that are closed: no work is lost by them, and nothing goes on. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/driver/node/hash.js';
import { missingTools } from '../support/tools.js';
import { data, WINE, workplace } from './support.js';

const { kanc, path, read } = workplace();
const bin = fileURLToPath(new URL('../../bin/kanc.js', import.meta.url));
const CALIB = ['--calib', data('wine', 'calib_inputs.npy'), '--quant', 'act=3,hidden=3,table=4'];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const ended = (child: ReturnType<typeof spawn>): Promise<Ended> =>
  new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));

/** Waits until something holds, or long enough for a slow machine. */
const until = async (condition: () => boolean): Promise<void> => {
  const end = Date.now() + 60_000;
  while (!condition() && Date.now() < end) await new Promise((next) => setTimeout(next, 20));
  expect(condition()).toBe(true);
};

describe('streams that are closed', () => {
  it('leave no work undone', async () => {
    const child = spawn(process.execPath, [
      bin,
      'compile',
      WINE,
      ...CALIB,
      '--print-ir-after',
      'all',
      '--json',
      '-o',
      path('closed'),
    ]);
    child.stdout.destroy();
    child.stderr.destroy();
    expect(await ended(child)).toEqual({ code: 0, signal: null });
    expect((await kanc(['verify', path('closed'), '--samples', '20'])).exit).toBe(0);
  });

  it('keep the exit code of an error', async () => {
    const child = spawn(process.execPath, [bin, 'compile', path('nowhere'), '-o', path('never')]);
    child.stderr.destroy();
    expect(await ended(child)).toEqual({ code: 1, signal: null });
  });
});

describe.skipIf(missingTools({ gcc: 'gcc' }))('signals', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
    '%s ends the process while a program runs, and leaves nothing behind',
    async (signal) => {
      // A program that never ends, as an artifact may hold one; it says when it has started.
      const folder = path(signal);
      expect((await kanc(['compile', WINE, ...CALIB, '--target', 'c', '-o', folder])).exit).toBe(0);
      const source = readFileSync(join(folder, 'model.c'), 'utf8');
      const endless = source.replace(
        /(int model_predict_raw\([^)]*\)\s*\{)/,
        `$1 system("touch started"); for (volatile int z = 0;; z++);`,
      );
      expect(endless).not.toBe(source);
      const changed = `#include <stdlib.h>\n${endless}`;
      const manifest = read(signal, 'manifest.json').replace(sha256Of(source), sha256Of(changed));
      writeFileSync(join(folder, 'model.c'), changed);
      writeFileSync(join(folder, 'manifest.json'), manifest);
      const scratch = path(`scratch-${signal}`);
      mkdirSync(scratch);
      const child = spawn(process.execPath, [bin, 'verify', folder], {
        stdio: 'ignore',
        env: { ...process.env, TMPDIR: scratch },
      });
      const end = ended(child);
      await until(() => readdirSync(scratch).some((name) => existsSync(join(scratch, name, 'started'))));
      child.kill(signal);
      expect(await end).toEqual({ code: null, signal });
      // What ends the program and removes its folder does so when the process is gone.
      await until(() => readdirSync(scratch).length === 0);
    },
    120_000,
  );

  it('that come as soon as there is a folder leave none', async () => {
    expect((await kanc(['compile', WINE, ...CALIB, '--target', 'c', '-o', path('soon')])).exit).toBe(0);
    for (let time = 0; time < 3; time++) {
      const scratch = path(`scratch-${time}`);
      mkdirSync(scratch);
      const child = spawn(process.execPath, [bin, 'verify', path('soon')], {
        stdio: 'ignore',
        env: { ...process.env, TMPDIR: scratch },
      });
      const end = ended(child);
      while (readdirSync(scratch).length === 0) await new Promise((next) => setImmediate(next));
      child.kill('SIGKILL');
      expect(await end).toEqual({ code: null, signal: 'SIGKILL' });
      await until(() => readdirSync(scratch).length === 0);
    }
  }, 240_000);

  it('that end a compiler leave no files of its either', async () => {
    expect((await kanc(['compile', WINE, ...CALIB, '--target', 'c', '-o', path('built')])).exit).toBe(0);
    const [scratch, tools] = [path('scratch-cc'), path('tools')];
    mkdirSync(scratch);
    mkdirSync(tools);
    const compiler = '#!/bin/sh\ntouch "$TMPDIR/cc-part.s" started\nexec sleep 600\n';
    writeFileSync(join(tools, 'cc'), compiler, { mode: 0o755 });
    const child = spawn(process.execPath, [bin, 'verify', path('built')], {
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: scratch, PATH: `${tools}:${process.env['PATH']}` },
    });
    const end = ended(child);
    await until(() => readdirSync(scratch).some((name) => existsSync(join(scratch, name, 'started'))));
    child.kill('SIGTERM');
    expect(await end).toEqual({ code: null, signal: 'SIGTERM' });
    await until(() => readdirSync(scratch).length === 0);
  }, 120_000);
});
