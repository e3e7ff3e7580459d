/**
 * Which rows of a layer are looked at: a sample of a layer on features, a place of the window on a sample of a layer over
 * windows. Of the latter there are far more than a fit needs, so some are taken, spread over samples and places.
 */
import { innerOf, type ValueType } from '../../ir/types.js';
import { tapsOf, type Window, windowOutput } from '../../ir/window.js';

/** Rows in the order of samples. */
export interface Rows {
  readonly samples: Uint32Array;
  /** The place, row-major; 0 for layers on features. */
  readonly places: Uint32Array;
}

/** Successive multiples of the golden ratio, modulo 1, fall evenly into [0, 1) however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** `most` rows of a layer with outputs of `type`, or all where there are fewer. */
export const chooseRows = (type: Pick<ValueType, 'shape'>, samples: number, most: number): Rows => {
  const places = innerOf(type);
  const all = samples * places;
  const count = Math.min(all, most);
  const rows = { samples: new Uint32Array(count), places: new Uint32Array(count) };
  for (let r = 0; r < count; r++) {
    rows.samples[r] = count === all ? Math.floor(r / places) : Math.floor((r * samples) / count);
    rows.places[r] = count === all ? r % places : Math.floor((((r + 1) * GOLDEN) % 1) * places);
  }
  return rows;
};

/** [rows, channels] from values [samples, channels, places]. */
export const takeRows = (
  values: ArrayLike<number>,
  { shape }: Pick<ValueType, 'shape'>,
  { samples, places }: Rows,
): Float32Array => {
  const [channels, inner] = [shape[0]!, innerOf({ shape })];
  const result = new Float32Array(samples.length * channels);
  for (let r = 0; r < samples.length; r++) {
    const from = samples[r]! * channels * inner + places[r]!;
    for (let c = 0; c < channels; c++) result[r * channels + c] = values[from + c * inner]!;
  }
  return result;
};

/**
 * [rows, taps]: the codes that the layer reads there, those of one group of a window; in the padding the code is
 * `levels`. `codes` is [samples, features] or [samples, channels, height, width].
 */
export const takeCodes = (
  codes: ArrayLike<number>,
  shape: ReadonlyArray<number>,
  { samples, places }: Rows,
  levels: number,
  window: Window | undefined,
  group: number,
): Uint16Array => {
  if (window === undefined) {
    const inputs = shape[0]!;
    const result = new Uint16Array(samples.length * inputs);
    for (let r = 0; r < samples.length; r++) {
      for (let i = 0; i < inputs; i++) result[r * inputs + i] = codes[samples[r]! * inputs + i]!;
    }
    return result;
  }
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const taps = tapsOf(window, channels);
  const [kernelHeight, kernelWidth] = window.kernel;
  const columns = windowOutput(window, height, width)?.[1] ?? 1;
  const result = new Uint16Array(samples.length * taps);
  let at = 0;
  for (let r = 0; r < samples.length; r++) {
    const top = Math.floor(places[r]! / columns) * window.stride[0] - window.padding[0];
    const left = (places[r]! % columns) * window.stride[1] - window.padding[1];
    const first = samples[r]! * channels + (group * channels) / window.groups;
    for (let c = 0; c < channels / window.groups; c++) {
      for (let ky = 0; ky < kernelHeight; ky++) {
        for (let kx = 0; kx < kernelWidth; kx++) {
          const y = top + ky * window.dilation[0];
          const x = left + kx * window.dilation[1];
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          result[at++] = inside ? codes[((first + c) * height + y) * width + x]! : levels;
        }
      }
    }
  }
  return result;
};
