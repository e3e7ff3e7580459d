/** Finds the files of a checkpoint, whichever of them the user named, and reads them. */
import { basename, dirname, join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, diagnostic, printable } from '../diagnostics/index.js';
import { companions, mainFile, mainFiles, type Source, stateOf } from '../importers/source.js';
import type { Capabilities } from './capabilities.js';

type World = Pick<Capabilities, 'files'>;

/** Those of the names that are files in the folder, with their contents. */
const readPresent =
  ({ files }: World, folder: string) =>
  (names: ReadonlyArray<string>): TE.TaskEither<Diagnostics, ReadonlyMap<string, Uint8Array>> =>
    pipe(
      TE.fromTask<ReadonlyArray<string>, Diagnostics>(async () => {
        const present: string[] = [];
        for (const name of names) {
          if ((await files.kindOf(join(folder, name))()) === 'file') present.push(name);
        }
        return present;
      }),
      TE.flatMap(
        TE.traverseSeqArray((name) =>
          pipe(
            files.read(join(folder, name)),
            TE.map((bytes) => [name, bytes] as const),
          ),
        ),
      ),
      TE.map((entries) => new Map(entries)),
    );

const missing = (file: string, main: string): Diagnostics => [
  diagnostic('K0101', `it belongs to ${basename(main)}, which is not beside it`, {
    place: { file },
    hint: 'Keep the files that the library wrote in one folder.',
  }),
];

/** The path of the main file, for a path that is no folder. */
const mainOfPath =
  ({ files }: World) =>
  (path: string, kind: 'file' | 'absent'): TE.TaskEither<Diagnostics, string> =>
  async () => {
    const main = mainFile(path);
    if (kind === 'absent') {
      const state = stateOf(path);
      if ((await files.kindOf(state)()) === 'file') return TE.right(state)();
      // Reading it tells that it is not there.
      if ((await files.kindOf(main)()) !== 'file') return TE.right(path)();
    }
    if (main === path || (await files.kindOf(main)()) === 'file') return TE.right(main)();
    return TE.left(missing(path, main))();
  };

/** What a folder may be besides a checkpoint, where it is none. */
type Otherwise = 'nothing' | 'artifact';

const noCheckpoint = (folder: string, otherwise: Otherwise): Diagnostics => [
  otherwise === 'artifact'
    ? diagnostic(
        'K0603',
        'the folder has no manifest.json, and no checkpoint of a library that writes folders',
        {
          place: { file: folder },
          expected: 'a folder that kanc compile has written, or one with the files of pykan or KANELE',
        },
      )
    : diagnostic('K0101', 'cannot be read: it is a folder', {
        place: { file: folder },
        expected: 'a file, or a folder with the files of pykan or KANELE',
      }),
];

/** Only the user can say which. */
const severalCheckpoints = (folder: string, found: ReadonlyArray<string>): Diagnostics => {
  const shown = found.slice(0, 6).map((name) => printable(name, 60));
  return [
    diagnostic(
      'K0101',
      `the folder holds ${found.length} checkpoints: ${shown.join(', ')}${found.length > 6 ? ', ...' : ''}`,
      { place: { file: folder }, expected: 'the name of one of them' },
    ),
  ];
};

const mainOfFolder =
  ({ files }: World, otherwise: Otherwise) =>
  (folder: string): TE.TaskEither<Diagnostics, string> =>
    pipe(
      // What saveckpt was given may be the name of a folder too: the one in which pykan keeps its history.
      TE.fromTask<boolean, Diagnostics>(
        T.map((kind) => kind === 'file')(files.kindOf(stateOf(trimmed(folder)))),
      ),
      TE.flatMap((isState) =>
        isState
          ? TE.right(stateOf(trimmed(folder)))
          : pipe(
              files.list(folder),
              TE.map(mainFiles),
              TE.flatMap(([first, ...others]): TE.TaskEither<Diagnostics, string> => {
                if (first === undefined) return TE.left(noCheckpoint(folder, otherwise));
                return others.length === 0
                  ? TE.right(join(folder, first))
                  : TE.left(severalCheckpoints(folder, [first, ...others]));
              }),
            ),
      ),
    );

const trimmed = (folder: string): string => folder.replace(/[/\\]+$/, '');

/** Reads what the user named: a file, any file of a set, the common beginning of their names, or a folder. */
export const loadSource =
  (world: World, otherwise: Otherwise = 'nothing') =>
  (path: string): TE.TaskEither<Diagnostics, Source> =>
    pipe(
      TE.fromTask<'file' | 'folder' | 'absent', Diagnostics>(world.files.kindOf(path)),
      TE.flatMap((kind) =>
        kind === 'folder' ? mainOfFolder(world, otherwise)(path) : mainOfPath(world)(path, kind),
      ),
      TE.bindTo('file'),
      TE.bind('bytes', ({ file }) => world.files.read(file)),
      TE.bind('beside', ({ file }) => readPresent(world, dirname(file))(companions(basename(file)))),
      TE.map(({ file, bytes, beside }) => ({ file, name: basename(file), bytes, beside })),
    );
