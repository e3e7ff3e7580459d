/** A failing disk leaves nothing behind, whichever step fails. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fail } from '../../src/diagnostics/index.js';
import { writeArtifact, writeFileAtomically } from '../../src/driver/atomic.js';
import type { Files } from '../../src/driver/capabilities.js';
import { nodeFiles, unique } from '../../src/driver/node.js';
import { codeOf } from '../support/checked.js';

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
      ...nodeFiles,
      write: step(nodeFiles.write),
      makeFolder: step(nodeFiles.makeFolder),
      rename: step(nodeFiles.rename),
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
    ['manifest.json', JSON.stringify({ format: 'kanc-artifact', text })],
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
    const write = writeArtifact({ files: nodeFiles, unique });
    expect(codeOf(await write(join(folder, 'a/b'), artifact('one'))())).toBe('ok');
    expect(codeOf(await write(join(folder, 'a/b'), artifact('two'))())).toBe('ok');
    expect(Object.keys(tree()).sort()).toEqual(['a/b/lib/part.txt', 'a/b/manifest.json']);
    expect(tree()['a/b/lib/part.txt']).toBe('two');
  });

  it('takes an empty folder, and none with other things', async () => {
    const write = writeArtifact({ files: nodeFiles, unique });
    mkdirSync(join(folder, 'empty'));
    expect(codeOf(await write(join(folder, 'empty'), artifact('x'))())).toBe('ok');
    writeFileSync(join(folder, 'manifest.json'), '{"name": "a web application"}');
    expect(codeOf(await write(folder, artifact('x'))())).toBe('K0102');
  });

  it.each([false, true])('leaves all as it was when any step fails (replacing: %s)', async (replacing) => {
    const target = join(folder, 'parent', 'out');
    if (replacing) await writeArtifact({ files: nodeFiles, unique })(target, artifact('old'))();
    const before = tree();
    const folders = readdirSync(folder, { recursive: true });
    for (let n = 1; ; n++) {
      const { files, done } = failingAt(n);
      const result = await writeArtifact({ files, unique })(target, artifact('new'))();
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

describe('writeFileAtomically', () => {
  it('keeps the old file when writing fails', async () => {
    const file = join(folder, 'y.npy');
    writeFileSync(file, 'old');
    for (const n of [2, 3]) {
      const { files } = failingAt(n);
      expect(codeOf(await writeFileAtomically({ files, unique })(file, 'new')())).toBe('K0102');
      expect(tree()).toEqual({ 'y.npy': 'old' });
    }
  });
});
