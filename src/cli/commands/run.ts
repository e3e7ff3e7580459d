/** `kanc run`: what can be typed. */
import { addImportFlags, addInputFlags, type ImportFlags, type InputFlags } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface RunFlags extends InputFlags, ImportFlags {
  readonly input: string;
  readonly output: string;
  readonly raw?: boolean;
  readonly json?: boolean;
}

export const addRun: AddCommand = (program, world, settle) => {
  const command = program
    .command('run')
    .description('run a model on data')
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint (the float network)')
    .requiredOption('--input <file>', 'an .npy file of inputs, samples first')
    .requiredOption('--output <file>', 'the .npy file to write: f32 outputs, samples first')
    .option('--raw', 'write the last integers (i32) in place of the f32 they stand for')
    .option('--json', 'print one JSON object about the run');
  addInputFlags(addImportFlags(command)).action(async (model: string, flags: RunFlags) => {
    const { run } = await import('../actions/run.js');
    await settle(run(world, model, flags));
  });
};
