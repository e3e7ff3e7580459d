/** Reading files that may be anything: nothing hangs, and nothing is read without a limit. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/driver/node/files.js';
import { MOST_STREAMED } from '../../../src/driver/node/read.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';

const folder = mkdtempSync(join(tmpdir(), 'kanc-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const found = (name: string, most = 1000) => nodeFiles.readFound(path(name), most)();

describe('files that kanc finds', () => {
  it('are read whole, whatever their length', async () => {
    for (const length of [0, 1, 70_000]) {
      writeFileSync(path('file'), Buffer.alloc(length, 7));
      expect(rightOf(await found('file', 70_000))).toEqual(new Uint8Array(length).fill(7));
    }
  });

  it('have a limit, which is looked at before they are read', async () => {
    writeFileSync(path('large'), '');
    truncateSync(path('large'), 2 ** 40);
    expect(messageOf(await found('large'))).toMatch(/K0113: .*longer than the 1000 bytes/);
    // The system tells no size of these.
    expect(codeOf(await nodeFiles.readFound('/proc/cpuinfo', 10)())).toBe('K0113');
    expect(rightOf(await nodeFiles.readFound('/proc/self/cmdline', 2 ** 20)()).length).toBeGreaterThan(4);
  });

  it('are regular: no pipe, device, socket or folder, nor a link to one', async () => {
    execFileSync('mkfifo', [path('pipe')]);
    symlinkSync('/dev/zero', path('zero'));
    symlinkSync(path('pipe'), path('link'));
    mkdirSync(path('folder'));
    const server = createServer().listen(path('socket'));
    await new Promise((done) => server.once('listening', done));
    for (const name of ['pipe', 'zero', 'link', 'socket', 'folder', 'absent']) {
      expect(messageOf(await found(name)), name).toMatch(/^error K0101: .*cannot be read: /);
    }
    server.close();
  });
});

describe('what the user names', () => {
  it('may be a pipe', async () => {
    execFileSync('mkfifo', [path('named')]);
    const reading = nodeFiles.read(path('named'))();
    await writeFile(path('named'), 'through a pipe');
    expect(new TextDecoder().decode(rightOf(await reading))).toBe('through a pipe');
    expect(rightOf(await nodeFiles.read('/dev/null')())).toHaveLength(0);
  });

  it('has an end', async () => {
    expect(messageOf(await nodeFiles.read('/dev/zero')())).toMatch(
      new RegExp(`K0113: /dev/zero: .*${MOST_STREAMED} bytes.*Write what comes out of it to a file`),
    );
  });
});
