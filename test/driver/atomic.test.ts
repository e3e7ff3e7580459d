/** A failing disk leaves nothing behind, whichever step fails. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail } from '../../src/diagnostics/index.js';
import { writeArtifact, writeFileAtomically } from '../../src/driver/atomic.js';
import type { Files } from '../../src/driver/capabilities.js';
import { sha256Of } from '../../src/driver/node/hash.js';
import { nodeDisk } from '../../src/driver/node/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kanc-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Counts what writes; the n-th such action fails. */
const failingAt = (n: number): { readonly files: Files; readonly done: () => number } => {
  let count = 0;
  const step = <A extends ReadonlyArray<unknown>, R>(
    action: (...args: A) => TE.TaskEither<ReturnType<typeof disk>, R>,
  ) =>
    ((...args: A) =>
      TE.flatMap(() => (++count === n ? TE.left(disk()) : action(...args)))(
        TE.right(undefined),
      )) as typeof action;
  return {
    files: {
      ...nodeDisk.files,
      write: step(nodeDisk.files.write),
      makeFolder: step(nodeDisk.files.makeFolder),
      rename: step(nodeDisk.files.rename),
    },
    done: () => count,
  };
};

const disk = () => {
  const full = fail('K0102', 'the disk is full');
  if (full._tag === 'Right') throw new Error('unreachable');
  return full.left;
};

const artifact = (text: string) => ({
  files: new Map<string, string | Uint8Array>([
    [
      'manifest.json',
      JSON.stringify({ format: 'kanc-artifact', files: { 'lib/part.txt': sha256Of(text) }, text }),
    ],
    ['lib/part.txt', text],
  ]),
});

const tree = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length + 1), readFileSync(file, 'utf8')]),
  );

describe('writeArtifact', () => {
  it('writes, replaces, and creates parents', async () => {
    const write = writeArtifact(nodeDisk);
    expect(codeOf(await write(join(folder, 'a/b'), artifact('one'))())).toBe('ok');
    expect(codeOf(await write(join(folder, 'a/b'), artifact('two'))())).toBe('ok');
    expect(Object.keys(tree()).sort()).toEqual(['a/b/lib/part.txt', 'a/b/manifest.json']);
    expect(tree()['a/b/lib/part.txt']).toBe('two');
  });

  it('takes an empty folder, and none with other things', async () => {
    const write = writeArtifact(nodeDisk);
    mkdirSync(join(folder, 'empty'));
    expect(codeOf(await write(join(folder, 'empty'), artifact('x'))())).toBe('ok');
    writeFileSync(join(folder, 'manifest.json'), '{"name": "a web application"}');
    expect(codeOf(await write(folder, artifact('x'))())).toBe('K0102');
  });

  it.each([false, true])('leaves all as it was when any step fails (replacing: %s)', async (replacing) => {
    const target = join(folder, 'parent', 'out');
    if (replacing) await writeArtifact(nodeDisk)(target, artifact('old'))();
    const before = tree();
    const folders = readdirSync(folder, { recursive: true });
    for (let n = 1; ; n++) {
      const { files, done } = failingAt(n);
      const result = await writeArtifact({ ...nodeDisk, files })(target, artifact('new'))();
      if (done() < n) {
        expect(codeOf(result)).toBe('ok');
        expect(n).toBeGreaterThan(5);
        break;
      }
      expect(codeOf(result)).toBe('K0102');
      expect(tree()).toEqual(before);
      expect(readdirSync(folder, { recursive: true })).toEqual(folders);
    }
    expect(tree()['parent/out/lib/part.txt']).toBe('new');
  });
});

describe('what others put there meanwhile', () => {
  it('stays when writing fails: parents are removed only while they are empty', async () => {
    const files: Files = {
      ...nodeDisk.files,
      rename: () => {
        writeFileSync(join(folder, 'made', 'other.txt'), 'x');
        return TE.left(disk());
      },
    };
    const target = join(folder, 'made', 'deeper', 'out');
    expect(codeOf(await writeArtifact({ ...nodeDisk, files })(target, artifact('new'))())).toBe('K0102');
    expect(tree()).toEqual({ 'made/other.txt': 'x' });
    expect(readdirSync(join(folder, 'made'))).toEqual(['other.txt']);
    rmSync(join(folder, 'made'), { recursive: true });
    mkdirSync(join(folder, 'made'));
    const file = writeFileAtomically({ ...nodeDisk, files })(join(folder, 'made', 'x', 'y.npy'), 'new');
    expect(codeOf(await file())).toBe('K0102');
    expect(tree()).toEqual({ 'made/other.txt': 'x' });
  });
});

describe('folders', () => {
  it('that the system does not allow are an error at once, and leave nothing', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(codeOf(await nodeDisk.files.makeFolder(join(folder, 'file', 'x', 'y'))())).toBe('K0102');
    const long = 'n'.repeat(300);
    expect(codeOf(await nodeDisk.files.makeFolder(join(folder, 'a', 'b', long))())).toBe('K0102');
    expect(readdirSync(folder)).toEqual(['file']);
    const made = rightOf(await nodeDisk.files.makeFolder(join(folder, 'a', 'b'))());
    expect(made.map((path) => path.slice(folder.length))).toEqual(['/a', '/a/b']);
  });

  it.runIf(existsSync('/proc/self'))('below /proc cannot be made', async () => {
    const message = messageOf(await nodeDisk.files.makeFolder('/proc/kanc/out')());
    expect(message).toMatch(/K0102: \/proc\/kanc\/out: cannot be made/);
  });
});

describe('an interruption', () => {
  it('removes what is being written and ends the process by its signal', async () => {
    const { removeOnInterrupt } = nodeDisk;
    const temporary = join(folder, 'temporary');
    const kept = join(folder, 'kept');
    mkdirSync(temporary);
    mkdirSync(kept);
    removeOnInterrupt(kept)();
    removeOnInterrupt(temporary);
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    process.emit('SIGINT', 'SIGINT');
    expect(kill).toHaveBeenCalledWith(process.pid, 'SIGINT');
    kill.mockRestore();
    expect(readdirSync(folder)).toEqual(['kept']);
    const before = process.listenerCount('SIGINT');
    removeOnInterrupt(temporary)();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('is watched for while an artifact is written, and no longer', async () => {
    const watched: string[] = [];
    const removeOnInterrupt = (path: string) => {
      watched.push(path);
      return () => void watched.splice(watched.indexOf(path), 1);
    };
    const seen: number[] = [];
    const files: Files = {
      ...nodeDisk.files,
      write: (path, content) => {
        seen.push(watched.filter((w) => path.startsWith(w)).length);
        return nodeDisk.files.write(path, content);
      },
    };
    const target = join(folder, 'out');
    await writeArtifact({ ...nodeDisk, files, removeOnInterrupt })(target, artifact('x'))();
    expect(seen).toEqual([1, 1]);
    expect(watched).toEqual([]);
  });
});

describe('writeFileAtomically', () => {
  it('needs a name', async () => {
    expect(codeOf(await writeFileAtomically(nodeDisk)('', 'x')())).toBe('K0801');
  });

  it('writes into what is no file without replacing it', async () => {
    const written: string[] = [];
    const files: Files = {
      ...nodeDisk.files,
      kindOf: () => TE.right('other'),
      write: (path) => TE.fromIO(() => void written.push(path)),
      rename: () => TE.left(disk()),
    };
    const file = join(folder, 'device');
    expect(codeOf(await writeFileAtomically({ ...nodeDisk, files })(file, 'x')())).toBe('ok');
    expect(written).toEqual([file]);
  });

  it('keeps the old file when writing fails', async () => {
    const file = join(folder, 'y.npy');
    writeFileSync(file, 'old');
    for (const n of [2, 3]) {
      const { files } = failingAt(n);
      expect(codeOf(await writeFileAtomically({ ...nodeDisk, files })(file, 'new')())).toBe('K0102');
      expect(tree()).toEqual({ 'y.npy': 'old' });
    }
  });
});
