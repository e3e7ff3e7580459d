/** Lists of element numbers that follow from constants. */
import { type Building, wrong } from './call.js';

/** Element numbers of all combinations of one index for each dimension, row-major. */
export const outerIndex = (
  lists: ReadonlyArray<ArrayLike<number>>,
  strides: ReadonlyArray<number>,
): Int32Array => {
  let index = new Int32Array(1);
  for (const [d, list] of lists.entries()) {
    const next = new Int32Array(index.length * list.length);
    for (let i = 0, e = 0; i < index.length; i++)
      for (let k = 0; k < list.length; k++) next[e++] = index[i]! + list[k]! * strides[d]!;
    index = next;
  }
  return index;
};

export const counting = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, k) => k);

/** Constant indices, those below zero counted from the end, all of them within the size. */
export function* within(indices: ArrayLike<number>, size: number): Building<ReadonlyArray<number>> {
  const found = Array.from(indices, (i) => (i < 0 ? i + size : i));
  const odd = found.findIndex((i) => !Number.isInteger(i) || i < 0 || i >= size);
  return odd < 0 ? found : yield* wrong(`there is no element ${indices[odd]} of ${size}`);
}
