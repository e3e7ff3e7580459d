/** `kanc eval`: what can be typed. */
import { addImportFlags, addInputFlags, type ImportFlags, type InputFlags, parseCount } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface EvalFlags extends InputFlags, ImportFlags {
  readonly data: string;
  readonly labels: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export const addEval: AddCommand = (program, world, settle) => {
  const command = program
    .command('eval')
    .description('measure a model on labelled data: accuracy for integer labels, RMSE for float targets')
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint (the float network)')
    .requiredOption('--data <file>', 'an .npy file of inputs, samples first')
    .requiredOption('--labels <file>', 'an .npy file of class numbers or of target values')
    .option('--limit <n>', 'use the first n samples only', parseCount)
    .option('--json', 'print one JSON object');
  addInputFlags(addImportFlags(command)).action(async (model: string, flags: EvalFlags) => {
    const { evaluateModel } = await import('../actions/eval.js');
    await settle(evaluateModel(world, model, flags));
  });
};
