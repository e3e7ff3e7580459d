/** What the interpreter computes with: a batch of values of one type. */
import { allocate, type TypedArray } from './element.js';
import { sizeOf, type ValueType } from './types.js';

export interface Tensor {
  readonly type: ValueType;
  /** Number of samples. */
  readonly batch: number;
  /** Row-major, batch first: batch * sizeOf(type) elements. */
  readonly data: TypedArray;
}

export const emptyTensor = (type: ValueType, batch: number): Tensor => ({
  type,
  batch,
  data: allocate(type.element, batch * sizeOf(type)),
});
