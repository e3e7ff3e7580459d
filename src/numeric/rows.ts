/** Rows of numbers added to rows: innermost loops, unrolled, which makes them two to three times as fast. */

/** to[at + o] += factor * from[start + o] for o < count. */
export const addRow = (
  to: Float64Array,
  at: number,
  from: ArrayLike<number>,
  start: number,
  factor: number,
  count: number,
): void => {
  let o = 0;
  for (; o + 4 <= count; o += 4) {
    const [t, f] = [at + o, start + o];
    to[t]! += factor * from[f]!;
    to[t + 1]! += factor * from[f + 1]!;
    to[t + 2]! += factor * from[f + 2]!;
    to[t + 3]! += factor * from[f + 3]!;
  }
  for (; o < count; o++) to[at + o]! += factor * from[start + o]!;
};

/** sums[o] = the sum of rows[list[k] * count + o] over k from `first` to before `last`. */
export const sumListed = (
  sums: Float64Array,
  rows: Float64Array,
  list: Uint32Array,
  first: number,
  last: number,
  count: number,
): void => {
  let o = 0;
  for (; o + 8 <= count; o += 8) {
    let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let k = first; k < last; k++) {
      const row = list[k]! * count + o;
      a += rows[row]!;
      b += rows[row + 1]!;
      c += rows[row + 2]!;
      d += rows[row + 3]!;
      e += rows[row + 4]!;
      f += rows[row + 5]!;
      g += rows[row + 6]!;
      h += rows[row + 7]!;
    }
    sums[o] = a;
    sums[o + 1] = b;
    sums[o + 2] = c;
    sums[o + 3] = d;
    sums[o + 4] = e;
    sums[o + 5] = f;
    sums[o + 6] = g;
    sums[o + 7] = h;
  }
  for (; o < count; o++) {
    let sum = 0;
    for (let k = first; k < last; k++) sum += rows[list[k]! * count + o]!;
    sums[o] = sum;
  }
};

/** rows[list[k] * count + o] -= move[o] for k from `first` to before `last`. */
export const moveListed = (
  rows: Float64Array,
  list: Uint32Array,
  first: number,
  last: number,
  move: Float64Array,
  count: number,
): void => {
  let o = 0;
  for (; o + 4 <= count; o += 4) {
    const a = move[o]!;
    const b = move[o + 1]!;
    const c = move[o + 2]!;
    const d = move[o + 3]!;
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    for (let k = first; k < last; k++) {
      const row = list[k]! * count + o;
      rows[row]! -= a;
      rows[row + 1]! -= b;
      rows[row + 2]! -= c;
      rows[row + 3]! -= d;
    }
  }
  for (; o < count; o++) {
    const a = move[o]!;
    if (a === 0) continue;
    for (let k = first; k < last; k++) rows[list[k]! * count + o]! -= a;
  }
};
