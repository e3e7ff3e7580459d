/** The options that shape the program, and what they say: those of `kanc compile`, and of what shows a compilation. */

import { type Command, Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { defined } from '../../diagnostics/defined.js';
import type { Checked } from '../../diagnostics/index.js';
import { type CompileOptions, parseQuant } from '../../driver/compile-options.js';
import { addInputFlags, type InputFlags, inputOptions } from './index.js';

export interface ShapeFlags extends InputFlags {
  readonly calib?: string;
  readonly quant?: string;
  readonly form?: 'auto' | 'edge' | 'basis';
  readonly ranges?: 'minmax' | 'percentile' | 'mse' | 'histogram';
  readonly quantizer?: 'uniform' | 'lloyd';
  readonly outOfRange?: 'clamp' | 'extend';
  readonly nan?: 'zero' | 'refuse';
  readonly budgetMem?: string;
  readonly passes?: string;
}

export const addShapeFlags = (command: Command): Command =>
  addInputFlags(
    command.option(
      '--calib <file>',
      'an .npy file of inputs as the program will get them: ranges and tables come from it',
    ),
  )
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
    .option('--passes <pipeline>', 'the pipeline itself, in place of what the options above ask for');

export const shapeOptions = (flags: ShapeFlags): Checked<CompileOptions> => {
  const { calib, form, ranges, quantizer, outOfRange, nan, budgetMem, passes } = flags;
  const rest: CompileOptions = {
    ...inputOptions(flags),
    ...defined({ calib, form, ranges, quantizer, outOfRange, nan, budgetMem, passes }),
  };
  return flags.quant === undefined
    ? E.right(rest)
    : pipe(
        parseQuant(flags.quant),
        E.map((quant) => ({ ...rest, quant })),
      );
};
