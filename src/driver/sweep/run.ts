/** Tries the points of a shard that are not finished, several at once, and writes each down when it is. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../atomic.js';
import type { Capabilities, Trials } from '../capabilities.js';
import { tryConfiguration } from '../search/outcome.js';
import { checkPoints, collect, filesSoFar, type RecordsFile } from './folders.js';
import { inShard, type Shard } from './points.js';
import type { Sweep } from './prepare.js';
import { checkSame, type Finished, fileNameOf, finished, lineOf } from './records.js';

type World = Pick<Capabilities, 'files' | 'unique' | 'occupied' | 'removeOnInterrupt'>;

/** Runs `step` on the items in order, `lanes` at a time; after a failure no new one is begun, and the first one counts. */
export const inLanes =
  (lanes: number) =>
  <A>(
    items: ReadonlyArray<A>,
    step: (item: A) => TE.TaskEither<Diagnostics, void>,
  ): TE.TaskEither<Diagnostics, void> =>
  async () => {
    let next = 0;
    let failure: E.Either<Diagnostics, void> = E.right(undefined);
    const lane = async (): Promise<void> => {
      while (next < items.length && E.isRight(failure)) {
        const done = await step(items[next++]!)();
        if (E.isLeft(done) && E.isRight(failure)) failure = done;
      }
    };
    await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
    return failure;
  };

export interface SweepRun {
  readonly folder: string;
  readonly shard: Shard;
  /** Points at a time. */
  readonly lanes: number;
  readonly onProgress: (done: number, of: number) => void;
}

export interface SweepDone {
  /** Points of the shard. */
  readonly points: number;
  /** Those of them that were finished before. */
  readonly before: number;
}

/** The file of the shard with whole lines only, and its header. */
const begin = (
  world: World,
  { folder, shard }: SweepRun,
  { header }: Sweep,
  own: RecordsFile | undefined,
): TE.TaskEither<Diagnostics, string> => {
  const file = join(folder, fileNameOf(shard));
  const text = own?.text === undefined || own.text === '' ? lineOf(header) : own.text;
  return pipe(
    world.files.makeFolder(folder),
    TE.flatMap(() => writeFileAtomically(world)(file, text)),
    TE.map(() => file),
  );
};

/**
 * Tries what is left of a shard. Points that any file in the folder has are finished. K0901 where a file in the folder is
 * of another sweep, K0905 where one is damaged or two contradict each other, K0903 where a thread died: what was finished by then is kept.
 */
export const runSweep =
  (world: World, attempt: Trials['attempt']) =>
  (sweep: Sweep, run: SweepRun): TE.TaskEither<Diagnostics, SweepDone> =>
    pipe(
      filesSoFar(world)(run.folder),
      TE.tap(
        TE.traverseSeqArray((found) =>
          TE.fromEither(
            found.header === undefined
              ? E.right(undefined)
              : pipe(
                  checkSame(sweep.header, found.header, found.file),
                  E.flatMap(() => checkPoints(sweep.points, found)),
                ),
          ),
        ),
      ),
      TE.bindTo('found'),
      TE.bind('known', ({ found }) => TE.fromEither(collect(found))),
      TE.bind('file', ({ found }) => {
        const own = found.find((f) => f.shard.index === run.shard.index && f.shard.count === run.shard.count);
        return begin(world, run, sweep, own);
      }),
      TE.flatMap(({ known, file }) => {
        const mine = sweep.points.filter((p) => inShard(run.shard, p));
        const todo = mine.filter((p) => !known.has(p.index));
        const before = mine.length - todo.length;
        let done = before;
        run.onProgress(done, mine.length);
        return pipe(
          inLanes(run.lanes)(todo, (point) =>
            pipe(
              tryConfiguration(sweep.study, attempt)(point.configuration, {
                refit: sweep.refit,
                folds: 'all',
              }),
              TE.map(({ result }): Finished => finished(point, result)),
              TE.flatMap((record) => world.files.append(file, lineOf(record))),
              TE.tapIO(() => () => run.onProgress(++done, mine.length)),
            ),
          ),
          TE.map(() => ({ points: mine.length, before })),
        );
      }),
    );
