/**
 * Whether the axes of data are those of an input. As many elements are not enough: an image whose channels come last has
 * as many as the network wants, in another order.
 */

import type { NpyArray } from '../importers/containers/npy.js';
import { elementCount } from '../ir/constant.js';

/** Axes of length 1 hold nothing apart: [n, 1, 28, 28], [n, 28, 28] and [n, 28, 28, 1] are the same numbers in the same order. */
const apart = (shape: ReadonlyArray<number>): ReadonlyArray<number> => shape.filter((d) => d !== 1);

const same = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((d, k) => d === b[k]);

/** Images have at most so many channels. */
const MOST_CHANNELS = 4;

/** [height, width, channels], as image libraries have it, by the extents: few channels, all of them last. */
const looksChannelsLast = ([height = 0, width = 0, channels = 0, ...more]: ReadonlyArray<number>): boolean =>
  more.length === 0 && channels > 1 && channels <= MOST_CHANNELS && height > MOST_CHANNELS && width > 1;

export interface AxesFault {
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
export const axesFault = (
  sample: ReadonlyArray<number>,
  wanted: ReadonlyArray<number>,
): AxesFault | undefined => {
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
export const countHint = (
  shape: ReadonlyArray<number>,
  wanted: ReadonlyArray<number>,
): string | undefined => {
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
