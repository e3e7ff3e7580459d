/** Data for calibration and evaluation: what is in an .npy file, and its fit to a graph's input. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy.js';
import { elementCount } from '../ir/constant.js';
import { allocate, showElement, type TypedArray } from '../ir/element.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf, type ValueType } from '../ir/types.js';
import { axesFault, countHint } from './data-axes.js';

export interface Dataset {
  /** The path it came from, for messages. */
  readonly path: string;
  readonly array: NpyArray;
}

/**
 * The first `limit` samples as a tensor of `type`. The array's first dimension counts samples; the others are the axes of
 * the input (K0703), or one for all of them. An input of one axis takes any ([n, 28, 28] images feed a [n, 784] input)
 * but images with their channels last.
 */
export const toTensor = (
  { array, path }: Dataset,
  type: ValueType,
  limit = Number.POSITIVE_INFINITY,
): Checked<Tensor> => {
  const features = sizeOf(type);
  const [samples, ...rest] = array.shape;
  const given = elementCount(rest);
  const expected = `an array of shape [samples, ${type.shape.join(', ')}] for an input of type ${showElement(type.element)}`;
  const place = { file: path };
  if (samples === undefined || given !== features) {
    const hint = countHint(array.shape, type.shape);
    return fail('K0701', `the array has shape [${array.shape.join(', ')}]`, {
      place,
      expected,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const fault = axesFault(rest, type.shape);
  if (fault !== undefined) {
    const { found, hint } = fault;
    return fail('K0703', `the array has shape [${array.shape.join(', ')}]: ${found}`, {
      place,
      expected,
      hint,
    });
  }
  if (samples === 0) return fail('K0701', 'the array holds no samples', { place, expected });
  const batch = Math.min(samples, limit);
  const length = batch * features;
  const { data } = array;
  if (type.element.kind === 'f32') {
    // Pixels of 0 to 255 read as floats would be far outside of what any network was trained on.
    if (array.dtype === 'u1') {
      return fail('K0701', 'the array holds uint8 pixels, but the model takes f32 input', {
        place,
        expected,
        hint: 'Give --input-dtype u8 with the --input-mean and --input-std of the training (pixels are divided by 255 first), or store the array as the normalised floats.',
      });
    }
    if (data instanceof Float32Array) return E.right({ type, batch, data: data.subarray(0, length) });
    return E.right({ type, batch, data: Float32Array.from(data.subarray(0, length)) });
  }
  if (!(data instanceof Uint8Array)) {
    return fail('K0701', `the array holds ${array.dtype} elements, but the model was compiled for u8 input`, {
      place,
      expected,
      hint:
        type.meaning === undefined
          ? 'Store the raw pixels as uint8, or compile with --input-dtype f32.'
          : 'The input of this network is integer codes: store them as uint8.',
    });
  }
  return E.right({ type, batch, data: data.subarray(0, length) });
};

/** Which of `count` rows of equal size hold numbers only: no NaN, no infinity. */
export const finiteRows = (data: NpyArray['data'] | TypedArray, count: number): ReadonlyArray<number> => {
  const size = data.length / count;
  return Array.from({ length: count }, (_, row) => row).filter((row) =>
    data.subarray(row * size, (row + 1) * size).every(Number.isFinite),
  );
};

/** The samples without NaN and infinities. */
export const finiteSamples = (all: Tensor): Tensor => {
  const size = sizeOf(all.type);
  const rows = finiteRows(all.data, all.batch);
  if (rows.length === all.batch) return all;
  const data = allocate(all.type.element, rows.length * size);
  for (const [k, row] of rows.entries()) data.set(all.data.subarray(row * size, (row + 1) * size), k * size);
  return { ...all, batch: rows.length, data };
};

/** `count` samples of a batch, evenly spaced: files are often sorted by class. */
export const spread = (tensor: Tensor, count: number): Tensor => {
  if (count >= tensor.batch) return tensor;
  const size = tensor.data.length / tensor.batch;
  const data = allocate(tensor.type.element, count * size);
  for (let k = 0; k < count; k++) {
    const from = Math.floor((k * tensor.batch) / count) * size;
    data.set(tensor.data.subarray(from, from + size), k * size);
  }
  return { ...tensor, batch: count, data };
};
