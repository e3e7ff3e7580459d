/** Picking tensors out of a checkpoint with the checks that every family needs. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { FileTensor, TensorFile } from './containers/tensor.js';

/** A shape for messages; where no dimension is known, their number says it better. */
const wantedShape = (rank: number, shape: ReadonlyArray<number | undefined>): string => {
  const known = shape.some((d) => d !== undefined);
  if (!known)
    return rank === 0 ? 'one number, []' : `${rank} dimension${rank === 1 ? '' : 's'}, none of them 0`;
  return `[${Array.from({ length: rank }, (_, k) => String(shape[k] ?? 'any')).join(', ')}]`;
};

/** What integers are called where they are refused. */
const integersOf = ({ dtype }: FileTensor): string | undefined => {
  if (dtype === 'BOOL') return 'truth values';
  const match = /^([IU])(\d+)$/.exec(dtype);
  return match === null ? undefined : `${match[1] === 'I' ? 'int' : 'uint'}${match[2]}`;
};

/** K0211 for tensors of integers: quantised weights mean nothing without their scales. */
const areFloats = (tensor: FileTensor, name: string): Checked<FileTensor> => {
  const integers = integersOf(tensor);
  return integers === undefined
    ? E.right(tensor)
    : fail('K0211', `the weights are ${integers}, and no scale says what the integers stand for`, {
        place: { tensor: name },
        expected: 'floats',
        hint: 'Save the weights before they are quantised, or dequantised: kanc quantises by itself.',
      });
};

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
 * and every element finite. K0202 when missing, K0203 on a wrong shape, K0204 on NaN or infinity, K0211 on integers.
 */
export const finiteTensor = (
  file: TensorFile,
  name: string,
  rank: number,
  shape: ReadonlyArray<number | undefined> = [],
): Checked<FileTensor> => {
  const tensor = numbersTensor(file, name, rank, shape);
  return E.isLeft(tensor) ? tensor : areFloats(tensor.right, name);
};

/** The same for tensors that may hold integers: masks and indices. */
export const numbersTensor = (
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
    return fail('K0203', `the tensor has shape [${tensor.shape.join(', ')}]`, {
      place,
      expected: wantedShape(rank, shape),
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
