/** Finds the files of a checkpoint, whichever of them the user named, and reads them. */
import { basename, dirname, join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostic, type Diagnostics, diagnostic, printable } from '../diagnostics/index.js';
import { type Other, otherFolder } from '../importers/containers/other-archives.js';
import { companions, mainFile, mainFiles, type Source, stateOf } from '../importers/source.js';
import { type Capabilities, type FileKind, MOST_BYTES } from './capabilities.js';

type World = Pick<Capabilities, 'files'>;

/** Those of the names that are files in the folder, with their contents. */
const readPresent =
  ({ files }: World, folder: string) =>
  (names: ReadonlyArray<string>): TE.TaskEither<Diagnostics, ReadonlyMap<string, Uint8Array>> =>
    pipe(
      names,
      TE.traverseSeqArray((name) =>
        pipe(
          files.kindOf(join(folder, name)),
          TE.map((kind) => (kind === 'file' ? [name] : [])),
        ),
      ),
      TE.map((present) => present.flat()),
      TE.flatMap(
        TE.traverseSeqArray((name) =>
          pipe(
            files.readFound(join(folder, name), MOST_BYTES.checkpoint),
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
  (path: string, kind: FileKind): TE.TaskEither<Diagnostics, string> => {
    const main = mainFile(path);
    const state = stateOf(path);
    const isFile = (name: string): TE.TaskEither<Diagnostics, boolean> =>
      pipe(
        files.kindOf(name),
        TE.map((found) => found === 'file'),
      );
    if (kind !== 'absent' && main === path) return TE.right(path);
    return pipe(
      TE.Do,
      TE.bind('hasState', () => (kind === 'absent' ? isFile(state) : TE.right(false))),
      TE.bind('hasMain', () => isFile(main)),
      TE.flatMap(({ hasState, hasMain }): TE.TaskEither<Diagnostics, string> => {
        if (hasState) return TE.right(state);
        if (hasMain) return TE.right(main);
        // Reading what is not there tells so.
        return kind === 'absent' ? TE.right(path) : TE.left(missing(path, main));
      }),
    );
  };

/** What a folder may be besides a checkpoint, where it is none. */
type Otherwise = 'nothing' | 'artifact';

const noCheckpoint = (folder: string, names: ReadonlyArray<string>, otherwise: Otherwise): Diagnostics => {
  const other = otherFolder(names);
  return [other === undefined ? nothingKnown(folder, otherwise) : otherCheckpoint(folder, other)];
};

const otherCheckpoint = (folder: string, { what, hint }: Other): Diagnostic =>
  diagnostic('K0104', `the folder is ${what}`, {
    place: { file: folder },
    expected: 'safetensors or a torch checkpoint (.pt, .pth), in one file or with an index',
    hint,
  });

const nothingKnown = (folder: string, otherwise: Otherwise): Diagnostic =>
  otherwise === 'artifact'
    ? diagnostic(
        'K0603',
        'the folder has no manifest.json, and no checkpoint of a library that writes folders',
        {
          place: { file: folder },
          expected:
            'a folder that kanc compile has written, or one with the files of pykan or KANELE, or with an index and its shards',
        },
      )
    : diagnostic('K0101', 'cannot be read: it is a folder', {
        place: { file: folder },
        expected: 'a file, or a folder with the files of pykan or KANELE, or with an index and its shards',
      });

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
      files.kindOf(stateOf(trimmed(folder))),
      TE.map((kind) => kind === 'file'),
      TE.flatMap((isState) =>
        isState
          ? TE.right(stateOf(trimmed(folder)))
          : pipe(
              files.list(folder),
              TE.flatMap((names): TE.TaskEither<Diagnostics, string> => {
                const [first, ...others] = mainFiles(names);
                if (first === undefined) return TE.left(noCheckpoint(folder, names, otherwise));
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
      world.files.kindOf(path),
      TE.flatMap((kind) =>
        kind === 'folder' ? mainOfFolder(world, otherwise)(path) : mainOfPath(world)(path, kind),
      ),
      TE.bindTo('file'),
      TE.bind('bytes', ({ file }) =>
        file === path ? world.files.read(file) : world.files.readFound(file, MOST_BYTES.checkpoint),
      ),
      TE.bind('beside', ({ file, bytes }) =>
        readPresent(world, dirname(file))(companions(basename(file), bytes)),
      ),
      TE.map(({ file, bytes, beside }) => ({ file, name: basename(file), bytes, beside })),
    );
