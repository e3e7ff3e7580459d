/** Strided views over raw elements, made contiguous. */

/** A view as torch describes it; offset and strides count elements. All numbers are naturals. */
export interface StridedView {
  readonly offset: number;
  readonly shape: ReadonlyArray<number>;
  readonly strides: ReadonlyArray<number>;
}

/** Row-major strides of a shape. */
export const rowMajorStrides = (shape: ReadonlyArray<number>): number[] => {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1]! * shape[d + 1]!;
  return strides;
};

/** Column-major (Fortran) strides of a shape. */
export const columnMajorStrides = (shape: ReadonlyArray<number>): number[] => {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = 1; d < shape.length; d++) strides[d] = strides[d - 1]! * shape[d - 1]!;
  return strides;
};

/**
 * One past the last element that a non-empty view touches. Sums and products of naturals only grow, so a view
 * whose true end passes 2^53 still compares as larger than any storage, rounded or not.
 */
export const viewEnd = (view: StridedView): number => {
  let last = view.offset;
  for (let d = 0; d < view.shape.length; d++) last += (view.shape[d]! - 1) * view.strides[d]!;
  return last + 1;
};

/** Whether the elements of a non-empty view lie one after the other, in row-major order. */
export const isContiguous = (view: StridedView): boolean => {
  const dense = rowMajorStrides(view.shape);
  return view.shape.every((size, d) => size === 1 || view.strides[d] === dense[d]);
};

/**
 * The elements of a view in row-major order: a window of `bytes` when they already lie so, a copy otherwise.
 * The caller has checked that viewEnd fits and that `count`, the product of the shape, may be allocated.
 * Only the touched elements are visited, so many small views of a large storage stay cheap.
 */
export const gather = (bytes: Uint8Array, size: number, view: StridedView, count: number): Uint8Array => {
  if (count === 0) return new Uint8Array(0);
  if (isContiguous(view)) {
    return bytes.subarray(view.offset * size, (view.offset + count) * size);
  }
  const out = new Uint8Array(count * size);
  const rank = view.shape.length;
  const index = new Array<number>(rank).fill(0);
  let from = view.offset;
  for (let n = 0; n < count; n++) {
    for (let b = 0; b < size; b++) out[n * size + b] = bytes[from * size + b]!;
    for (let d = rank - 1; d >= 0; d--) {
      from += view.strides[d]!;
      index[d]!++;
      if (index[d]! < view.shape[d]!) break;
      from -= view.shape[d]! * view.strides[d]!;
      index[d] = 0;
    }
  }
  return out;
};
