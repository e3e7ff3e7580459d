/** Whether a folder can be written to, found out before the work whose results are to go there. */
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostic, type Diagnostics, fail } from '../diagnostics/index.js';
import { mainFiles } from '../importers/source.js';
import type { Capabilities } from './capabilities.js';
import { checkNoArtifact } from './ownership.js';

export type ProbeWorld = Pick<Capabilities, 'files' | 'unique' | 'removeOnInterrupt'>;

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

/** Whether nothing is in the folder that other files would make unusable: an artifact, or the files of a checkpoint. */
const checkUnused =
  (world: ProbeWorld) =>
  (folder: string): TE.TaskEither<Diagnostics, void> =>
    pipe(
      checkNoArtifact(world)(folder, folder),
      TE.flatMap(() => world.files.list(folder)),
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

/** Whether files can be put into a folder that may not be there yet (K0102). */
export const checkFolder =
  (world: ProbeWorld) =>
  (folder: string): TE.TaskEither<Diagnostics, void> =>
    pipe(
      world.files.kindOf(folder),
      TE.flatMapEither((kind) =>
        kind === 'folder' || kind === 'absent'
          ? E.right(kind)
          : fail('K0102', 'cannot be written to: it is a file', {
              place: { file: folder },
              expected: 'a folder, which may be absent',
              hint: 'Choose a folder with -o, such as -o sweep.',
            }),
      ),
      TE.tap((kind) => (kind === 'folder' ? checkUnused(world)(folder) : TE.right(undefined))),
      TE.flatMap(() => world.files.resolve(folder)),
      TE.flatMap((target) => probe(world, target, folder)),
    );
