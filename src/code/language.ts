/**
 * What ops of table graphs compute, as programs of a small language of integers. Each such op is written once, by the
 * `lower` beside its definition; C, HLS, WGSL and WASM are renderers of the language, each with spellings of its own.
 *
 * Expressions are i32 values, but for `scaled to float`. Whoever makes one has proved that it fits: nothing wraps around,
 * and renderers may rely on that. The interpreter does not know the language; tests hold one against the other.
 */
import { match, P } from 'ts-pattern';
import type { ProductForm } from '../numeric/fixed-point.js';

/** How numbers are stored. */
export type Numbers =
  | Float32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array;

/** Rows of numbers that do not change: one row for all channels, or one for each. */
export interface Rows {
  /** What it is called in code, behind a prefix of the op: unique in a program. */
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  /** Row-major. */
  readonly data: Numbers;
}

export type BinaryOp = 'add' | 'sub' | 'mul' | 'min' | 'max' | 'and' | 'shl' | 'shr';

/** An i32 for every element of a result. */
export type Expr =
  | { readonly _tag: 'literal'; readonly value: number }
  /** The element of an operand: codes and accumulators. */
  | { readonly _tag: 'element'; readonly operand: number }
  /** The place of a float element in the order of all floats: both zeros have -1, and a NaN the smallest i32. */
  | { readonly _tag: 'order'; readonly operand: number }
  /** Entry `at` of the row of the channel. */
  | { readonly _tag: 'entry'; readonly rows: Rows; readonly at: Expr }
  /** How many of the row of the channel, which ascends, are at most `of`. */
  | { readonly _tag: 'rank'; readonly rows: Rows; readonly of: Expr }
  /** `shr` rounds down; shifts are by 0 to 31. */
  | { readonly _tag: 'binary'; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
  /** `yes` where left < right (left = right), else `no`. Targets may compute both, so that both read within their rows. */
  | {
      readonly _tag: 'choose';
      readonly when: 'less' | 'equal';
      readonly left: Expr;
      readonly right: Expr;
      readonly yes: Expr;
      readonly no: Expr;
    }
  | Scaled;

/**
 * clamp((of * mul + 2^(shift-1)) >> shift, 0, top), exactly: where `of` is clamped to [0, most] first, products are of the
 * form that numeric/fixed-point.ts proves, narrow or wide.
 */
export interface Scaled {
  readonly _tag: 'scaled';
  readonly of: Expr;
  readonly mul: Expr;
  readonly most: Expr;
  readonly shift: number;
  readonly top: number;
  readonly form: ProductForm;
}

/** What an element of a result is: an integer, or f32(f32(of) * factor) with one factor for all channels or one for each. */
export type Value = Expr | { readonly _tag: 'float'; readonly of: Expr; readonly factor: Rows };

/** Channel `channel` of operand `operand`. */
export interface Source {
  readonly operand: number;
  readonly channel: number;
}

/** How an op goes over its elements. */
export type Body =
  /** Every element by itself, from the elements at the same place. */
  | { readonly _tag: 'elements'; readonly value: Value }
  /** Whole channels, with the elements in them as they stand. */
  | { readonly _tag: 'channels'; readonly sources: ReadonlyArray<Source> }
  /** All elements, row-major, in another shape. */
  | { readonly _tag: 'reshape' }
  /** x[left[m]] * x[right[m]] for features of a sample; the index behind the last feature stands for 1. */
  | { readonly _tag: 'pairs'; readonly left: Numbers; readonly right: Numbers }
  /** Over the pixels of every window of a channel, without those in the padding. */
  | { readonly _tag: 'windows'; readonly reduce: 'sum' | 'max'; readonly window: WindowShape };

/** Each along height and width. */
export interface WindowShape {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Taps outside the image contribute nothing. */
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

export interface Program {
  /** What manifests and reports call it. */
  readonly form: string;
  readonly body: Body;
}

export const literal = (value: number): Expr => ({ _tag: 'literal', value });
export const element = (operand: number): Expr => ({ _tag: 'element', operand });
export const order = (operand: number): Expr => ({ _tag: 'order', operand });
export const entry = (rows: Rows, at: Expr): Expr => ({ _tag: 'entry', rows, at });
export const rank = (rows: Rows, of: Expr): Expr => ({ _tag: 'rank', rows, of });

export const binary = (op: BinaryOp, left: Expr, right: Expr): Expr => ({ _tag: 'binary', op, left, right });

const isZero = (e: Expr): boolean => e._tag === 'literal' && e.value === 0;

export const choose = (when: 'less' | 'equal', left: Expr, right: Expr, yes: Expr, no: Expr): Expr => ({
  _tag: 'choose',
  when,
  left,
  right,
  yes,
  no,
});

/** Terms in their order, without those that are 0. */
export const sum = (...terms: ReadonlyArray<Expr>): Expr => {
  const [first, ...rest] = terms.filter((term) => !isZero(term));
  return first === undefined ? literal(0) : rest.reduce((left, right) => binary('add', left, right), first);
};

/** A number for each channel: a literal where all are alike. */
export const perChannel = (name: string, channels: number, of: (channel: number) => number): Expr => {
  const data = Int32Array.from({ length: channels }, (_, c) => of(c));
  const first = data[0] ?? 0;
  return data.every((v) => v === first)
    ? literal(first)
    : entry({ name, rows: channels, width: 1, data }, literal(0));
};

export const program = (form: string, body: Body): Program => ({ form, body });
export const elements = (form: string, value: Value): Program => program(form, { _tag: 'elements', value });

/** Rows of a table [rows, width]. */
export const tableRows = (
  name: string,
  { shape, data }: { readonly shape: ReadonlyArray<number>; readonly data: Numbers },
): Rows => ({ name, rows: shape[0]!, width: shape[1]!, data });

/** Words of a form that reads rows. */
export const byRows = (form: string, { rows }: Rows): string => (rows === 1 ? form : `${form} per channel`);

/** The parts of a value that are values themselves. */
const partsOf = (value: Value): ReadonlyArray<Expr> =>
  match(value)
    .with({ _tag: P.union('literal', 'element', 'order') }, () => [])
    .with({ _tag: 'entry' }, ({ at }) => [at])
    .with({ _tag: P.union('rank', 'float') }, ({ of }) => [of])
    .with({ _tag: 'binary' }, ({ left, right }) => [left, right])
    .with({ _tag: 'choose' }, ({ left, right, yes, no }) => [left, right, yes, no])
    .with({ _tag: 'scaled' }, ({ of, mul, most }) => [of, mul, most])
    .exhaustive();

/** A value and all values in it, in the order in which they are computed. */
export const nodesOf = (value: Value): ReadonlyArray<Value> => [...partsOf(value).flatMap(nodesOf), value];

/** The rows of integers that a value reads, each once, in the order of their reading. */
export const rowsOf = (value: Value): ReadonlyArray<Rows> => [
  ...new Set(nodesOf(value).flatMap((v) => (v._tag === 'entry' || v._tag === 'rank' ? [v.rows] : []))),
];

/** Channels that stand together in an operand and in the result. */
export interface Run extends Source {
  readonly count: number;
}

export const runsOf = (sources: ReadonlyArray<Source>): ReadonlyArray<Run> => {
  const runs: Run[] = [];
  for (const { operand, channel } of sources) {
    const last = runs.at(-1);
    if (last?.operand === operand && last.channel + last.count === channel) {
      runs[runs.length - 1] = { ...last, count: last.count + 1 };
    } else {
      runs.push({ operand, channel, count: 1 });
    }
  }
  return runs;
};
