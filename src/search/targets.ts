/** Labels and targets: what is right, in the form that scores are computed from. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy/index.js';
import type { Dataset } from '../passes/dataset.js';

/** What outputs are compared with besides those of another model. */
export type Targets =
  | { readonly _tag: 'none' }
  /**
   * A class for each sample. Of a model with one output, class 1 is where it is above 0; `values`: the same labels as
   * numbers, where they were stored as floats and may be meant as such.
   */
  | {
      readonly _tag: 'classes';
      readonly classes: ArrayLike<number>;
      readonly values?: ArrayLike<number>;
      readonly note?: string;
    }
  /** [samples, outputs]. */
  | { readonly _tag: 'values'; readonly values: ArrayLike<number>; readonly note?: string };

type Given = Exclude<Targets, { readonly _tag: 'none' }>;

interface Fit {
  /** Those of the samples that are used. */
  readonly data: NpyArray['data'];
  readonly isFloat: boolean;
  readonly outputs: number;
  /** Numbers for each sample. */
  readonly each: number;
  readonly shape: string;
  readonly place: { readonly file: string };
  readonly samples: number;
}

const BY_SIGN = 'the model has one output: class 1 is where it is above 0, the threshold of a logit';

/** 0 and 1, or -1 and 1, for a model with one output. */
const bySign = ({ data, isFloat }: Fit): Given | undefined => {
  const classes = signClasses(data);
  if (classes === undefined) return undefined;
  return { _tag: 'classes', classes, note: BY_SIGN, ...(isFloat ? { values: data } : {}) };
};

const valuesOf = ({ data, outputs }: Fit): Given => ({
  _tag: 'values',
  values: data,
  ...(outputs > 1 && looksLikeProbabilities(data, outputs)
    ? {
        note: 'the targets look like probabilities: the error is that from outputs as they are, no softmax is taken',
      }
    : {}),
});

const refuseShape = ({ isFloat, outputs, shape, place, samples }: Fit): Checked<never> =>
  isFloat
    ? fail('K0702', `the targets have shape ${shape}, but the model has ${outputs} outputs`, {
        place,
        expected: `shape [${samples}, ${outputs}]${outputs > 1 ? `, or one class number per sample` : ''}`,
      })
    : fail('K0702', `integer labels of shape ${shape} for a model of ${outputs} outputs`, {
        place,
        expected: `one class number per sample, shape [${samples}]${outputs > 1 ? `, or rows of ${outputs} with one 1` : ''}`,
        ...(outputs > 1
          ? { hint: 'Where they are values to compare with, store them with astype(numpy.float32).' }
          : {}),
      });

/** Why class numbers do not fit, or undefined. */
const classFault = ({ data, outputs, place }: Fit): Checked<never> | undefined => {
  const wrong = data.findIndex((c: number) => !(c >= 0 && c < outputs));
  if (wrong < 0) return undefined;
  const { lo: lowest, hi: highest } = extremes(data);
  const hint =
    lowest === 1 && highest === outputs
      ? 'They begin with 1: store labels - 1.'
      : lowest < 0
        ? 'Where a number below 0 stands for a missing label, leave those samples out.'
        : undefined;
  return fail('K0702', `label ${wrong} is ${data[wrong]}`, {
    place,
    expected: `a class from 0 to ${outputs - 1}, as the model has ${outputs} outputs`,
    ...(hint === undefined ? {} : { hint }),
  });
};

const ofOneOutput = (fit: Fit): Checked<Given> => {
  const { data, isFloat, each, place } = fit;
  if (each !== 1) return refuseShape(fit);
  const known = bySign(fit);
  if (known !== undefined) return E.right(known);
  if (isFloat) return E.right(valuesOf(fit));
  const wrong = data.findIndex((c: number) => c !== 0 && c !== 1);
  return fail('K0702', `label ${wrong} is ${data[wrong]}, and the model has one output`, {
    place,
    expected: 'classes 0 and 1, or -1 and 1',
    hint: 'Where they are values to compare the output with, store them with astype(numpy.float32).',
  });
};

const ofSeveral = (fit: Fit): Checked<Given> => {
  const { data, isFloat, each, outputs } = fit;
  if (each === outputs) {
    if (isOneHot(data, outputs)) {
      const note = 'the labels are one-hot: the class of each is where its 1 stands';
      return E.right({ _tag: 'classes', classes: oneHotClasses(data, outputs), note });
    }
    return isFloat ? E.right(valuesOf(fit)) : refuseShape(fit);
  }
  // Class numbers may have been stored as floats, as pandas does where a column has gaps.
  if (each !== 1 || !data.every(Number.isInteger)) return refuseShape(fit);
  return classFault(fit) ?? E.right({ _tag: 'classes', classes: data });
};

/**
 * Labels as classes, targets as values, for all of the `samples` of the data: integers are classes; floats are values, but
 * for rows that are one-hot, class numbers where the model has several outputs, and 0 and 1 where it has one. K0702 where
 * they do not fit a model of so many outputs, or are no numbers. They are checked for the first `used` samples, the
 * others are left out.
 */
export const targetsOf = (
  { array, path }: Dataset,
  outputs: number,
  samples: number,
  used = samples,
): Checked<Given> => {
  const place = { file: path };
  const shape = `[${array.shape.join(', ')}]`;
  if (array.shape[0] !== samples) {
    return fail('K0702', `there are ${array.shape[0] ?? 0} labels (shape ${shape}) for ${samples} samples`, {
      place,
      expected: 'one label for each sample',
    });
  }
  const each = array.data.length / samples;
  const data = array.data.subarray(0, used * each);
  const gap = data.findIndex((x: number) => !Number.isFinite(x));
  if (gap >= 0) {
    return fail('K0702', `the target of sample ${Math.floor(gap / each)} is ${data[gap]}`, {
      place,
      expected: 'numbers',
      hint: 'Leave the samples without a target out, of the inputs too.',
    });
  }
  const fit = { data, isFloat: array.dtype.startsWith('f'), outputs, each, shape, place, samples };
  return outputs === 1 ? ofOneOutput(fit) : ofSeveral(fit);
};

type Numbers = ArrayLike<number>;

const every = (data: Numbers, holds: (x: number) => boolean): boolean => {
  for (let j = 0; j < data.length; j++) if (!holds(data[j]!)) return false;
  return true;
};

/** Classes 0 and 1 of labels that are 0 and 1 only, or -1 and 1 only; undefined for others. */
const signClasses = (data: Numbers): Uint8Array | undefined =>
  every(data, (x) => x === 0 || x === 1) || every(data, (x) => x === -1 || x === 1)
    ? Uint8Array.from(data, (x) => (x > 0 ? 1 : 0))
    : undefined;

/** Whether every row of [samples, width] holds one 1 and else 0. */
const isOneHot = (data: Numbers, width: number): boolean => {
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
const oneHotClasses = (data: Numbers, width: number): Int32Array =>
  Int32Array.from({ length: data.length / width }, (_, row) => {
    let at = 0;
    while (data[row * width + at] !== 1) at++;
    return at;
  });

/** Whether every row of [samples, width] is of numbers from 0 to 1 that sum to 1. */
const looksLikeProbabilities = (data: Numbers, width: number): boolean => {
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
