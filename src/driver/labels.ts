/** Labels and targets: what is right, in the form that scores are computed from. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { Dataset } from '../passes/dataset.js';

/** What outputs are compared with besides those of another model. */
export type Targets =
  | { readonly _tag: 'none' }
  /** A class for each sample. */
  | { readonly _tag: 'classes'; readonly classes: ArrayLike<number> }
  /** [samples, outputs]. */
  | { readonly _tag: 'values'; readonly values: ArrayLike<number> };

/**
 * Integer labels as classes, float ones as values, for all of the `samples` of the data. K0702 where they do not fit
 * a model of so many outputs. Class numbers are checked for the first `used` samples, the others are left out.
 */
export const targetsOf = (
  { array, path }: Dataset,
  outputs: number,
  samples: number,
  used = samples,
): Checked<Exclude<Targets, { readonly _tag: 'none' }>> => {
  const place = { file: path };
  const shape = `[${array.shape.join(', ')}]`;
  if (array.shape[0] !== samples) {
    return fail('K0702', `there are ${array.shape[0] ?? 0} labels (shape ${shape}) for ${samples} samples`, {
      place,
      expected: 'one label for each sample',
    });
  }
  const each = array.data.length / samples;
  if (array.dtype.startsWith('f')) {
    if (each !== outputs) {
      return fail('K0702', `the targets have shape ${shape}, but the model has ${outputs} outputs`, {
        place,
        expected: `shape [${samples}, ${outputs}]`,
        hint: 'Class labels must be integers: store them with astype(numpy.int64).',
      });
    }
    return E.right({ _tag: 'values', values: array.data.subarray(0, used * outputs) });
  }
  if (each !== 1 || outputs < 2) {
    return fail('K0702', `integer labels of shape ${shape} for a model of ${outputs} outputs`, {
      place,
      expected:
        outputs < 2
          ? 'float targets, as the model has one output'
          : `one class number per sample, shape [${samples}]`,
    });
  }
  const classes = array.data.subarray(0, used);
  const wrong = classes.findIndex((c: number) => c < 0 || c >= outputs);
  if (wrong >= 0) {
    return fail('K0702', `label ${wrong} is ${classes[wrong]}`, {
      place,
      expected: `a class from 0 to ${outputs - 1}, as the model has ${outputs} outputs`,
    });
  }
  return E.right({ _tag: 'classes', classes });
};
