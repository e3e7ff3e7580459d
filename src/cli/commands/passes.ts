/** `kanc passes`: what can be typed. */
import { addPluginFlag, type PassFlags } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface PassesFlags extends Pick<PassFlags, 'plugin'> {
  readonly json?: boolean;
}

export const addPasses: AddCommand = (program, world, settle) => {
  const command = program
    .command('passes')
    .description('list the passes and their options')
    .option('--json', 'print one JSON object');
  addPluginFlag(command).action(async (flags: PassesFlags) => {
    const { listPasses } = await import('../actions/list.js');
    await settle(listPasses(world, flags));
  });
};
