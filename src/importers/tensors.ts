/** Picking tensors out of a checkpoint with the checks that every family needs. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { FileTensor, TensorFile } from './containers/tensor.js';

/**
 * A constant that some libraries store beside the coefficients of polynomials: the degrees 0, 1, ... of its functions.
 * Nothing is computed with it here, so that it must be just that. K0203 where it is not.
 */
export const countsUp = (file: TensorFile, name: string, functions: number): Checked<void> => {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) return E.right(undefined);
  const { data } = tensor;
  const wrong = data.length === functions ? [...data].findIndex((x, k) => x !== k) : 0;
  return wrong < 0
    ? E.right(undefined)
    : fail('K0203', `the tensor of ${data.length} elements has ${data[wrong]} at element ${wrong}`, {
        place: { tensor: name },
        expected: `the degrees 0 to ${functions - 1} in order, as the library makes them`,
      });
};

/**
 * The tensor `name` of the given rank, with every dimension positive and equal to `shape` where that says one,
 * and every element finite. K0202 when missing, K0203 on a wrong shape, K0204 on NaN or infinity.
 */
export const finiteTensor = (
  file: TensorFile,
  name: string,
  rank: number,
  shape: ReadonlyArray<number | undefined> = [],
): Checked<FileTensor> => {
  const place = { tensor: name };
  const tensor = file.tensors.get(name);
  if (tensor === undefined) return fail('K0202', 'the tensor is missing', { place });
  const fits =
    tensor.shape.length === rank &&
    tensor.shape.every((d, k) => d > 0 && (shape[k] === undefined || shape[k] === d));
  if (!fits) {
    const wanted = Array.from({ length: rank }, (_, k) => String(shape[k] ?? 'any')).join(', ');
    return fail('K0203', `the tensor has shape [${tensor.shape.join(', ')}]`, {
      place,
      expected: `[${wanted}]`,
    });
  }
  const { data } = tensor;
  for (let j = 0; j < data.length; j++) {
    const x = data[j]!;
    if (x - x !== 0) {
      return fail('K0204', `element ${j} is ${x}`, {
        place,
        expected: 'finite weights',
        hint: 'Take an earlier checkpoint, from before the training diverged.',
      });
    }
  }
  return E.right(tensor);
};
