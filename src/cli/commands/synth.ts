/** `kanc synth`: what can be typed. */
import type { AddCommand } from '../settle.js';

export interface SynthFlags {
  readonly device?: string;
  readonly json?: boolean;
}

export const addSynth: AddCommand = (program, world, settle) => {
  program
    .command('synth')
    .description(
      'synthesize a Verilog artifact with yosys: LUTs, registers, the longest path, and a placed clock',
    )
    .argument('<folder>', 'an artifact of the target verilog; the result is written into it as synth.json')
    .option(
      '--device <name>',
      'xc7a35t, xc7a100t, xczu7ev, ecp5-25, ecp5-85 or ice40-hx8k; the last three are placed by nextpnr where it is installed',
    )
    .option('--json', 'print one JSON object')
    .action(async (folder: string, flags: SynthFlags) => {
      const { synth } = await import('../actions/synth.js');
      await settle(synth(world, folder, flags));
    });
};
