/** What all table layers share: accumulators with a bias, a scale, a width and a proven range. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { HOLDS, type Rule } from '../../diagnostics/index.js';
import type { Interval } from '../../numeric/ranges.js';
import { constantOf, integer, perChannelOf } from '../codec.js';
import { type Constant, firstUnfit, type PerChannel } from '../constant.js';
import { int, maxOf, minOf } from '../element.js';
import { type ValueType, valueType } from '../types.js';
import { type Window, windowShape } from '../window.js';
import { fitChannels } from './affine.js';

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
