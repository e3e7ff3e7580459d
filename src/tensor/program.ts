/**
 * Tensor programs: what a network exported as a graph of tensors computes, with every shape known. They are the
 * door's own representation: few ops, in which the many ops of graph formats are written, and which the lift to KAN
 * layers reads. A program is made for a number of samples; arithmetic on shapes is folded away while it is made.
 *
 * Values are numbered in order of definition. Numbers of all types are doubles: floats rounded to f32, integers up to
 * 2^53, truth as 0 and 1.
 */
import type { ScalarFunction } from '../numeric/scalar.js';

export type DType = 'f32' | 'int' | 'bool';

export type Shape = ReadonlyArray<number>;

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A value by its number. */
export type ValueId = number;

/**
 * Windows in any number of spatial dimensions, all lists having one entry for each. `before` and `after` are the
 * padding on the two sides.
 */
export interface Windows {
  readonly kernel: ReadonlyArray<number>;
  readonly stride: ReadonlyArray<number>;
  readonly dilation: ReadonlyArray<number>;
  readonly before: ReadonlyArray<number>;
  readonly after: ReadonlyArray<number>;
}

/**
 * The ops that move elements, whatever they are: each element of the result is one of an operand, or a constant.
 * `movementOf` says which.
 *
 *   reshape             the same elements, row-major, in another shape, or the same numbers as another type
 *   transpose           dimension d of the result is dimension perm[d] of the operand
 *   slice               index start[d] + i[d] * step[d]
 *   expand              broadcasting to the shape of the result
 *   concat              operands along an axis
 *   pad                 `before` elements of `value` in front of each dimension (negative: so many less), the rest behind
 *   pick                element e of the result is element index[e] of all operands' elements, numbered one operand
 *                       after the other: what gathers, scatters and the like with constant indices are
 */
export type Movement =
  | { readonly kind: 'reshape' }
  | { readonly kind: 'transpose'; readonly perm: ReadonlyArray<number> }
  | { readonly kind: 'slice'; readonly start: ReadonlyArray<number>; readonly step: ReadonlyArray<number> }
  | { readonly kind: 'expand' }
  | { readonly kind: 'concat'; readonly axis: number }
  | { readonly kind: 'pad'; readonly before: ReadonlyArray<number>; readonly value: number }
  | { readonly kind: 'pick'; readonly index: Int32Array };

/**
 *   input               what the program is called with
 *   constant            data in row-major order
 *   map                 a scalar function of operands that are broadcast to the shape of the result. Conversions that
 *                       change numbers are maps too: trunc to integers, bool to truth
 *   contract            a sum of products of two operands: letters name dimensions, as in an einsum "ab,bc->ac".
 *                       Each letter stands at most once in an operand; those not in the result are summed over
 *   conv                operand 0: [N, C, ...], operand 1: weights [O, C / groups, ...kernel]
 *   reduce              over `axes`, which the result keeps as 1 (`keep`) or loses
 *   pool                windows of [N, C, ...]; for `mean` the padding counts as zeros if `countPadding`
 *   standardize         (x - mean) / sqrt(variance + epsilon) over `axes`, variance biased
 *   softmax             over one axis, or its logarithm
 *   lookup              operand 0: a table; element (…a, i…, b…) of the result is table[a…, operand 1[i…], b…], along `axis`
 *   opaque              what there is no meaning for here; `why` says so to people
 */
export type TensorOp =
  | { readonly kind: 'input' }
  | { readonly kind: 'constant'; readonly data: Float64Array }
  | { readonly kind: 'map'; readonly fn: ScalarFunction }
  | Movement
  | { readonly kind: 'contract'; readonly equation: Equation }
  | { readonly kind: 'conv'; readonly windows: Windows; readonly groups: number }
  | {
      readonly kind: 'reduce';
      readonly fn: 'sum' | 'mean' | 'max' | 'min' | 'prod';
      readonly axes: ReadonlyArray<number>;
      readonly keep: boolean;
    }
  | {
      readonly kind: 'pool';
      readonly fn: 'max' | 'mean';
      readonly windows: Windows;
      readonly countPadding: boolean;
    }
  | { readonly kind: 'standardize'; readonly axes: ReadonlyArray<number>; readonly epsilon: number }
  | { readonly kind: 'softmax'; readonly axis: number; readonly log: boolean }
  | { readonly kind: 'lookup'; readonly axis: number }
  | { readonly kind: 'opaque'; readonly why: string };

/** The letters of the dimensions of the two operands and of the result. */
export interface Equation {
  readonly left: string;
  readonly right: string;
  readonly result: string;
}

/** Where a value comes from, for people: the node of the file, and its op there. */
export interface Origin {
  readonly node: string;
  readonly op: string;
}

export interface TensorNode {
  /** The name of the value in the file, or one made from it. */
  readonly name: string;
  readonly type: TensorType;
  readonly op: TensorOp;
  readonly operands: ReadonlyArray<ValueId>;
  readonly origin: Origin;
}

export interface TensorProgram {
  readonly name: string;
  /** How many samples the program is made for. */
  readonly samples: number;
  /** In order: operands stand before what takes them. */
  readonly nodes: ReadonlyArray<TensorNode>;
  readonly inputs: ReadonlyArray<ValueId>;
  readonly outputs: ReadonlyArray<ValueId>;
}

export const sizeOfShape = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

/** The distance in elements between neighbours along each dimension, row-major. */
export const stridesOf = (shape: Shape): ReadonlyArray<number> => {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1]! * shape[d + 1]!;
  return strides;
};

const MOVEMENTS: ReadonlySet<TensorOp['kind']> = new Set<Movement['kind']>([
  'reshape',
  'transpose',
  'slice',
  'expand',
  'concat',
  'pad',
  'pick',
]);

export const isMovement = (op: TensorOp): op is Movement => MOVEMENTS.has(op.kind);
