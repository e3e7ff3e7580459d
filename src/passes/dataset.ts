/** Data for calibration and evaluation: what is in an .npy file, and its fit to a graph's input. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy/index.js';
import { elementCount } from '../ir/constant.js';
import { allocate, showElement, type TypedArray } from '../ir/element.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf, type ValueType } from '../ir/types.js';

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

// Whether the axes of data are those of an input. As many elements are not enough: an image whose channels come last has
// as many as the network wants, in another order.

/** Axes of length 1 hold nothing apart: [n, 1, 28, 28], [n, 28, 28] and [n, 28, 28, 1] are the same numbers in the same order. */
const apart = (shape: ReadonlyArray<number>): ReadonlyArray<number> => shape.filter((d) => d !== 1);

const same = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((d, k) => d === b[k]);

/** Images have at most so many channels. */
const MOST_CHANNELS = 4;

/** [height, width, channels], as image libraries have it, by the extents: few channels, all of them last. */
const looksChannelsLast = ([height = 0, width = 0, channels = 0, ...more]: ReadonlyArray<number>): boolean =>
  more.length === 0 && channels > 1 && channels <= MOST_CHANNELS && height > MOST_CHANNELS && width > 1;

interface AxesFault {
  /** What is wrong with the axes, behind the shape of the array. */
  readonly found: string;
  readonly hint: string;
}

const TRANSPOSE = 'Give --input-layout nhwc (inputLayout in scripts), which moves the channels to the front.';

/**
 * Why the axes of one sample, of as many elements as the input has, are not those of an input of shape `wanted`;
 * undefined where they are. One axis is taken as it is: that the order of a flat sample is the network's cannot be seen.
 * An input of one axis takes samples of any shape, but not images with their channels last, which networks flatten
 * from [channels, height, width].
 */
const axesFault = (sample: ReadonlyArray<number>, wanted: ReadonlyArray<number>): AxesFault | undefined => {
  if (sample.length <= 1) return undefined;
  if (wanted.length > 1) {
    if (same(apart(sample), apart(wanted))) return undefined;
    const [height, width, channels] = sample;
    return sample.length === 3 && same([channels!, height!, width!], wanted)
      ? { found: 'its channels are last, the network has them first', hint: TRANSPOSE }
      : {
          found: `its axes are not those of the network`,
          hint: 'Order them with numpy.transpose, or give flat samples in the order of the network.',
        };
  }
  return looksChannelsLast(sample)
    ? {
        found: 'its channels seem to be last, and the network takes the image as one row',
        hint: `${TRANSPOSE} Where training flattened [height, width, channels], store the array flat: x.reshape(len(x), -1).`,
      }
    : undefined;
};

/** Advice where samples have another number of elements than the input. */
const countHint = (shape: ReadonlyArray<number>, wanted: ReadonlyArray<number>): string | undefined => {
  const features = elementCount(wanted);
  const last = shape.at(-1) ?? 0;
  const rest = elementCount(shape.slice(0, -1));
  if (shape.length > 1 && rest === features && last !== features) {
    return 'The samples seem to be the last axis: store numpy.moveaxis(x, -1, 0).';
  }
  const whole = rest * last;
  return whole === features ? 'This is one sample: store x[None], which has an axis of samples.' : undefined;
};

/** Whether an array of images has the same extents whichever axis holds the channels. */
export const isAmbiguous = ({ shape }: Pick<NpyArray, 'shape'>, wanted: ReadonlyArray<number>): boolean => {
  const sample = shape.slice(1);
  return (
    sample.length === 3 &&
    wanted.length === 3 &&
    apart(sample).length === 3 &&
    sample[0] === sample[1] &&
    sample[1] === sample[2]
  );
};
