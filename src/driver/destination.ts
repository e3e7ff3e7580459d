/**
 * Where files and artifacts may be written, found out before the work whose results are to go there. Replacing a folder
 * removes it, so only what kanc wrote itself is replaced.
 */
import { dirname, join, sep } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostic, type Diagnostics, fail } from '../diagnostics/index.js';
import { mainFiles } from '../importers/source.js';
import type { Capabilities } from './capabilities.js';
import { checkNoArtifact, foreignEntry, ownershipIn } from './ownership.js';

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

type ProbeWorld = Pick<Capabilities, 'files' | 'unique' | 'removeOnInterrupt'>;

/**
 * Diagnostics with the name that people gave in place of that of a temporary file, which they do not know and which is
 * gone when they look for it.
 */
export const toldAs =
  (temporary: string, shown: string) =>
  (diagnostics: Diagnostics): Diagnostics => {
    const named = (d: Diagnostic): Diagnostic => {
      const { file } = d.place;
      return file?.startsWith(temporary) === true
        ? { ...d, place: { ...d.place, file: shown + file.slice(temporary.length) } }
        : d;
    };
    const [first, ...rest] = diagnostics;
    return [named(first), ...rest.map(named)];
  };

/** The folder itself, or the nearest one around it that is there. */
const existing = (world: Pick<Capabilities, 'files'>, folder: string): TE.TaskEither<Diagnostics, string> =>
  pipe(
    world.files.kindOf(folder),
    TE.flatMap((kind) =>
      kind === 'absent' && dirname(folder) !== folder ? existing(world, dirname(folder)) : TE.right(folder),
    ),
  );

/**
 * Makes an empty folder in `folder` and removes it again. Where `folder` is absent, in the nearest one around it: so
 * nothing else has to be made and removed, which another process might be about to use. Failures name `shown`.
 */
export const probe = (world: ProbeWorld, folder: string, shown: string): TE.TaskEither<Diagnostics, void> =>
  pipe(
    existing(world, folder),
    TE.flatMap((there) => {
      const path = join(there, `.kanc-probe-${world.unique()}`);
      const attempt = pipe(
        world.files.makeFolder(path),
        TE.flatMap(() => world.files.removeEmpty(path)),
        TE.mapLeft(toldAs(path, shown)),
      );
      return () => {
        const forget = world.removeOnInterrupt(path);
        return attempt().finally(forget);
      };
    }),
  );

/** Where a file is written: its absolute path without symbolic links. K0801 without a name, K0102 in an artifact. */
export const fileTarget =
  (world: Pick<Capabilities, 'files'>, where: 'anywhere' | 'outside of artifacts') =>
  (path: string): TE.TaskEither<Diagnostics, string> =>
    path === ''
      ? TE.fromEither(fail('K0801', 'the name of the file to write is empty'))
      : pipe(
          world.files.resolve(path),
          TE.tap((target) =>
            where === 'anywhere' ? TE.right(undefined) : checkNoArtifact(world)(dirname(target), path),
          ),
        );

/** What `writeFileAtomically` would refuse, before the work whose result the file is to hold; nothing without a path. */
export const checkFile =
  (world: ProbeWorld) =>
  (path: string | undefined): TE.TaskEither<Diagnostics, void> =>
    path === undefined
      ? TE.right(undefined)
      : pipe(
          fileTarget(world, 'outside of artifacts')(path),
          TE.bindTo('target'),
          TE.bind('kind', ({ target }) => world.files.kindOf(target)),
          TE.flatMap(({ target, kind }) => {
            if (kind === 'other') return TE.right(undefined);
            if (kind !== 'folder') return probe(world, dirname(target), path);
            return TE.fromEither(
              fail('K0102', 'cannot be written: it is a folder', {
                place: { file: path },
                expected: 'the name of a file, which may be absent',
              }),
            );
          }),
        );

/**
 * Whether files can be put into a folder that may not be there yet and is no artifact's (K0102). Gives its absolute path
 * without symbolic links. `example`: how another one is chosen.
 */
export const checkFolder =
  (world: ProbeWorld, example: string) =>
  (folder: string): TE.TaskEither<Diagnostics, string> =>
    pipe(
      world.files.kindOf(folder),
      TE.flatMapEither((kind) =>
        kind === 'folder' || kind === 'absent'
          ? E.right(kind)
          : fail('K0102', 'cannot be written to: it is a file', {
              place: { file: folder },
              expected: 'a folder, which may be absent',
              hint: `Choose a folder with ${example.split(' ')[0]}, such as ${example}.`,
            }),
      ),
      TE.flatMap(() => world.files.resolve(folder)),
      TE.tap((target) => checkNoArtifact(world)(target, folder)),
      TE.tap((target) => probe(world, target, folder)),
    );

/** As `checkFolder`; and it holds no checkpoint, to which the files of a sweep do not belong (K0102). */
export const checkSweepFolder =
  (world: ProbeWorld) =>
  (folder: string): TE.TaskEither<Diagnostics, void> =>
    pipe(
      checkFolder(world, '-o sweep')(folder),
      TE.flatMap((target) => world.files.kindOf(target)),
      TE.flatMap((kind) => (kind === 'folder' ? world.files.list(folder) : TE.right([]))),
      TE.flatMapEither((names) =>
        mainFiles(names).length === 0
          ? E.right(undefined)
          : fail('K0102', 'is not written to: the folder holds the files of a checkpoint', {
              place: { file: folder },
              expected: 'a folder of its own',
              hint: 'Choose another folder with -o, such as -o sweep.',
            }),
      ),
    );
