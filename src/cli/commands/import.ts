/** `kanc import`: what can be typed. */
import { addImportFlags, type ImportFlags } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface ImportCommandFlags extends ImportFlags {
  readonly describe?: boolean;
  readonly draftArch?: boolean;
  /** Golden inputs and golden outputs. */
  readonly check?: ReadonlyArray<string>;
  readonly json?: boolean;
  readonly out?: string;
}

export const addImport: AddCommand = (program, world, settle) => {
  const command = program
    .command('import')
    .description('read a checkpoint: tell what is in it, or write it as a graph')
    .argument('<checkpoint>', 'a file, any file of a set (pykan, KANELE), or its folder')
    .option('--describe', 'the family, the layers, and what had to be assumed; what it does without -o')
    .option('--draft-arch', 'write a first version of an architecture file instead')
    .option(
      '--check <inputs outputs...>',
      'with --draft-arch: two .npy files, inputs and what the library computes from them; writes the draft that does the same, or none',
    )
    .option('--json', 'describe it as one JSON object')
    .option('-o, --out <file>', 'the file to write: .kir text, or the draft');
  addImportFlags(command).action(async (checkpoint: string, flags: ImportCommandFlags) => {
    const { importModel } = await import('../actions/import.js');
    await settle(importModel(world, checkpoint, flags));
  });
};
