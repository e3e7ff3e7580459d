/**
 * What an op is: everything the compiler knows about one kind of op stands in one OpDefinition, in one file.
 *
 * To add an op: write its file, add it to the list in ops/index.ts, and follow the exhaustiveness errors.
 */
import type * as t from 'io-ts';
import type { Program, Source } from '../code/language.js';
import type { Rule } from '../diagnostics/index.js';
import type { Tensor } from './tensor.js';
import type { Level, ValueType } from './types.js';

/** Work and memory of one op for one sample. */
export interface Cost {
  /** Multiply-accumulates, with the bit widths of their operands. */
  readonly macs: number;
  readonly macBits: readonly [number, number];
  readonly adds: number;
  readonly addBits: number;
  /** Reads from tables that are indexed by data. */
  readonly reads: number;
  /** Bytes of constants. */
  readonly bytes: number;
}

export const NO_COST: Cost = { macs: 0, macBits: [0, 0], adds: 0, addBits: 0, reads: 0, bytes: 0 };

/** What docs/ir.md says of an op, beside what it takes from the definition itself. `npm run docs:ir` writes it there. */
export interface OpDoc {
  /** A few words for the table of all ops. */
  readonly does: string;
  /** Markdown: paragraphs and items of lists, each a string of one line; empty strings between paragraphs. */
  readonly text: ReadonlyArray<string>;
}

/**
 * What passes ask of an op instead of its kind. Every op has one role, so that a new op says what is to become of it, or
 * the type checker names the pass that must be told.
 */
export type Role<A> =
  /** A function of every element, by channel: whatever reads codes behind it takes it into its tables. */
  | { readonly _tag: 'univariate'; readonly of: (attrs: A, channel: number) => (x: number) => number }
  /**
   * Moves elements and changes none; `channels` says where those of the result come from, by the counts of the operands.
   * Targets move whole channels by it, unless the op has a `lower` of its own.
   */
  | {
      readonly _tag: 'layout';
      readonly channels: (attrs: A, counts: ReadonlyArray<number>) => ReadonlyArray<Source>;
      /** Whether elements of several channels come into one, so that these must mean the same. Absent: never. */
      readonly mixes?: (attrs: A, counts: ReadonlyArray<number>) => boolean;
    }
  /** The value as it is, with statistics of it. */
  | { readonly _tag: 'observer' }
  /**
   * Makes a value from several elements: it reads codes, and what it makes is coded anew. Its table form gives
   * accumulators, behind which any quantizer may stand, or codes, so that the quantizer is part of it.
   */
  | { readonly _tag: 'value'; readonly gives: 'accumulators' | 'codes' }
  /** Stands at the end alone: table graphs leave it out, and `without` says to people what their results are then. */
  | { readonly _tag: 'final'; readonly without: string }
  /** Makes codes. */
  | { readonly _tag: 'coder' }
  /** Makes floats of codes or accumulators. */
  | { readonly _tag: 'decoder' }
  /** The table form of a value: accumulators from codes. */
  | { readonly _tag: 'table' };

export type RoleTag = Role<unknown>['_tag'];

export interface OpDefinition<K extends string, A, R extends RoleTag = RoleTag> {
  readonly kind: K;
  readonly role: Extract<Role<A>, { readonly _tag: R }>;
  /** One line for `--help`. */
  readonly summary: string;
  readonly doc: OpDoc;
  /** The levels at which the op may stand. */
  readonly levels: ReadonlyArray<Level>;
  /** How many operands; `several` is one or more. */
  readonly operands: number | 'several';
  /** Attributes: type, validator and serializer in one. */
  readonly attrs: t.Type<A, unknown, unknown>;
  /** The type rule. */
  readonly infer: (attrs: A, operands: ReadonlyArray<ValueType>) => Rule<ValueType>;
  /** Checks of values of constants. Run by the verifier, and before `prove` and `evaluate`. */
  readonly check?: (attrs: A, operands: ReadonlyArray<ValueType>) => Rule<void>;
  /** Proves that every integer on the way fits its type. Run by the verifier, when `check` has passed. */
  readonly prove?: (attrs: A, operands: ReadonlyArray<ValueType>) => Rule<void>;
  /** The meaning: reference semantics, on whole batches. Operands have passed the type rule. */
  readonly evaluate: (attrs: A, operands: ReadonlyArray<Tensor>, result: ValueType) => Tensor;
  /**
   * What it computes in table graphs, written once for all targets: src/code. Absent where passes fold the op away, and
   * where targets have kernels that are made for it alone; undefined of floats where no target computes with them.
   */
  readonly lower?: (attrs: A, operands: ReadonlyArray<ValueType>, result: ValueType) => Program | undefined;
  /** The op on some channels of its operand, for ops that do the same to every channel whatever the others are. */
  readonly pick?: (attrs: A, channels: ArrayLike<number>) => A;
  readonly cost: (attrs: A, operands: ReadonlyArray<ValueType>, result: ValueType) => Cost;
}

/** Fixes the type parameters of a definition while it is written. */
export const defineOp = <K extends string, A, R extends RoleTag>(
  definition: OpDefinition<K, A, R>,
): OpDefinition<K, A, R> => definition;
