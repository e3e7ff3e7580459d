/** `kanc sweep` and `kanc sweep merge`: what can be typed. */
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_GRID } from '../../search/sweep/default-grid.js';
import {
  addImportFlags,
  addInputFlags,
  type ImportFlags,
  type InputFlags,
  parseCount,
  parseSeed,
  parseThreads,
} from '../flags.js';
import type { AddCommand } from '../settle.js';

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

export const addSweep: AddCommand = (program, world, settle) => {
  const command = program
    .command('sweep')
    .description('measure many configurations of bits: accuracy lost against memory, BitOps and LUTs')
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
    const { sweep } = await import('../actions/sweep.js');
    await settle(sweep(world, checkpoint, flags));
  });
  command
    .command('merge')
    .description('put the points of all shards together: results.json, results.csv and sweep.html')
    .argument('<folders...>', 'folders that `kanc sweep` has written to')
    .requiredOption('-o, --out <folder>', 'the folder of the results; may be one of the others')
    .option('--json', 'print one JSON object')
    .action(async (folders: ReadonlyArray<string>, flags: MergeFlags) => {
      const { mergeSweep } = await import('../actions/sweep.js');
      await settle(mergeSweep(world, folders, flags));
    });
};
