/** `kanc compile`: what can be typed. */
import { Option } from 'commander';
import {
  addImportFlags,
  addInputFlags,
  addPassFlags,
  type ImportFlags,
  type InputFlags,
  type PassFlags,
  parseCount,
} from '../flags.js';
import { addSearchFlags, type SearchFlags } from '../search-flags.js';
import type { AddCommand } from '../settle.js';

export interface CompileFlags extends InputFlags, ImportFlags, PassFlags, SearchFlags {
  readonly target: string;
  readonly out: string;
  readonly calib?: string;
  readonly quant?: string;
  readonly form?: 'auto' | 'edge' | 'basis';
  readonly ranges?: 'minmax' | 'percentile' | 'mse' | 'histogram';
  readonly quantizer?: 'uniform' | 'lloyd';
  readonly outOfRange?: 'clamp' | 'extend';
  readonly nan?: 'zero' | 'refuse';
  readonly budgetMem?: string;
  readonly passes?: string;
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
    .option('--target <name>', 'what to compile for; `kanc targets` lists them', 'wasm')
    .option(
      '--calib <file>',
      'an .npy file of inputs as the program will get them: ranges and tables come from it',
    );
  addInputFlags(command)
    .option(
      '--quant <bits>',
      'bits of act(ivations), hidden, table, coef and basis, such as act=6,table=8; of one layer also its form and quantizer, such as layer1.act=4,layer1.form=basis',
    )
    .addOption(
      new Option('--form <form>', 'edge tables, basis tables, or what costs less').choices([
        'auto',
        'edge',
        'basis',
      ]),
    )
    .addOption(
      new Option(
        '--ranges <method>',
        'how ranges of activations come from the calibration data: all values (minmax, default), without their ends (percentile), of least squared error of the values (mse) or of what the layers that read them compute (histogram)',
      ).choices(['minmax', 'percentile', 'mse', 'histogram']),
    )
    .addOption(
      new Option(
        '--quantizer <kind>',
        'levels of activations at equal distances (uniform, default), or in cells of least squared error (lloyd)',
      ).choices(['uniform', 'lloyd']),
    )
    .addOption(
      new Option(
        '--out-of-range <policy>',
        'values outside of the calibrated ranges: clamp them (default), or extend the ranges, those of hidden values too, to the grid',
      ).choices(['clamp', 'extend']),
    )
    .addOption(
      new Option('--nan <policy>', 'NaN in the input: code zero (default), or refuse').choices([
        'zero',
        'refuse',
      ]),
    )
    .option(
      '--budget-mem <size>',
      'memory for the tables of a layer, such as 4MB; with --max-drop for those of the whole program',
    )
    .option('--passes <pipeline>', 'the pipeline itself, in place of what the options above ask for')
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
