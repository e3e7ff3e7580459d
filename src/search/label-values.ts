/** What the numbers of labels are: signs, one-hot rows, probabilities. */

type Numbers = ArrayLike<number>;

const every = (data: Numbers, holds: (x: number) => boolean): boolean => {
  for (let j = 0; j < data.length; j++) if (!holds(data[j]!)) return false;
  return true;
};

/** Classes 0 and 1 of labels that are 0 and 1 only, or -1 and 1 only; undefined for others. */
export const signClasses = (data: Numbers): Uint8Array | undefined =>
  every(data, (x) => x === 0 || x === 1) || every(data, (x) => x === -1 || x === 1)
    ? Uint8Array.from(data, (x) => (x > 0 ? 1 : 0))
    : undefined;

/** Whether every row of [samples, width] holds one 1 and else 0. */
export const isOneHot = (data: Numbers, width: number): boolean => {
  for (let from = 0; from < data.length; from += width) {
    let ones = 0;
    for (let j = from; j < from + width; j++) {
      if (data[j] === 1) ones++;
      else if (data[j] !== 0) return false;
    }
    if (ones !== 1) return false;
  }
  return true;
};

/** Where the 1 of every row stands. */
export const oneHotClasses = (data: Numbers, width: number): Int32Array =>
  Int32Array.from({ length: data.length / width }, (_, row) => {
    let at = 0;
    while (data[row * width + at] !== 1) at++;
    return at;
  });

/** Whether every row of [samples, width] is of numbers from 0 to 1 that sum to 1. */
export const looksLikeProbabilities = (data: Numbers, width: number): boolean => {
  for (let from = 0; from < data.length; from += width) {
    let sum = 0;
    for (let j = from; j < from + width; j++) {
      if (!(data[j]! >= 0 && data[j]! <= 1)) return false;
      sum += data[j]!;
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return true;
};

/** The smallest and the largest number. */
export const extremes = (data: Numbers): { readonly lo: number; readonly hi: number } => {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let j = 0; j < data.length; j++) {
    lo = Math.min(lo, data[j]!);
    hi = Math.max(hi, data[j]!);
  }
  return { lo, hi };
};
