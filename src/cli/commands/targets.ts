/** `kanc targets`: what can be typed. */
import type { AddCommand } from '../settle.js';

export interface TargetsFlags {
  readonly json?: boolean;
}

export const addTargets: AddCommand = (program, world, settle) => {
  program
    .command('targets')
    .description('list what kanc can compile for')
    .option('--json', 'print one JSON object')
    .action(async (flags: TargetsFlags) => {
      const { listTargets } = await import('../actions/list.js');
      await settle(listTargets(world, flags));
    });
};
