/** The options of a compilation from what was typed. Apart from the flags, so that help loads no compiler. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { defined } from '../diagnostics/defined.js';
import type { Checked } from '../diagnostics/index.js';
import { type CompileOptions, parseQuant } from '../driver/compile-options.js';
import { inputOptions } from './flags.js';
import type { ShapeFlags } from './shape-flags.js';

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
