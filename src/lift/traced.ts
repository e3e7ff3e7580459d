/**
 * What is known of the elements of a tensor: constants, functions of one source, or sums of such functions. Sources
 * are the elements of _cuts_: values at which the network is cut into layers. Elements of all cuts are numbered one
 * cut after the other, so that a source is one integer.
 */
import type { Shape, ValueId, Windows } from '../tensor/program.js';
import type { FunctionId, FunctionTable } from './functions.js';

export interface Constant {
  readonly tag: 'constant';
  readonly data: Float64Array;
}

/**
 * Elements of which some depend on inputs. Element e is factor[e] * f_{fn[e]}(source[e]), or
 *
 *   source >= 0    a function of that source
 *   NO_SOURCE      a constant: fn is one
 *   below          factor times element `additiveId(source)`, a sum that no layer has had to end with yet
 */
export interface Varying {
  readonly tag: 'varying';
  readonly source: Int32Array;
  readonly fn: Int32Array;
  /** Absent: 1 everywhere. */
  readonly factor?: Float64Array;
}

export type Traced = Constant | Varying;

export const NO_SOURCE = -1;
export const isAdditive = (source: number): boolean => source < NO_SOURCE;
export const additiveId = (source: number): number => -2 - source;
export const additive = (id: number): number => -2 - id;

/**
 * Sums of products: element e of the cut gets factor[e] * sum over j of weights[row[e] * taps + j] times the element
 * offset[patch[e]] + tap[j] of the operand. patch[e] is -1 where the term adds nothing.
 */
export interface RowsTerm {
  readonly kind: 'rows';
  readonly operand: Varying;
  readonly patch: Int32Array;
  readonly row: Int32Array;
  readonly factor?: Float64Array;
  /** Where each patch begins in the operand, and where its taps lie from there. */
  readonly offset: Int32Array;
  readonly tap: Int32Array;
  /** [rows, taps]. */
  readonly weights: Float64Array;
  /** The two last dimensions of the operand, where it is an image [N, C, H, W] whose patches are windows. */
  readonly plane?: readonly [height: number, width: number];
}

/** Element e of the cut gets element e of the operand. */
export interface PointwiseTerm {
  readonly kind: 'pointwise';
  readonly operand: Varying;
}

export type Term = RowsTerm | PointwiseTerm;

export type Definition =
  | { readonly kind: 'input' }
  | { readonly kind: 'sum'; readonly terms: ReadonlyArray<Term>; readonly bias?: Float64Array }
  | {
      readonly kind: 'standardize';
      readonly operand: Varying;
      /** Elements of one number have one mean. */
      readonly group: Int32Array;
      readonly epsilon: number;
    }
  | { readonly kind: 'product'; readonly left: Varying; readonly right: Varying }
  /** The largest of every window; means are sums. */
  | {
      readonly kind: 'pool';
      readonly operand: Varying;
      readonly shape: Shape;
      readonly windows: Windows;
    }
  | {
      readonly kind: 'softmax';
      readonly operand: Varying;
      readonly group: Int32Array;
      readonly log: boolean;
    };

/** A value whose elements are sources. */
export interface Cut {
  readonly index: number;
  /** The number of its first element. */
  readonly base: number;
  readonly size: number;
  /** The sample of each element, and its place among the elements of its sample. */
  readonly sample: Uint16Array;
  readonly rank: Int32Array;
  readonly value: ValueId;
  readonly definition: Definition;
}

export const factorAt = (v: Varying, e: number): number => v.factor?.[e] ?? 1;

/** The source of an element, a sum being one itself; NO_SOURCE for a constant. */
export const sourceAt = (v: Varying, e: number): number => {
  const s = v.source[e]!;
  return isAdditive(s) ? additiveId(s) : s;
};

/** The constants of a tensor as elements among others. */
export const varyingOf = (table: FunctionTable, traced: Traced): Varying =>
  traced.tag === 'varying'
    ? traced
    : {
        tag: 'varying',
        source: new Int32Array(traced.data.length).fill(NO_SOURCE),
        fn: Int32Array.from(traced.data, (v) => table.constant(v)),
      };

/** The same elements with sums as sources of their own: what is not linear in them sees them so. */
export const asSources = (v: Varying): Varying =>
  v.source.some(isAdditive) ? { ...v, source: v.source.map((s) => (isAdditive(s) ? additiveId(s) : s)) } : v;

/** The function of an element with its factor in it. Where a tensor has factors they are written for all elements. */
export const functionAt = (table: FunctionTable, v: Varying, e: number): FunctionId => {
  const fn = v.fn[e]!;
  return v.factor === undefined ? fn : table.call('mul', fn, table.constant(v.factor[e]!));
};

/** The elements at the given places; `at` entries of -1 are the constant `fill`. */
export const elementsAt = (table: FunctionTable, v: Varying, at: Int32Array, fill = 0): Varying => {
  const n = at.length;
  const source = new Int32Array(n);
  const fn = new Int32Array(n);
  const factor = v.factor === undefined ? undefined : new Float64Array(n);
  const filler = table.constant(fill);
  for (let e = 0; e < n; e++) {
    const from = at[e]!;
    if (from < 0) {
      source[e] = NO_SOURCE;
      fn[e] = filler;
      if (factor !== undefined) factor[e] = 1;
    } else {
      source[e] = v.source[from]!;
      fn[e] = v.fn[from]!;
      if (factor !== undefined) factor[e] = v.factor![from]!;
    }
  }
  return { tag: 'varying', source, fn, ...(factor === undefined ? {} : { factor }) };
};
