/**
 * What the kernels of all kinds have in common. A kernel is text: functions that compute a part of one value, of
 * one sample. How they are called (a dispatch for each layer, or all in one workgroup for each sample) and where
 * values lie is decided by schedule.ts.
 *
 * Values are words: a code as u32, an accumulator as the bits of an i32, a float as the bits of an f32. No kernel
 * computes with floats. WGSL lets an implementation flush denormals, leaves the rounding mode open, and fuses
 * what it likes; integers of 32 bits wrap around and are the same everywhere.
 */
import type { ValueName } from '../../ir/graph.js';
import type { KernelSummary } from '../shared/manifest.js';
import type { Words } from './words.js';

/** Expressions and statements of WGSL. */
export type Text = string;

/** How a kernel reads and writes. Indices are u32 expressions, values are u32 expressions. */
export interface Access {
  /** Element `index` of an operand. */
  readonly word: (operand: number, index: Text) => Text;
  /** Element `index` of the kernel's own value, as an earlier part has left it. */
  readonly own: (index: Text) => Text;
  /** A statement. */
  readonly store: (index: Text, word: Text) => Text;
  /** Where a section of the kernel's constants starts, in words: a u32 literal. */
  readonly section: (k: number) => Text;
  /** Prefix of the names that the kernel declares. */
  readonly prefix: Text;
}

/** Elements that do not depend on one another: `body` computes element `item`. */
export interface Each {
  readonly kind: 'each';
  readonly items: number;
  readonly body: (access: Access) => ReadonlyArray<Text>;
}

/**
 * Sums over inputs. An item is a few outputs that are added up together; its inputs may be shared out to `slices`
 * invocations, whose sums are then added.
 */
export interface Sum {
  readonly kind: 'sum';
  readonly items: number;
  /** Sums of an item. */
  readonly width: number;
  readonly inputs: number;
  /** Statements that add input `slice`, `slice + slices`, ... to `sums`, an array<i32, width> of zeros. */
  readonly partial: (access: Access, slices: number) => ReadonlyArray<Text>;
  /** Statements that store `sums` of an item. */
  readonly finish: (access: Access) => ReadonlyArray<Text>;
}

/** Groups of elements that a workgroup computes together: statements with `part` (the group), `lane` and barriers. */
export interface Together {
  readonly kind: 'together';
  readonly groups: number;
  /** Words of workgroup memory for a workgroup of a size, by name of an array<u32>. */
  readonly memory: (size: number) => Readonly<Record<string, number>>;
  readonly body: (access: Access, size: number) => ReadonlyArray<Text>;
}

export type Form = Each | Sum | Together;

/** One dispatch, with the constants that it reads. */
export interface Part {
  readonly form: Form;
  readonly words: Words;
  /** Library functions that the text calls. */
  readonly uses: ReadonlyArray<LibraryName>;
}

export type LibraryName = 'countAtMost' | 'floatOrder' | 'entry8' | 'entry16' | 'dot4' | 'timesScale';

export interface Kernel {
  readonly name: ValueName;
  readonly operands: ReadonlyArray<ValueName>;
  /** Elements of the result. */
  readonly length: number;
  /** What its words are. */
  readonly storage: 'u32' | 'i32' | 'f32';
  /** Later parts add to what earlier ones have stored. */
  readonly parts: ReadonlyArray<Part>;
  readonly summary: KernelSummary;
}

export const u = (n: number): Text => `${n}u`;

/** A literal; the smallest i32 has none of its own. */
export const i = (n: number): Text => (n === -(2 ** 31) ? 'bitcast<i32>(0x80000000u)' : `${n}i`);

/** The words as signed integers. */
export const signed = (word: Text): Text => `bitcast<i32>(${word})`;
export const unsigned = (value: Text): Text => `bitcast<u32>(${value})`;

export const constantAt = (index: Text): Text => `constants[${index}]`;

/** The channel of an element: row-major, channels first. */
export const channelOf = (item: Text, channels: number, length: number): Text =>
  channels === length ? item : channels === 1 ? '0u' : `${item} / ${u(length / channels)}`;

/** A number for each channel: a literal, or an entry of a section. */
export const perChannel = (
  access: Access,
  section: number | undefined,
  literal: number,
  channel: Text,
): Text =>
  section === undefined ? i(literal) : signed(constantAt(`${access.section(section)} + ${channel}`));

/** One dispatch over independent elements. */
export const each = (
  items: number,
  words: Words,
  body: (access: Access) => ReadonlyArray<Text>,
  uses: ReadonlyArray<LibraryName> = [],
): ReadonlyArray<Part> => [{ form: { kind: 'each', items, body }, words, uses }];
