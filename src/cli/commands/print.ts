/** `kanc print`: what can be typed. */
import { Option } from 'commander';
import { addImportFlags, type ImportFlags } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface PrintFlags extends ImportFlags {
  readonly format: 'text' | 'json' | 'dot';
  /** false with `--no-resources`. */
  readonly resources: boolean;
}

export const addPrint: AddCommand = (program, world, settle) => {
  const command = program
    .command('print')
    .description('print the graph of a model')
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint')
    .addOption(new Option('--format <format>', 'how').choices(['text', 'json', 'dot']).default('text'))
    .option('--no-resources', 'leave out large constants (such text cannot be read back)');
  addImportFlags(command).action(async (model: string, flags: PrintFlags) => {
    const { print } = await import('../actions/print.js');
    await settle(print(world, model, flags));
  });
};
