/**
 * The lift: from a tensor program to KAN layers. A layer is a sum of functions of one variable each, and that can be
 * proved of a program by following what every element depends on, whatever library wrote it.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../diagnostics/index.js';
import type { TensorProgram } from '../tensor/program.js';
import { type BuiltGraph, buildGraph } from './build/index.js';
import { fuseNorms } from './fuse.js';
import { trace } from './trace/index.js';

/** The program, made for two samples or more, as a float graph of one. */
export const lift = (program: TensorProgram): Checked<BuiltGraph> =>
  pipe(
    trace(fuseNorms(program)),
    E.flatMap((traced) => buildGraph(traced, program.name)),
  );

export type { BuiltGraph } from './build/index.js';
