/** `kanc compile`: what can be typed. */
import { addImportFlags, addPassFlags, type ImportFlags, type PassFlags, parseCount } from '../flags.js';
import { addSearchFlags, type SearchFlags } from '../search-flags.js';
import type { AddCommand } from '../settle.js';
import { addShapeFlags, type ShapeFlags } from '../shape-flags.js';

export interface CompileFlags extends ShapeFlags, ImportFlags, PassFlags, SearchFlags {
  readonly target: string;
  readonly out: string;
  /** Samples of a call; true where none are told. */
  readonly tune?: number | true;
  readonly singleFile?: boolean;
  readonly floatBaseline?: boolean;
  readonly targetOptions?: string;
  readonly sampleInputs?: string;
  readonly json?: boolean;
}

export const addCompile: AddCommand = (program, world, settle) => {
  const command = program
    .command('compile')
    .description('compile a checkpoint to an artifact')
    .argument('<checkpoint>', 'a .pt, .pth or .safetensors file, or the files or folder of pykan or KANELE')
    .requiredOption('-o, --out <folder>', 'the folder of the artifact; one from before is replaced')
    .option('--target <name>', 'what to compile for; `kanc targets` lists them', 'wasm');
  addShapeFlags(command);
  command
    .option(
      '--tune [samples]',
      'measure on this machine, in calls of so many samples (default 1), which form of each layer is faster, from what --form auto chooses',
      parseCount,
    )
    .option('--single-file', 'put the module into index.js')
    .option('--float-baseline', 'wgsl: add the float network as a program of its own, to compare with')
    .option(
      '--target-options <options>',
      'options of the target, as name=value,...; docs/targets-*.md tell them',
    )
    .option(
      '--sample-inputs <file>',
      'an .npy file of inputs for targets that look at some, in place of --calib',
    )
    .option('--json', 'print one JSON object about the artifact');
  addPassFlags(addImportFlags(addSearchFlags(command))).action(
    async (checkpoint: string, flags: CompileFlags) => {
      const { compile } = await import('../actions/compile.js');
      await settle(compile(world, checkpoint, flags));
    },
  );
};
