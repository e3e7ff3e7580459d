/** Several processes at once, and disks that take a part only. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Appendable, appendWhole, nodeFiles } from '../../../src/driver/node/files.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kanc-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (...parts: ReadonlyArray<string>): string => join(folder, ...parts);

describe('makeFolder', () => {
  it('succeeds for all who make the same folders at once, and each is told to one of them', async () => {
    for (let round = 0; round < 20; round++) {
      const target = path(`round-${round}`, 'a', 'b');
      const all = await Promise.all(Array.from({ length: 8 }, () => nodeFiles.makeFolder(target)()));
      expect(all.map(codeOf)).toEqual(Array.from({ length: 8 }, () => 'ok'));
      expect(all.flatMap((made) => rightOf(made)).sort()).toEqual([
        path(`round-${round}`),
        path(`round-${round}`, 'a'),
        target,
      ]);
    }
  });
});

/** An open file whose writes take what `taken` says of the bytes that are left. */
const opened = async (file: string, taken: (wanted: number) => number) => {
  const real = await open(file, 'a');
  const appendable: Appendable = {
    stat: () => real.stat(),
    truncate: (length) => real.truncate(length),
    datasync: () => real.datasync(),
    write: (bytes, from, length) => real.write(bytes, from, taken(length)),
  };
  return { appendable, close: () => real.close() };
};

describe('append', () => {
  it('writes on where a write took a part', async () => {
    const file = path('lines');
    writeFileSync(file, 'old\n');
    const { appendable, close } = await opened(file, (wanted) => Math.min(3, wanted));
    await appendWhole(appendable, 'a line of \u00e4\n');
    await close();
    expect(readFileSync(file, 'utf8')).toBe('old\na line of \u00e4\n');
  });

  it.each(['ENOSPC', 'nothing'] as const)(
    'leaves the old length when the disk is full (%s)',
    async (then) => {
      const file = path('lines');
      writeFileSync(file, 'old\n');
      let room = 5;
      const { appendable, close } = await opened(file, (wanted) => {
        const taken = Math.min(room, wanted);
        if (taken === 0 && then === 'ENOSPC') throw new Error('full');
        room -= taken;
        return taken;
      });
      await expect(appendWhole(appendable, 'a line\n')).rejects.toThrow(
        then === 'ENOSPC' ? 'full' : 'only 5 of 7 bytes were taken',
      );
      await close();
      expect(readFileSync(file, 'utf8')).toBe('old\n');
    },
  );

  it.runIf(existsSync('/dev/full'))('tells a full disk', async () => {
    const result = await nodeFiles.append('/dev/full', 'a line\n')();
    expect(messageOf(result)).toBe('error K0102: /dev/full: cannot be written: the disk is full.');
  });

  it('keeps lines apart that are written at once, also where one fails', async () => {
    const file = path('lines');
    const lines = Array.from({ length: 50 }, (_, k) => `${k} ${'x'.repeat(k * 20)}\n`);
    const all = await Promise.all(lines.map((line) => nodeFiles.append(file, line)()));
    expect(all.every(E.isRight)).toBe(true);
    const written = readFileSync(file, 'utf8').split(/(?<=\n)/);
    expect([...written].sort()).toEqual([...lines].sort());
    mkdirSync(path('folder'));
    expect(codeOf(await nodeFiles.append(path('folder'), 'x\n')())).toBe('K0102');
    expect(codeOf(await nodeFiles.append(path('folder'), 'x\n')())).toBe('K0102');
  });
});
