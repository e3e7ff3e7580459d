/** The options of `kanc compile` that make it search for bits. */
import { type Command, Option } from 'commander';
import { OBJECTIVES, type Objective } from '../../search/goal.js';
import { parseCount, parseNumber, parseThreads } from './index.js';

export interface SearchFlags {
  readonly maxDrop?: number;
  readonly minimize?: Objective;
  readonly budgetBitops?: string;
  readonly budgetLuts?: string;
  readonly holdout?: string;
  readonly labels?: string;
  readonly samples?: number;
  readonly jobs?: number;
}

export const addSearchFlags = (command: Command): Command =>
  command
    .option(
      '--max-drop <percent>',
      'choose bits and form of every layer by search: lose at most so many points of accuracy (with --labels; docs/sweep.md tells what else a drop is)',
      parseNumber,
    )
    .addOption(
      new Option('--minimize <what>', 'with --max-drop: what is to be small (default: memory)').choices([
        ...OBJECTIVES,
      ]),
    )
    .option('--budget-bitops <n>', 'with --max-drop: most BitOps of one inference, such as 2M')
    .option('--budget-luts <n>', 'with --max-drop: most LUTs of an FPGA, by a rough estimate, such as 50k')
    .option(
      '--holdout <file>',
      'with --max-drop: an .npy file of inputs to measure the drop on, best of such that the network was not trained on',
    )
    .option(
      '--labels <file>',
      'with --max-drop: an .npy file of the labels or targets of the --holdout data, else of the --calib data',
    )
    .option('--samples <n>', 'with --max-drop: most samples to search on', parseCount)
    .option('--jobs <n>', 'with --max-drop: threads (default: as many as the machine has)', parseThreads);
