/** Where an artifact may be written: replacing a folder removes it, so only what kanc wrote itself is replaced. */
import { dirname, join, sep } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Diagnostics, fail, printable } from '../diagnostics/index.js';
import type { Capabilities } from './capabilities.js';
import { MOST_BYTES } from './read-limits.js';
import { type ProbeWorld, probe } from './writable.js';

type World = Pick<Capabilities, 'files' | 'occupied'> & ProbeWorld;
type Done<A = void> = TE.TaskEither<Diagnostics, A>;

/** What every manifest of kanc says of itself; other keys are the targets' own. */
const OwnManifest = t.type({ format: t.literal('kanc-artifact'), files: t.record(t.string, t.unknown) });

/** The files that belong to an artifact, by relative path; undefined for what is no manifest of kanc. */
const ownFiles = (manifest: Uint8Array): ReadonlySet<string> | undefined => {
  try {
    const data: unknown = JSON.parse(new TextDecoder().decode(manifest));
    return OwnManifest.is(data) ? new Set(['manifest.json', ...Object.keys(data.files)]) : undefined;
  } catch {
    return undefined;
  }
};

const refuse = (
  file: string,
  why: string,
  hint = 'Choose another folder with -o, or remove this one first.',
): Done<never> =>
  TE.fromEither(fail('K0102', `no artifact is written here: ${why}`, { place: { file }, hint }));

const contains = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);

/** Refuses folders that the process, its user or the system stand in. */
const checkPlace = (
  { files, occupied }: Pick<World, 'files' | 'occupied'>,
  folder: string,
  target: string,
): Done => {
  const elsewhere = 'Choose a folder of its own with -o, such as -o out.';
  if (dirname(target) === target) return refuse(folder, 'it is the root of a file system', elsewhere);
  return pipe(
    occupied(),
    // Both sides without symbolic links: the same folder may have several names.
    TE.traverseSeqArray((path) => files.resolve(path)),
    TE.flatMap((paths) => {
      const inside = paths.find((path) => contains(target, path));
      if (inside === undefined) return TE.right(undefined);
      return refuse(
        folder,
        inside === target
          ? 'it is the current folder or your home folder'
          : `the current folder or your home folder lies in it (${inside})`,
        elsewhere,
      );
    }),
  );
};

/** What is made of an artifact in its own folder, and can be made again: by `kanc synth`, and by its Makefile. */
const DERIVED: ReadonlySet<string> = new Set(['synth.json', 'build/']);

/** The first entry below `folder` that is not among the files, which are relative to `root`. */
const foreignEntry = (
  { files }: Pick<World, 'files'>,
  root: string,
  own: ReadonlySet<string>,
  prefix = '',
): Done<string | undefined> => {
  const hasParent = (parent: string): boolean => [...own].some((name) => name.startsWith(parent));
  return pipe(
    files.list(join(root, prefix)),
    TE.flatMap(
      TE.traverseSeqArray((entry): Done<string | undefined> => {
        const name = prefix + entry;
        return pipe(
          files.kindOf(join(root, name)),
          TE.flatMap((kind): Done<string | undefined> => {
            if (kind === 'file') return TE.right(own.has(name) ? undefined : name);
            return kind === 'folder' && hasParent(`${name}/`)
              ? foreignEntry({ files }, root, own, `${name}/`)
              : TE.right(kind === 'folder' ? `${name}/` : name);
          }),
        );
      }),
    ),
    TE.map((found) => found.find((name) => name !== undefined && !DERIVED.has(name))),
  );
};

/** An existing folder is empty, or holds an artifact of kanc and nothing else. */
const checkContents = (world: World, folder: string, target: string): Done =>
  pipe(
    world.files.list(target),
    TE.flatMap((names): Done => {
      if (names.length === 0) return TE.right(undefined);
      const other = refuse(folder, 'the folder holds other things than an artifact of kanc');
      if (!names.includes('manifest.json')) return other;
      return pipe(
        world.files.readFound(join(target, 'manifest.json'), MOST_BYTES.manifest),
        TE.flatMap((bytes): Done => {
          const own = ownFiles(bytes);
          if (own === undefined) return other;
          return pipe(
            foreignEntry(world, target, own),
            TE.flatMap((foreign) =>
              foreign === undefined
                ? TE.right(undefined)
                : refuse(
                    folder,
                    `it holds '${printable(foreign, 100)}', which does not belong to the artifact and would be lost`,
                    'Move it away, or choose another folder with -o.',
                  ),
            ),
          );
        }),
      );
    }),
  );

/**
 * Whether an artifact may be written to the folder: it is absent, empty, or holds an artifact of kanc and nothing
 * else, nothing else stands in it, and folders can be made beside it (K0102). Gives its absolute path without symbolic links.
 */
export const checkDestination =
  (world: World) =>
  (folder: string): Done<string> => {
    if (folder === '') {
      return TE.fromEither(
        fail('K0801', 'the name of the folder is empty', {
          place: { option: '--out' },
          expected: 'a folder of its own for the artifact, such as -o out',
        }),
      );
    }
    return pipe(
      world.files.resolve(folder),
      TE.tap((target) => checkPlace(world, folder, target)),
      TE.tap((target) =>
        pipe(
          world.files.kindOf(target),
          TE.flatMap((kind): Done => {
            if (kind === 'absent') return TE.right(undefined);
            if (kind === 'folder') return checkContents(world, folder, target);
            return refuse(folder, 'there is a file of this name');
          }),
        ),
      ),
      TE.tap((target) => probe(world, dirname(target), folder)),
    );
  };
