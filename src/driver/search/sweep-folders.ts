/** The points that lie in folders. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, fail } from '../../diagnostics/index.js';
import { mergeRecords, type Results } from '../../search/sweep/merge.js';
import { parseRecords, type RecordsFile, shardOfName } from '../../search/sweep/records.js';
import { type Capabilities, MOST_BYTES } from '../capabilities.js';

type World = Pick<Capabilities, 'files'>;

/** The files of points in a folder, in the order of their names. */
const filesIn =
  ({ files }: World) =>
  (folder: string): TE.TaskEither<Diagnostics, ReadonlyArray<RecordsFile>> =>
    pipe(
      files.list(folder),
      TE.map((names) =>
        [...names].sort().flatMap((name) => {
          const shard = shardOfName(name);
          return shard === undefined ? [] : [{ file: join(folder, name), shard }];
        }),
      ),
      TE.flatMap(
        TE.traverseSeqArray(({ file, shard }) =>
          pipe(
            files.readFound(file, MOST_BYTES.points),
            TE.flatMapEither((bytes) => parseRecords(new TextDecoder().decode(bytes), file)),
            TE.map((records): RecordsFile => ({ ...records, file, shard })),
          ),
        ),
      ),
    );

/** The files of a sweep that may not have begun yet: none where there is no folder. */
export const filesSoFar =
  (world: World) =>
  (folder: string): TE.TaskEither<Diagnostics, ReadonlyArray<RecordsFile>> =>
    pipe(
      world.files.kindOf(folder),
      TE.flatMap((kind) => (kind === 'absent' ? TE.right([]) : filesIn(world)(folder))),
    );

const EXPECTED = 'a folder that kanc sweep has written to';

/** The files of a folder that somebody names: K0101 where it is none, K0904 where there are none in it. */
export const filesOf =
  (world: World) =>
  (folder: string): TE.TaskEither<Diagnostics, ReadonlyArray<RecordsFile>> => {
    const place = { file: folder };
    return pipe(
      world.files.kindOf(folder),
      TE.flatMap((kind): TE.TaskEither<Diagnostics, ReadonlyArray<RecordsFile>> => {
        if (kind === 'folder') return filesIn(world)(folder);
        const found = kind === 'absent' ? 'there is no such folder' : 'it is a file';
        return TE.fromEither(fail('K0101', `cannot be read: ${found}`, { place, expected: EXPECTED }));
      }),
      TE.flatMapEither((found) =>
        found.length > 0
          ? E.right(found)
          : fail('K0904', 'no points were found in the folder', { place, expected: EXPECTED }),
      ),
    );
  };

/** The results of a sweep whose points lie in these folders. */
export const mergeFolders =
  (world: Pick<Capabilities, 'files'>) =>
  (folders: ReadonlyArray<string>): TE.TaskEither<Diagnostics, Results> =>
    pipe(
      folders,
      TE.traverseSeqArray(filesOf(world)),
      TE.flatMapEither((read) => mergeRecords(read.flat())),
    );
