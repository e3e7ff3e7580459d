/** `kanc verify`: what can be typed. */
import { addLayoutFlag, type LayoutFlag, parseCount, parseSeed } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface VerifyFlags extends LayoutFlag {
  readonly data?: string;
  readonly samples: number;
  readonly seed: number;
  readonly json?: boolean;
  readonly prove?: boolean;
  readonly proveLimit: number;
}

export const addVerify: AddCommand = (program, world, settle) => {
  const command = program
    .command('verify')
    .description('compare an artifact with the interpreter: every intermediate integer and every output bit')
    .argument('<folder>', 'an artifact')
    .option('--data <file>', 'an .npy file of inputs, in place of random ones with every special value')
    .option('--samples <n>', 'how many samples at most', parseCount, 10000)
    .option('--seed <n>', 'another seed gives other random inputs', parseSeed, 1)
    .option(
      '--prove',
      'check every table entry, threshold and code of every stage, for all inputs in place of samples',
    )
    .option(
      '--prove-limit <seconds>',
      'about how long the pairs of one layer may take with --prove',
      parseCount,
      20,
    )
    .option('--json', 'print one JSON object');
  addLayoutFlag(command).action(async (folder: string, flags: VerifyFlags) => {
    if (flags.prove === true) {
      const { proveFolder } = await import('../actions/prove.js');
      return settle(proveFolder(world, folder, flags));
    }
    const { verifyArtifact } = await import('../actions/verify.js');
    await settle(verifyArtifact(world, folder, flags));
  });
};
