/** The real process: streams, exit codes, and a start that does not load what it does not need. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { WINE } from './support.js';

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
});
