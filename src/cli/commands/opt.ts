/** `kanc opt`: what can be typed. */
import { addLayoutFlag, addPassFlags, type LayoutFlag, type PassFlags } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface OptFlags extends PassFlags, LayoutFlag {
  readonly passes: string;
  readonly out?: string;
}

export const addOpt: AddCommand = (program, world, settle) => {
  const command = program
    .command('opt')
    .description('run passes on a graph')
    .argument('<graph>', 'a .kir file')
    .requiredOption('--passes <pipeline>', 'passes with their options, such as fold,prune,dce')
    .option('-o, --out <file>', 'the .kir file to write; standard output without it');
  addLayoutFlag(addPassFlags(command)).action(async (graph: string, flags: OptFlags) => {
    const { opt } = await import('../actions/opt.js');
    await settle(opt(world, graph, flags));
  });
};
