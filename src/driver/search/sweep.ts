/** A sweep: the study, the points and the header that says which sweep it is, and the points tried that are left. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { defined } from '../../diagnostics/defined.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { ImportOptions } from '../../importers/family.js';
import type { Source } from '../../importers/source.js';
import type { Graph } from '../../ir/graph.js';
import { showPipeline } from '../../passes/pipeline-text.js';
import type { NamedPass } from '../../passes/registry.js';
import { tryConfiguration } from '../../search/outcome.js';
import { prepareStudy, type Study } from '../../search/study.js';
import { checkPoints, collect } from '../../search/sweep/merge.js';
import {
  type Grid,
  inShard,
  type Point,
  parseGrid,
  pointsOf,
  type Shard,
} from '../../search/sweep/points.js';
import {
  checkSame,
  type Finished,
  fileNameOf,
  finished,
  type Header,
  headerOf,
  lineOf,
  type RecordsFile,
} from '../../search/sweep/records.js';
import { writeFileAtomically } from '../atomic.js';
import type { Capabilities, Trials } from '../capabilities.js';
import type { CompileOptions } from '../compile-options.js';
import { anonymousCalls, type HashedDataset } from '../data.js';
import { sourceHashes } from '../hash.js';
import type { InputLayout } from '../input-layout.js';
import { sha256Of } from '../node/hash.js';
import { studyCalls } from './checkpoint.js';
import { filesSoFar } from './sweep-folders.js';

export interface SweepRequest {
  readonly source: Source;
  /** The float network of the source, as it was imported with the options. */
  readonly graph: Graph;
  readonly importOptions: ImportOptions;
  /** Without bits, form and budget: the points say those. */
  readonly options: CompileOptions;
  readonly data: HashedDataset;
  /** To measure on; `labels` are its own then. */
  readonly holdout?: HashedDataset;
  readonly labels?: HashedDataset;
  readonly grid: string;
  readonly sensitivity: boolean;
  /** As data and holdout were read. */
  readonly layout?: InputLayout;
  /** Most samples to measure on. */
  readonly samples?: number;
  /** Samples that coarse tables are refit on; 0: none. */
  readonly refit: number;
}

export interface Sweep {
  readonly study: Study;
  readonly points: ReadonlyArray<Point>;
  readonly header: Header;
  readonly refit: number;
}

/** Calibrates and runs the float network; no configuration is tried yet. */
export const prepareSweep =
  (version: string, passes: ReadonlyArray<NamedPass>) =>
  (request: SweepRequest): TE.TaskEither<Diagnostics, Sweep> => {
    const { source, graph, importOptions, options, data, holdout, labels, samples, layout } = request;
    const { architecture, ...told } = importOptions;
    return pipe(
      TE.fromEither(parseGrid(request.grid)),
      TE.bindTo('grid'),
      TE.bind('calls', () => TE.fromEither(studyCalls(options))),
      TE.bind('study', ({ calls }) =>
        TE.fromIOEither(() =>
          prepareStudy({ graph, calls, passes, data, ...defined({ holdout, labels, samples }) }),
        ),
      ),
      TE.map(({ grid, calls, study }) => {
        const points = pointsOf(grid, request.sensitivity, study.layers);
        const header = headerOf(
          {
            kanc: version,
            checkpoint: sourceHashes(sha256Of)(source),
            options: {
              ...told,
              ...(layout === undefined || layout === 'nchw' ? {} : { inputLayout: layout }),
              ...(architecture === undefined ? {} : { architecture: sha256Of(architecture.text) }),
              pipeline: showPipeline(anonymousCalls(calls, new Map([[data.path, data]]))),
            },
            data: data.sha256,
            holdout: holdout?.sha256 ?? null,
            labels: labels?.sha256 ?? null,
            grid: gridText(grid),
            sensitivity: request.sensitivity,
            refit: request.refit,
            samples: study.samples,
            folds: study.folds.length,
            metric: study.metric,
            layers: study.layers.map((layer) => layer.name),
          },
          points,
        );
        return { study, points, header, refit: request.refit };
      }),
    );
  };

/** As it was read: two spellings of one grid are one. */
const gridText = ({ form, bits }: Grid): string =>
  [...Object.entries(bits).map(([k, v]) => `${k}=${v.join(',')}`), `form=${form.join(',')}`].join(',');

type World = Pick<Capabilities, 'files' | 'unique' | 'occupied' | 'removeOnInterrupt'>;

/** Runs `step` on the items in order, `lanes` at a time; after a failure no new one is begun, and the first one counts. */
const inLanes =
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
