/** `kanc sweep` and `kanc sweep merge`. */

import { join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { defined } from '../../../diagnostics/defined.js';
import { type Checked, type Diagnostics, fail, printable } from '../../../diagnostics/index.js';
import { writeFileAtomically } from '../../../driver/atomic.js';
import type { Capabilities } from '../../../driver/capabilities.js';
import { loadSource } from '../../../driver/checkpoint-files.js';
import type { CompileOptions } from '../../../driver/compile-options.js';
import { dataFromFiles } from '../../../driver/data.js';
import { checkSweepFolder } from '../../../driver/destination.js';
import { crashingWith, importFloat, withTrials } from '../../../driver/search/checkpoint.js';
import { prepareSweep, runSweep, type Sweep, type SweepDone } from '../../../driver/search/sweep.js';
import { mergeFolders } from '../../../driver/search/sweep-folders.js';
import type { NamedPass } from '../../../passes/registry.js';
import { measuredOf, type Results, resultsCsv, resultsJson } from '../../../search/sweep/merge.js';
import { DEFAULT_GRID, WHOLE } from '../../../search/sweep/points.js';
import { METRIC_TITLES } from '../../../search/tally.js';
import {
  addImportFlags,
  addInputFlags,
  type ImportFlags,
  type InputFlags,
  inputOptions,
  parseCount,
  parseSeed,
  parseThreads,
  readImportOptions,
  readingOf,
} from '../../flags/index.js';
import { type Progress, progressBar, progressOf } from '../../progress.js';
import { EXIT } from '../../report.js';
import type { AddCommand } from '../../settle.js';
import { jsonLine, showAssumptions, showBytes } from '../../show.js';
import { linesOf, PLACEHOLDERS, type SweepFiles } from './compile-line.js';
import { sweepPage } from './html.js';

export interface ShardFlag {
  readonly index: number;
  readonly count: number;
}

export interface SweepFlags extends InputFlags, ImportFlags {
  readonly out?: string;
  readonly calib?: string;
  readonly holdout?: string;
  readonly labels?: string;
  readonly grid: string;
  readonly sensitivity?: boolean;
  readonly ranges?: 'minmax' | 'percentile' | 'mse' | 'histogram';
  readonly quantizer?: 'uniform' | 'lloyd';
  readonly outOfRange?: 'clamp' | 'extend';
  readonly nan?: 'zero' | 'refuse';
  readonly samples?: number;
  readonly refit: number;
  readonly jobs?: number;
  readonly shard?: ShardFlag;
  readonly json?: boolean;
}

export interface MergeFlags {
  readonly out: string;
  readonly json?: boolean;
}

/** `2/5`: the second of five. */
const parseShard = (text: string): ShardFlag => {
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index >= 1 && shard.index <= shard.count)) {
    throw new InvalidArgumentError('It is not a shard such as 1/4 (from 1/4 to 4/4).');
  }
  return shard;
};

export const addSweep: AddCommand = (command, world, settle) => {
  command
    .argument('<checkpoint>', 'as for `kanc compile`')
    .option('-o, --out <folder>', 'the folder of the results; points that it holds are not tried again')
    .option('--calib <file>', 'an .npy file of inputs: one part is for fitting, the other for measuring')
    .option(
      '--holdout <file>',
      'an .npy file of inputs to measure on, best of such that the network was not trained on; all --calib data are then for fitting',
    )
    .option('--labels <file>', 'an .npy file of their labels or targets; without it outputs are compared')
    .option(
      '--grid <values>',
      'values of act, hidden, table, coef, basis and form; all combinations are points',
      DEFAULT_GRID,
    )
    .option('--sensitivity', 'also every knob of every layer alone')
    .addOption(
      new Option('--ranges <method>', 'as for `kanc compile`').choices([
        'minmax',
        'percentile',
        'mse',
        'histogram',
      ]),
    )
    .addOption(new Option('--quantizer <kind>', 'as for `kanc compile`').choices(['uniform', 'lloyd']))
    .addOption(new Option('--out-of-range <policy>', 'as for `kanc compile`').choices(['clamp', 'extend']))
    .addOption(new Option('--nan <policy>', 'as for `kanc compile`').choices(['zero', 'refuse']))
    .option('--samples <n>', 'most samples to use (default: by the size of the network)', parseCount)
    .option('--refit <n>', 'samples that coarse tables are refit on; 0: no refit', parseSeed, 512)
    .option('--jobs <n>', 'threads (default: as many as the machine has)', parseThreads)
    .option(
      '--shard <i/n>',
      'try the i-th of n parts only; `kanc sweep merge` puts them together',
      parseShard,
    )
    .option('--json', 'print one JSON object');
  addInputFlags(addImportFlags(command)).action(async (checkpoint: string, flags: SweepFlags) => {
    await settle(sweep(world, checkpoint, flags));
  });
  command
    .command('merge')
    .description('put the points of all shards together: results.json, results.csv and sweep.html')
    .argument('<folders...>', 'folders that `kanc sweep` has written to')
    .requiredOption('-o, --out <folder>', 'the folder of the results; may be one of the others')
    .option('--json', 'print one JSON object')
    .action(async (folders: ReadonlyArray<string>, flags: MergeFlags) => {
      await settle(mergeSweep(world, folders, flags));
    });
};

type Done = TE.TaskEither<Diagnostics, number>;

/** The folder is needed; merge needs it otherwise, so that the command line itself cannot ask for it. */
const folderOf = ({ out }: SweepFlags): Checked<string> =>
  out === undefined || out === ''
    ? fail('K0801', 'there is no folder for the points', {
        place: { option: '--out' },
        expected: 'a folder, such as -o sweep',
      })
    : E.right(out);

/** The data are needed, but only where a network has bits to choose: so this is asked when it is known. */
const dataFileOf = ({ calib }: SweepFlags): Checked<string> =>
  calib === undefined
    ? fail('K0801', 'without data nothing can be measured', {
        place: { option: '--calib' },
        expected: 'an .npy file of inputs',
      })
    : E.right(calib);

/** Tells how many points there are when the first is begun, and then how many are finished. */
const pointsProgress = (world: Capabilities, progress: Progress): ((done: number, of: number) => void) => {
  const bar = progressBar(world, progress, 'points');
  let begun = false;
  return (done, of) => {
    if (!begun) progress.stage(`kanc: ${of - done} points to try, ${done} finished before`);
    begun = true;
    bar(done, of);
  };
};

/** Tries the points of a shard that are not finished, and keeps what comes out in the folder. */
const runPoints = (
  world: Capabilities,
  flags: SweepFlags,
  made: Sweep,
  folder: string,
  progress: Progress,
) => {
  const lanes = flags.jobs ?? world.threads();
  return withTrials(world.trials(made.study, Math.min(lanes, made.points.length)))(({ attempt }) =>
    runSweep(world, crashingWith(made.study, { version: world.version, options: { ...flags } })(attempt))(
      made,
      {
        folder,
        shard: flags.shard ?? WHOLE,
        lanes,
        onProgress: pointsProgress(world, progress),
      },
    ),
  );
};

export const sweep = (world: Capabilities, checkpoint: string, flags: SweepFlags): Done => {
  const { holdout: holdoutFile, labels: labelsFile, samples, grid, refit } = flags;
  const { ranges, quantizer, outOfRange, nan } = flags;
  const load = dataFromFiles(world, readingOf(flags));
  const progress = progressOf(world);
  return pipe(
    TE.fromEither(folderOf(flags)),
    TE.bindTo('out'),
    TE.tap(({ out }) => checkSweepFolder(world)(out)),
    TE.bind('passes', () => TE.fromTask<ReadonlyArray<NamedPass>, Diagnostics>(world.passes)),
    TE.bind('importOptions', () => readImportOptions(world)(flags)),
    TE.bind('source', () => loadSource(world)(checkpoint)),
    TE.bind('imported', ({ source, importOptions }) =>
      TE.fromIOEither(() => importFloat(source, importOptions)),
    ),
    TE.tap(({ imported }) => TE.fromIO(() => world.terminal.err(showAssumptions(imported.assumptions)))),
    TE.bind('calib', () => TE.fromEither(dataFileOf(flags))),
    TE.bind('data', ({ calib }) => load(calib)),
    TE.bind('holdout', () => (holdoutFile === undefined ? TE.right(undefined) : load(holdoutFile))),
    TE.bind('labels', () =>
      labelsFile === undefined ? TE.right(undefined) : dataFromFiles(world)(labelsFile),
    ),
    TE.bind('made', ({ calib, passes, importOptions, source, imported, data, holdout, labels }) => {
      progress.stage(`kanc: calibrating ${checkpoint}`);
      const options: CompileOptions = {
        ...inputOptions(flags),
        ...defined({ ranges, quantizer, outOfRange, nan }),
        calib,
      };
      return prepareSweep(
        world.version,
        passes,
      )({
        source,
        graph: imported.graph,
        importOptions,
        options,
        data,
        grid,
        refit,
        sensitivity: flags.sensitivity === true,
        ...defined({ holdout, labels, samples, layout: flags.inputLayout }),
      });
    }),
    TE.bind('done', ({ out, made }) => runPoints(world, flags, made, out, progress)),
    TE.flatMap(({ out, calib, made, done }) => {
      if (flags.shard !== undefined) return TE.fromIO(() => tellShard(world, flags, made, done));
      const files = { checkpoint, calib, arch: flags.arch ?? PLACEHOLDERS.arch };
      return finish(world, [out], { out, ...defined({ json: flags.json }) }, files);
    }),
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
  pipe(
    checkSweepFolder(world)(flags.out),
    TE.flatMap(() => finish(world, folders, flags, PLACEHOLDERS)),
  );

/** Merges and writes the results. */
const finish = (
  world: Capabilities,
  folders: ReadonlyArray<string>,
  flags: MergeFlags,
  files: SweepFiles,
): Done =>
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
      world.terminal.err(summary(flags.out, results, files));
      if (flags.json === true) {
        const { header, points, fronts } = results;
        world.terminal.out(
          jsonLine({ out: flags.out, sweep: header.sweep, points: points.length, fronts: { ...fronts } }),
        );
      }
      return EXIT.ok;
    }),
  );

/** The front of memory, smallest drop first, and what compiles its points. */
const summary = (out: string, results: Results, files: SweepFiles): string => {
  const { header, points, fronts } = results;
  const refused = points.filter((p) => p.result._tag === 'refused').length;
  const measured = measuredOf(points);
  const onFront = new Set(fronts.memory);
  const best = measured
    .filter(({ point }) => onFront.has(point.index))
    .sort((a, b) => a.result.drop - b.result.drop);
  const lines = linesOf(results, measured, onFront, files);
  return [
    `${out}: ${points.length} points${refused === 0 ? '' : `, ${refused} of them refused by the passes`}`,
    `least drop for the memory (${METRIC_TITLES[header.identity.metric]}):`,
    ...best.map(
      ({ point, result }) =>
        `  ${result.drop.toFixed(2).padStart(7)} (+-${result.error.toFixed(2)})  ${showBytes(result.cost.bytes).padStart(9)}  ${point.name}`,
    ),
    ...(lines.length === 0 ? [] : ['to compile one of them:', ...lines.map(({ line }) => `  ${line}`)]),
    '',
  ]
    .map((line) => printable(line))
    .join('\n');
};
