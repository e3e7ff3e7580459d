/** f32 values in their order, for exact bisection: every f32 but NaN has an integer, ascending with the value. */

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Position of an f32 in the order of all f32 (-Infinity lowest; -0 directly below +0). */
export const orderOf = (x: number): number => {
  float[0] = x;
  const b = bits[0]!;
  return b >= 0 ? b : -0x80000000 - b - 1;
};

/** The f32 at a position: the inverse of orderOf. */
export const floatAt = (order: number): number => {
  bits[0] = order >= 0 ? order : -0x80000000 - order - 1;
  return float[0]!;
};

export const LOWEST = orderOf(Number.NEGATIVE_INFINITY);
export const HIGHEST = orderOf(Number.POSITIVE_INFINITY);

/** The smallest f32 x with predicate(x), for a predicate that is monotone in x; undefined when none satisfies it. */
export const smallestWith = (predicate: (x: number) => boolean): number | undefined => {
  if (!predicate(Number.POSITIVE_INFINITY)) return undefined;
  let lo = LOWEST;
  let hi = HIGHEST;
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if (predicate(floatAt(mid))) hi = mid;
    else lo = mid + 1;
  }
  return floatAt(lo);
};
