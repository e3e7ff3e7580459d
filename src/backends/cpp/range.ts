/** The smallest and the largest of some numbers; 0 and 0 of none. */
export const rangeOf = (data: ArrayLike<number>): readonly [number, number] => {
  let [lo, hi] = data.length === 0 ? [0, 0] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < data.length; k++) {
    const v = data[k]!;
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return [lo, hi];
};
