/** How good predictions are: accuracy of classes, error of values. */

/** Index of the largest of `count` values from `offset`; the first of equal ones, as numpy's argmax. */
export const argmax = (values: ArrayLike<number>, offset: number, count: number): number => {
  let best = 0;
  for (let o = 1; o < count; o++) {
    if (values[offset + o]! > values[offset + best]!) best = o;
  }
  return best;
};

/** The class that outputs tell: the index of the largest; of one output, which is a logit, 1 where it is above 0. */
export const classOf = (values: ArrayLike<number>, offset: number, count: number): number =>
  count === 1 ? Number(values[offset]! > 0) : argmax(values, offset, count);

/** Share of samples whose class is that of the label. outputs: [n, classes] (or [n, 1]), labels: [n]. */
export const accuracyOf = (
  outputs: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): number => {
  let hits = 0;
  for (let n = 0; n < labels.length; n++) if (classOf(outputs, n * classes, classes) === labels[n]) hits++;
  return hits / labels.length;
};

/** Root of the mean squared difference, over all samples and outputs. */
export const rmseOf = (outputs: ArrayLike<number>, targets: ArrayLike<number>): number => {
  let sum = 0;
  for (let j = 0; j < targets.length; j++) sum += (outputs[j]! - targets[j]!) ** 2;
  return Math.sqrt(sum / targets.length);
};

/** Root of the sum of squared differences over the root of the sum of squared references; 0 / 0 is 0. */
export const relativeRms = (reference: ArrayLike<number>, actual: ArrayLike<number>): number => {
  let difference = 0;
  let size = 0;
  for (let j = 0; j < reference.length; j++) {
    difference += (actual[j]! - reference[j]!) ** 2;
    size += reference[j]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
};

/** Share of samples whose largest outputs are the same. */
export const agreementOf = (a: ArrayLike<number>, b: ArrayLike<number>, classes: number): number => {
  let same = 0;
  for (let j = 0; j < a.length; j += classes) if (argmax(a, j, classes) === argmax(b, j, classes)) same++;
  return (same * classes) / a.length;
};
