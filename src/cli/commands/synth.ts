/** `kanc synth`. */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { synthesize } from '../../driver/synth.js';
import { fitText, synthesisJson, synthesisLines } from '../costs/hardware.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';
import { jsonLine } from '../show.js';

export interface SynthFlags {
  readonly device?: string;
  readonly json?: boolean;
}

export const addSynth: AddCommand = (command, world, settle) => {
  command
    .argument('<folder>', 'an artifact of the target verilog; the result is written into it as synth.json')
    .option(
      '--device <name>',
      'xc7a35t, xc7a100t, xczu7ev, ecp5-25, ecp5-85 or ice40-hx8k; the last three are placed by nextpnr where it is installed',
    )
    .option('--json', 'print one JSON object')
    .action(async (folder: string, flags: SynthFlags) => {
      await settle(synth(world, folder, flags));
    });
};

/** LUTs from which yosys takes more than some minutes; its time grows faster than they do. */
const SLOW_LUTS = 3000;

/** `luts`: as they are estimated. Nothing else tells that the command has not stopped. */
const slowNote = (luts: number): string =>
  luts < SLOW_LUTS
    ? ''
    : `note: ${luts} LUTs are estimated (kanc report tells more): yosys may take hours for so many. Ctrl-C ends it.\n`;

export const synth = (
  world: Capabilities,
  folder: string,
  flags: SynthFlags,
): TE.TaskEither<Diagnostics, number> => {
  world.terminal.progress(`kanc: synthesizing ${folder}`);
  return pipe(
    synthesize(world)(folder, flags.device, ({ luts }) => world.terminal.err(slowNote(luts))),
    TE.map(({ synthesis, fit }) => {
      world.terminal.progress('');
      if (flags.json === true) world.terminal.out(jsonLine(synthesisJson(synthesis)));
      else {
        const lines = [...synthesisLines(synthesis), ...(fit === undefined ? [] : [fitText(fit)])];
        world.terminal.out(`${lines.join('\n')}\n`);
      }
      return EXIT.ok;
    }),
  );
};
