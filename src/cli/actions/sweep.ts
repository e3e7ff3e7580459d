/** `kanc sweep` and `kanc sweep merge`: what they do. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadSource } from '../../driver/checkpoint-files.js';
import type { CompileOptions } from '../../driver/compile-options.js';
import { dataFromFiles } from '../../driver/data.js';
import { defined } from '../../driver/defined.js';
import { withTrials } from '../../driver/search/search-checkpoint.js';
import { METRIC_TITLES } from '../../driver/search/tally.js';
import { crashingWith } from '../../driver/search/trial-crash.js';
import { measuredOf, mergeFolders, type Results } from '../../driver/sweep/merge.js';
import { WHOLE } from '../../driver/sweep/points.js';
import { prepareSweep, type Sweep } from '../../driver/sweep/prepare.js';
import { resultsCsv, resultsJson } from '../../driver/sweep/results.js';
import { runSweep, type SweepDone } from '../../driver/sweep/run.js';
import type { NamedPass } from '../../passes/registry.js';
import type { MergeFlags, SweepFlags } from '../commands/sweep.js';
import { inputOptions } from '../flags.js';
import { readImportOptions } from '../import-options.js';
import { progressBar } from '../progress.js';
import { EXIT } from '../report.js';
import { jsonLine, showBytes } from '../show.js';
import { sweepPage } from '../sweep-html.js';

type Done = TE.TaskEither<Diagnostics, number>;

/** The options that are needed; merge needs others, so that the command line itself cannot ask for them. */
const needed = (flags: SweepFlags): Checked<{ readonly out: string; readonly calib: string }> => {
  const { out, calib } = flags;
  if (out === undefined || out === '') {
    return fail('K0801', 'there is no folder for the points', {
      place: { option: '--out' },
      expected: 'a folder, such as -o sweep',
    });
  }
  return calib === undefined
    ? fail('K0801', 'without data nothing can be measured', {
        place: { option: '--calib' },
        expected: 'an .npy file of inputs',
      })
    : E.right({ out, calib });
};

export const sweep = (world: Capabilities, checkpoint: string, flags: SweepFlags): Done => {
  const { holdout: holdoutFile, labels: labelsFile, samples, grid, refit, shard = WHOLE } = flags;
  const { ranges, quantizer, outOfRange, nan } = flags;
  const load = dataFromFiles(world);
  const threads = flags.jobs ?? world.threads();
  return pipe(
    TE.fromEither(needed(flags)),
    TE.bindTo('paths'),
    TE.bind('passes', () => TE.fromTask<ReadonlyArray<NamedPass>, Diagnostics>(world.passes)),
    TE.bind('importOptions', () => readImportOptions(world)(flags)),
    TE.bind('source', () => loadSource(world)(checkpoint)),
    TE.bind('data', ({ paths }) => load(paths.calib)),
    TE.bind('holdout', () => (holdoutFile === undefined ? TE.right(undefined) : load(holdoutFile))),
    TE.bind('labels', () => (labelsFile === undefined ? TE.right(undefined) : load(labelsFile))),
    TE.bind('made', ({ paths, passes, importOptions, source, data, holdout, labels }) => {
      world.terminal.progress(`kanc: calibrating ${checkpoint}`);
      const options: CompileOptions = {
        ...inputOptions(flags),
        ...defined({ ranges, quantizer, outOfRange, nan }),
        calib: paths.calib,
      };
      return prepareSweep(
        world.version,
        passes,
      )({
        source,
        importOptions,
        options,
        data,
        grid,
        refit,
        sensitivity: flags.sensitivity === true,
        ...defined({ holdout, labels, samples }),
      });
    }),
    TE.bind('done', ({ paths, made }) => {
      const bar = progressBar(world, 'points');
      return withTrials(world.trials(made.study, Math.min(threads, made.points.length)))(({ attempt }) =>
        runSweep(world, crashingWith(made.study, { version: world.version, options: { ...flags } })(attempt))(
          made,
          {
            folder: paths.out,
            shard,
            lanes: threads,
            onProgress: bar,
          },
        ),
      );
    }),
    TE.flatMap(({ paths, made, done }) =>
      flags.shard === undefined
        ? finish(world, [paths.out], { out: paths.out, ...defined({ json: flags.json }) })
        : TE.fromIO(() => tellShard(world, flags, made, done)),
    ),
  );
};

const tellShard = (world: Capabilities, flags: SweepFlags, made: Sweep, done: SweepDone): number => {
  const { index, count } = flags.shard ?? WHOLE;
  world.terminal.progress('');
  world.terminal.err(
    `shard ${index}/${count}: ${done.points} of ${made.points.length} points, ${done.before} of them finished before\n`,
  );
  if (flags.json === true) {
    world.terminal.out(jsonLine({ shard: `${index}/${count}`, points: done.points, before: done.before }));
  }
  return EXIT.ok;
};

export const mergeSweep = (world: Capabilities, folders: ReadonlyArray<string>, flags: MergeFlags): Done =>
  finish(world, folders, flags);

/** Merges and writes the results. */
const finish = (world: Capabilities, folders: ReadonlyArray<string>, flags: MergeFlags): Done =>
  pipe(
    mergeFolders(world)(folders),
    TE.tap((results) =>
      TE.traverseSeqArray(([name, content]: readonly [string, string]) =>
        writeFileAtomically(world)(join(flags.out, name), content),
      )([
        ['results.json', resultsJson(results)],
        ['results.csv', resultsCsv(results)],
        ['sweep.html', sweepPage(results)],
      ]),
    ),
    TE.map((results) => {
      world.terminal.progress('');
      world.terminal.err(summary(flags.out, results));
      if (flags.json === true) {
        const { header, points, fronts } = results;
        world.terminal.out(
          jsonLine({ out: flags.out, sweep: header.sweep, points: points.length, fronts: { ...fronts } }),
        );
      }
      return EXIT.ok;
    }),
  );

/** The front of memory, smallest drop first. */
const summary = (out: string, { header, points, fronts }: Results): string => {
  const refused = points.filter((p) => p.result._tag === 'refused').length;
  const best = measuredOf(points)
    .filter(({ point }) => fronts.memory.includes(point.index))
    .sort((a, b) => a.result.drop - b.result.drop);
  return [
    `${out}: ${points.length} points${refused === 0 ? '' : `, ${refused} of them refused by the passes`}`,
    `least drop for the memory (${METRIC_TITLES[header.identity.metric]}):`,
    ...best.map(
      ({ point, result }) =>
        `  ${result.drop.toFixed(2).padStart(7)} (+-${result.error.toFixed(2)})  ${showBytes(result.cost.bytes).padStart(9)}  ${point.name}`,
    ),
    '',
  ].join('\n');
};
