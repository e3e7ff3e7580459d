/** What layers of every level share: how results are stored and how edges are counted. */
import type { TypedArray } from '../element.js';
import { channelsOf, innerOf, sizeOf, type ValueType } from '../types.js';
import { tapsOf, type Window } from '../window.js';

/** From [position, channel] to the row-major [channel, position] of values. */
export const storeChannelsFirst = (
  acc: ArrayLike<number>,
  type: Pick<ValueType, 'shape'>,
  to: TypedArray,
  at: number,
): void => {
  const channels = channelsOf(type);
  const inner = innerOf(type);
  for (let p = 0; p < inner; p++) {
    for (let o = 0; o < channels; o++) to[at + o * inner + p] = acc[p * channels + o]!;
  }
};

/** Inputs of a layer on a value: its features, or the taps of all channels of a window. */
export const layerInputs = (shape: ReadonlyArray<number>, window: Window | undefined): number =>
  window === undefined ? shape[0]! : shape[0]! * window.kernel[0] * window.kernel[1];

/** Edge evaluations for one sample: inputs times outputs, at every window (padded taps counted). */
export const edgesOf = (x: ValueType, type: ValueType, window: Window | undefined): number =>
  window === undefined ? x.shape[0]! * type.shape[0]! : tapsOf(window, x.shape[0]!) * sizeOf(type);
