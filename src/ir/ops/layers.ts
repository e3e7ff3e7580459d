/**
 * What layers of every level share: how results are stored and how edges are counted; and those of tables: accumulators
 * with a bias, a scale, a width and a proven range, and what may be known of their codes.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { HOLDS, type Rule } from '../../diagnostics/index.js';
import type { Interval } from '../../numeric/ranges.js';
import { constantOf, integer, perChannelOf } from '../codec.js';
import { type Constant, firstUnfit, type PerChannel } from '../constant.js';
import { int, maxOf, minOf, type TypedArray } from '../element.js';
import { channelsOf, innerOf, sizeOf, type ValueType, valueType } from '../types.js';
import { tapsOf, type Window, windowShape } from '../window.js';
import { fitChannels } from './affine.js';

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

/**
 * What table layers may know about their codes: the code that an input most often has, where calibration found one
 * that is frequent (the background of images). It changes no result. A backend may compute what inputs add at these
 * codes beforehand, and look up only those that have another code.
 */
export interface Frequent {
  /** uint[I]: the frequent code of each input; the number of levels where it has none. */
  readonly frequent?: Constant;
}

export const FREQUENT = { frequent: constantOf('uint', 1) };

/** Whether the attribute fits a layer with `inputs` inputs. */
export const frequentFits = (a: Frequent & { readonly window?: Window }, inputs: number): Rule<void> => {
  if (a.frequent === undefined) return HOLDS;
  if (a.window !== undefined) return E.left('frequent codes are for layers without windows');
  return a.frequent.shape[0] === inputs ? HOLDS : E.left(`frequent must be [${inputs}]`);
};

/** Whether frequent codes are some. */
export const frequentWithin = (a: Frequent, levels: number): Rule<void> => {
  const wrong = a.frequent?.data.find((code: number) => code > levels);
  return wrong === undefined ? HOLDS : E.left(`frequent code ${wrong} of ${levels} levels`);
};

/** What table layers have: the bias in accumulator units, what an accumulator means, its width and range. */
export interface Accumulation {
  /** i32[O], where the accumulators start; absent means 0. */
  readonly bias?: Constant;
  readonly scale: PerChannel;
  /** Bits of the accumulator: 8, 16 or 32. */
  readonly acc: number;
  /** Proven bounds of every partial sum. */
  readonly lo: number;
  readonly hi: number;
}

const Int32 = integer(-(2 ** 31), 2 ** 31 - 1);

export const ACCUMULATION = {
  required: { scale: perChannelOf('f32'), acc: integer(8, 32), lo: Int32, hi: Int32 },
  optional: { bias: constantOf('int', 1) },
};

/** The type rule that table layers share: accumulators of `outputs` channels of one element. */
export const accumulatorType = (a: Accumulation, outputs: number): Rule<ValueType> => {
  if (a.acc !== 8 && a.acc !== 16 && a.acc !== 32) return E.left(`acc must be 8, 16 or 32, found ${a.acc}`);
  if (a.lo > 0 || a.hi < 0) return E.left(`range [${a.lo}, ${a.hi}] does not hold 0`);
  if (a.bias !== undefined && a.bias.shape[0] !== outputs) {
    return E.left(`bias has ${a.bias.shape[0]} elements for ${outputs} outputs`);
  }
  const fits = fitChannels({ scale: a.scale }, outputs);
  if (E.isLeft(fits)) return fits;
  return E.right(valueType(int(a.acc), [outputs], { _tag: 'scaled', scale: a.scale, lo: a.lo, hi: a.hi }));
};

/** The type rule of the result of a layer on a value of a shape; `width` outputs, those of a group over windows. */
export const tableResult = (
  a: Accumulation & { readonly window?: Window },
  shape: ReadonlyArray<number>,
  width: number,
): Rule<ValueType> => {
  const outputs = width * (a.window?.groups ?? 1);
  const acc = accumulatorType(a, outputs);
  if (E.isLeft(acc) || a.window === undefined) return acc;
  return pipe(
    windowShape(a.window, shape, outputs),
    E.map((result) => valueType(acc.right.element, result, acc.right.meaning)),
  );
};

/** Whether all entries of tables are within their bits. */
export const entriesFit = (tables: ReadonlyArray<Constant>): Rule<void> =>
  tables.some((c) => firstUnfit(c) >= 0) ? E.left('a table entry does not fit its bits') : HOLDS;

/** Checks that a declared range holds what was computed, and fits the accumulator. */
export const checkRange = (a: Accumulation, proven: Interval): Rule<void> => {
  if (proven.lo < a.lo || proven.hi > a.hi) {
    return E.left(`partial sums reach [${proven.lo}, ${proven.hi}], outside the declared [${a.lo}, ${a.hi}]`);
  }
  const e = int(a.acc);
  return a.lo < minOf(e) || a.hi > maxOf(e)
    ? E.left(`the range [${a.lo}, ${a.hi}] does not fit i${a.acc}`)
    : HOLDS;
};
