/** Random constants and quantizers. */
import {
  allocate,
  type Constant,
  constant,
  type ElementType,
  elementCount,
  F32,
  maxOf,
  minOf,
  type PerChannel,
  type Quantizer,
} from '../../src/ir/index.js';
import type { Random } from './random.js';

/** A constant whose elements `next` makes. */
export const constantBy = (
  element: ElementType,
  shape: ReadonlyArray<number>,
  next: (index: number) => number,
): Constant => {
  const data = allocate(element, elementCount(shape));
  for (let i = 0; i < data.length; i++) data[i] = next(i);
  return constant(element, shape, data);
};

export const floats = (r: Random, shape: ReadonlyArray<number>): Constant => constantBy(F32, shape, r.float);

/** Integers of all the range of the type, or of [lo, hi]. */
export const integers = (
  r: Random,
  element: ElementType,
  shape: ReadonlyArray<number>,
  lo = minOf(element),
  hi = maxOf(element),
): Constant => constantBy(element, shape, () => r.whole(lo, hi));

/** One number, or one for each channel. */
export const anyPerChannel = (r: Random, channels: number, next: () => number): PerChannel =>
  r.chance(0.5) ? next() : constantBy(F32, [channels], next);

export const anyScale = (r: Random, channels: number): PerChannel =>
  anyPerChannel(r, channels, () => Math.fround(2 ** -r.whole(0, 12) * (1 + r.unit())));

/** Rows of ascending f32, with repetitions and, now and then, infinities at the ends. */
export const ascendingRows = (r: Random, rows: number, width: number, infinite: boolean): Constant => {
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const values = Float32Array.from({ length: width }, () => r.float()).sort();
    for (let k = 1; k < width; k++) if (r.chance(0.1)) values[k] = values[k - 1]!;
    if (infinite && r.chance(0.3)) values[width - 1] = Number.POSITIVE_INFINITY;
    if (infinite && r.chance(0.2)) values[0] = Number.NEGATIVE_INFINITY;
    data.set(values.sort(), row * width);
  }
  return constant(F32, [rows, width], data);
};

export const anyQuantizer = (r: Random, features: number, bits: number): Quantizer => {
  const levels = r.chance(0.6) ? 2 ** bits : r.whole(2, 2 ** bits);
  if (r.chance(0.6)) {
    return {
      _tag: 'uniform',
      lo: anyPerChannel(r, features, () => Math.fround((r.unit() - 0.5) * 8)),
      step: anyPerChannel(r, features, () => Math.fround(2 ** -r.whole(0, 10) * (1 + r.unit()))),
      levels,
    };
  }
  const rows = r.pick([1, features]);
  return {
    _tag: 'thresholds',
    thresholds: ascendingRows(r, rows, levels - 1, true),
    values: floats(r, [r.pick([1, features]), levels]),
    levels,
  };
};
