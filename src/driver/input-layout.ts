/** The order of the axes in data of images: networks take [samples, channels, height, width]. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy/index.js';

export const INPUT_LAYOUTS = ['nchw', 'nhwc'] as const;

/** nchw: as networks have it; nhwc: channels last, as PIL, OpenCV and Keras have it. */
export type InputLayout = (typeof INPUT_LAYOUTS)[number];

/** [n, h, w, c] as [n, c, h, w]. */
const channelsFirst = ({ dtype, data, shape }: NpyArray): NpyArray => {
  const [n = 0, h = 0, w = 0, c = 0] = shape;
  const pixels = h * w;
  const moved = data.slice();
  for (let sample = 0, at = 0; sample < n; sample++) {
    for (let k = 0; k < c; k++) {
      for (let p = 0; p < pixels; p++) moved[at++] = data[(sample * pixels + p) * c + k]!;
    }
  }
  return { dtype, shape: [n, c, h, w], data: moved };
};

/**
 * The array with its axes in the order of networks. Images of one channel, [n, h, w], have no axis to move. Fails with
 * K0703 where an array of another number of axes is to have its channels last.
 */
export const inLayout =
  (layout: InputLayout) =>
  (array: NpyArray): Checked<NpyArray> => {
    if (layout === 'nchw' || array.shape.length === 3) return E.right(array);
    if (array.shape.length === 4) return E.right(channelsFirst(array));
    return fail('K0703', `the array has shape [${array.shape.join(', ')}], which has no axis of channels`, {
      expected: 'an array of shape [samples, height, width, channels], as --input-layout nhwc says',
      hint:
        array.shape.length === 2
          ? 'Flat images: store x.reshape(len(x), height, width, channels), with their own height, width and channels; leave the option out where they were flattened from [channels, height, width].'
          : 'Store it in that shape, or leave the option out.',
    });
  };
