/**
 * What a backend is: a pure function from a table graph to files. Everything that a target needs beyond the
 * graph comes in as data (`EmitContext`), so that the same graph gives the same bytes on every run.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type * as t from 'io-ts';
import { type Diagnostics, fail } from '../diagnostics/index.js';
import { showErrors } from '../ir/codec.js';
import type { TypedArray } from '../ir/element.js';
import type { Graph, ValueName } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';

/** Plain data, as JSON has it. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json };

/** The files of an artifact by relative path. */
export interface Artifact {
  readonly files: ReadonlyMap<string, Uint8Array | string>;
}

/** What goes into an artifact besides the code: nothing in it depends on time or place. */
export interface EmitContext {
  /** The version of kanc, for the manifest. */
  readonly version: string;
  /** The text form of the graph, written beside the code. */
  readonly kir?: string;
  /** The float network that the graph stands for, for targets that compare with it. */
  readonly reference?: Graph;
  /** Options, accuracy and the like; copied into the manifest. */
  readonly extra?: { readonly [key: string]: Json };
  /** Inputs as the program will get them, where there are some: test vectors and don't-cares come from them. */
  readonly samples?: Tensor;
}

/** The kernel of one value, run by itself: proofs compare it with the interpreter. */
export interface Stage<R> {
  /** The value that it gives, and those that it reads. */
  readonly name: ValueName;
  readonly operands: ReadonlyArray<ValueName>;
  /** Arrays [sample, element], row-major, in the element types of the values; gives the value of each sample alike. */
  readonly run: (operands: ReadonlyArray<TypedArray>, samples: number) => R;
}

export type Emit = (graph: Graph<'table'>) => TE.TaskEither<Diagnostics, Artifact>;

export interface Backend<O> {
  readonly name: string;
  /** One line for `kanc targets`. */
  readonly summary: string;
  readonly options: t.Type<O, unknown, unknown>;
  /** Fails with K0602 on a graph that the target cannot express. */
  readonly emit: (options: O, context: EmitContext) => Emit;
}

/** A backend that takes its options as unchecked data: what the registry holds. */
export interface Target {
  readonly name: string;
  readonly summary: string;
  readonly options: t.Mixed;
  readonly emit: (options: unknown, context: EmitContext) => Emit;
}

/** Forgets the option type of a backend: its codec checks them when it is used (K0801). */
export const toTarget = <O>(backend: Backend<O>): Target => ({
  name: backend.name,
  summary: backend.summary,
  options: backend.options,
  emit: (options, context) => (graph) =>
    pipe(
      backend.options.decode(options),
      E.orElseW((errors) =>
        fail('K0801', `options of target ${backend.name}: ${showErrors(errors)}`, {
          hint: '`kanc targets` lists the options of each target.',
        }),
      ),
      TE.fromEither,
      TE.flatMap((checked) => backend.emit(checked, context)(graph)),
    ),
});
