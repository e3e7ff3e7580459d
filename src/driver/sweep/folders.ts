/** The points that lie in folders: read, and put together where they agree. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail, printable } from '../../diagnostics/index.js';
import type { Capabilities } from '../capabilities.js';
import { MOST_BYTES } from '../read-limits.js';
import type { Point, Shard } from './points.js';
import { damaged, type Finished, lineOfPoint, parseRecords, type Records, shardOfName } from './records.js';

type World = Pick<Capabilities, 'files'>;

export interface RecordsFile extends Records {
  readonly file: string;
  readonly shard: Shard;
}

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

interface Sighting {
  readonly file: string;
  readonly line: number;
  readonly point: Finished;
}

const disagreement = (first: Sighting, { file, line, point }: Sighting): Checked<never> =>
  fail(
    'K0905',
    `point ${point.index} ('${printable(point.name, 100)}') is not the same as in ${first.file}:${first.line}`,
    {
      place: { file, line },
      expected: 'the same record wherever a point was tried',
      hint: 'One of the two is damaged or was changed: remove that file, and run kanc sweep again for what is missing.',
    },
  );

/** All points by their index. K0905 where files say different things of the same point. */
export const collect = (files: ReadonlyArray<RecordsFile>): Checked<ReadonlyMap<number, Finished>> => {
  const seen = new Map<number, Sighting>();
  for (const { file, points } of files) {
    for (const [k, point] of points.entries()) {
      const here: Sighting = { file, line: lineOfPoint(k), point };
      const first = seen.get(point.index);
      if (first === undefined) seen.set(point.index, here);
      else if (!isDeepStrictEqual(first.point, point)) return disagreement(first, here);
    }
  }
  return E.right(new Map([...seen].map(([index, { point }]) => [index, point])));
};

/** K0905 on a record that is not of the point of its index, where it is known which points there are. */
export const checkPoints = (
  points: ReadonlyArray<Point>,
  { file, points: found }: RecordsFile,
): Checked<void> => {
  for (const [k, { index, name }] of found.entries()) {
    const meant = points[index]?.name;
    if (name === meant) continue;
    return damaged(
      file,
      lineOfPoint(k),
      `point ${index} is '${printable(name, 100)}', but should be '${printable(meant ?? '', 100)}'`,
    );
  }
  return E.right(undefined);
};
