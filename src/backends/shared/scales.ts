/** What the last integers of a program stand for, in words: their scales, which may differ from one result to another. */
import { channel, type PerChannel } from '../../ir/constant.js';
import { channelsOf, type ValueType } from '../../ir/types.js';

/** Scales that are listed at most. */
const MOST_LISTED = 32;

/** Bits of the factors with which integers of different scales are compared. */
const FACTOR_BITS = 15;

/** Integers that stand to each other as scales do, the largest 2^15. */
export const comparingFactors = (scales: ArrayLike<number>): ReadonlyArray<number> => {
  const largest = Array.from(scales).reduce((a, b) => Math.max(a, b), 0);
  return Array.from(scales, (s) => Math.round((s / largest) * 2 ** FACTOR_BITS));
};

const listed = (numbers: ArrayLike<number>): string =>
  numbers.length > MOST_LISTED
    ? '`raw.meaning` of manifest.json lists them'
    : `from the first on, ${Array.from(numbers, String).join(', ')}`;

/** Whether all are one number. */
const alike = (numbers: ArrayLike<number>): boolean => Array.from(numbers).every((n) => n === numbers[0]);

const each = (value: PerChannel, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, c) => channel(value, c));

/** `one`: what a result is called, such as `y0` or `raw[0]`. */
export const scalesText = (type: ValueType, one: (k: number) => string): string => {
  const { meaning } = type;
  const count = channelsOf(type);
  if (meaning === undefined) return 'The integers are the results; they have no scale.';
  if (meaning._tag === 'scaled') {
    const scales = each(meaning.scale, count);
    const zero = 'Zero stands for 0: what a layer adds is part of the integers.';
    if (alike(scales)) {
      return `A result is its integer times ${scales[0]}. ${zero}${count === 1 ? '' : ' As all have that scale, the largest integer is the largest result.'}`;
    }
    const factors = comparingFactors(scales);
    const how =
      factors.length > MOST_LISTED
        ? `the scales, or integers in their proportions`
        : `its scale, or, to 1 part in ${2 ** FACTOR_BITS}, with ${factors.join(', ')}`;
    return `A result is its integer times a scale of its own (${listed(scales)}). ${zero} **The largest integer need not be the largest
result:** before ${one(0)} is compared with another, multiply each with ${how}.`;
  }
  if (meaning._tag === 'uniform') {
    const [lo, step] = [each(meaning.lo, count), each(meaning.step, count)];
    if (alike(lo) && alike(step)) {
      return `The integers are codes: code c stands for ${lo[0]} + c * ${step[0]}.${count === 1 ? '' : ' The largest code is the largest result.'}`;
    }
    return `The integers are codes, and code c stands for lo + c * step. lo: ${listed(lo)}; step: ${listed(step)}. **The largest code
need not be the largest result:** compare what the codes stand for.`;
  }
  return 'The integers are codes of thresholds, which `model.kir` holds; codes of different results are not to be compared.';
};
