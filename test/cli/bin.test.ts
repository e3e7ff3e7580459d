/** The real process: streams, exit codes, and a start that does not load what it does not need. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { data, WINE, workplace } from './support.js';

const { kanc, path, list, read } = workplace();

const run = promisify(execFile);
const bin = fileURLToPath(new URL('../../bin/kanc.js', import.meta.url));

describe('bin/kanc.js', () => {
  it('prints help without loading the compiler', async () => {
    const { stdout, stderr } = await run(process.execPath, [bin, '--help'], {
      env: { ...process.env, NODE_DEBUG: 'esm' },
    });
    expect(stdout).toContain('Usage: kanc');
    expect(stderr).not.toMatch(/dist\/(ir|passes|backends)\//);
  });

  it('exits with the code of the error', async () => {
    await expect(run(process.execPath, [bin, 'print', 'absent'])).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error K0101: absent: [^\n]+\n$/),
    });
    await expect(run(process.execPath, [bin, '--bogus'])).rejects.toMatchObject({ code: 2 });
  });

  it('writes long results whole to a pipe', async () => {
    const { stdout } = await run(process.execPath, [bin, 'print', WINE], { maxBuffer: 1e8 });
    expect(stdout.startsWith('kir 1\n')).toBe(true);
    expect(stdout.endsWith('}\n')).toBe(true);
  });

  it('sweeps on threads, goes on after it was killed, and finds what one thread finds', async () => {
    const argv = [
      '--calib',
      data('wine', 'calib_inputs.npy'),
      '--grid',
      'act=2..6,table=2..6',
      '--refit',
      '0',
    ];
    const killed = spawn(process.execPath, [bin, 'sweep', WINE, '-o', path('two'), ...argv, '--jobs', '2']);
    const points = (): number => {
      const [file] = list('two').filter((name) => name.endsWith('.jsonl'));
      return file === undefined ? 0 : read('two', file).split('\n').length - 2;
    };
    await new Promise<void>((resolve) => {
      killed.on('exit', () => resolve());
      const timer = setInterval(() => {
        if (points() < 3) return;
        clearInterval(timer);
        killed.kill('SIGKILL');
      }, 2);
    });
    const { stderr } = await run(process.execPath, [
      bin,
      'sweep',
      WINE,
      '-o',
      path('two'),
      ...argv,
      '--jobs',
      '2',
    ]);
    expect(stderr).toContain('25 points');
    expect((await kanc(['sweep', WINE, '-o', path('one'), ...argv, '--jobs', '1'])).exit).toBe(0);
    for (const name of ['results.json', 'results.csv', 'sweep.html']) {
      expect(read('two', name)).toBe(read('one', name));
    }
  });
});
