/** Where an artifact may be written: replacing a folder removes it, so only what kanc wrote itself is replaced. */
import { dirname, sep } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, fail } from '../diagnostics/index.js';
import type { Capabilities } from './capabilities.js';
import { checkNoArtifact, foreignEntry, ownershipIn } from './ownership.js';
import { type ProbeWorld, probe } from './writable.js';

type World = Pick<Capabilities, 'files' | 'occupied'> & ProbeWorld;
type Done<A = void> = TE.TaskEither<Diagnostics, A>;

const refuse = (
  file: string,
  why: string,
  hint = 'Choose another folder with -o, or remove this one first.',
): Done<never> =>
  TE.fromEither(fail('K0102', `no artifact is written here: ${why}`, { place: { file }, hint }));

/** Whether a folder is the other one or lies in it; both absolute. */
export const contains = (outer: string, inner: string): boolean =>
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

/** An existing folder is empty, or holds an artifact of kanc and nothing else. */
const checkContents = (world: World, folder: string, target: string): Done =>
  pipe(
    TE.Do,
    TE.bind('names', () => world.files.list(target)),
    TE.bind('own', () => ownershipIn(world)(target)),
    TE.flatMap(({ names, own }): Done => {
      if (names.length === 0) return TE.right(undefined);
      if (own === undefined) return refuse(folder, 'the folder holds other things than an artifact of kanc');
      return pipe(
        foreignEntry(world, target, own),
        TE.flatMap((foreign) =>
          foreign === undefined
            ? TE.right(undefined)
            : refuse(
                folder,
                `it holds ${foreign}, and would be lost`,
                'Move it away, or choose another folder with -o.',
              ),
        ),
      );
    }),
  );

/**
 * Whether an artifact may be written to the folder: it is absent, empty, or holds an artifact of kanc and nothing
 * else, nothing else stands in it, it lies in no other artifact, and folders can be made beside it (K0102). Gives its absolute path without symbolic links.
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
      TE.tap((target) => checkNoArtifact(world)(dirname(target), folder)),
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
