/**
 * Quantizers: what an unsigned code means.
 *
 * A quantizer with L levels is *defined* by L - 1 ascending f32 thresholds: code(x) is how many of them are
 * <= x, and NaN has code 0. `Uniform` is a threshold list with a closed form (see numeric/uniform.ts), and
 * `Thresholds` names the list itself.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { HOLDS, type Rule } from '../diagnostics/index.js';
import { thresholdCode, thresholdsOf, uniformCode, uniformForm } from '../numeric/uniform.js';
import { constantOf, integer, perChannelOf, record } from './codec.js';
import {
  type Constant,
  channel,
  f32Data,
  type PerChannel,
  pickChannels,
  pickRows,
  sameConstant,
} from './constant.js';

/** Code c stands for lo + c * step; `lo` and `step` are f32 values, one for all features or one for each. */
export interface Uniform {
  readonly _tag: 'uniform';
  readonly lo: PerChannel;
  readonly step: PerChannel;
  readonly levels: number;
}

/** thresholds: f32[R, levels - 1] and values: f32[R, levels], R = 1 (all features alike) or the feature count. */
export interface Thresholds {
  readonly _tag: 'thresholds';
  readonly thresholds: Constant;
  readonly values: Constant;
  readonly levels: number;
}

export type Quantizer = Uniform | Thresholds;

const Levels = integer(2, 65536);

export const QuantizerCodec: t.Type<Quantizer, unknown, unknown> = t.union([
  record(
    { _tag: t.literal('uniform'), lo: perChannelOf('f32'), step: perChannelOf('f32'), levels: Levels },
    {},
  ),
  record(
    {
      _tag: t.literal('thresholds'),
      thresholds: constantOf('f32', 2),
      values: constantOf('f32', 2),
      levels: Levels,
    },
    {},
  ),
]);

/**
 * What an accumulator means: value = integer * scale, one scale for all outputs or one for each; and the
 * interval [lo, hi] that is proven to hold it and every partial sum on the way.
 */
export interface Scaled {
  readonly _tag: 'scaled';
  readonly scale: PerChannel;
  readonly lo: number;
  readonly hi: number;
}

const Int32 = integer(-(2 ** 31), 2 ** 31 - 1);

export const ScaledCodec: t.Type<Scaled, unknown, unknown> = record(
  { _tag: t.literal('scaled'), scale: perChannelOf('f32'), lo: Int32, hi: Int32 },
  {},
);

export const MeaningCodec: t.Type<Quantizer | Scaled, unknown, unknown> = t.union([
  QuantizerCodec,
  ScaledCodec,
]);

const samePerChannel = (a: PerChannel, b: PerChannel): boolean =>
  typeof a === 'number' || typeof b === 'number' ? Object.is(a, b) : sameConstant(a, b);

export const sameMeaning = (
  a: Quantizer | Scaled | undefined,
  b: Quantizer | Scaled | undefined,
): boolean => {
  if (a === undefined || b === undefined) return a === b;
  if (a._tag === 'uniform' && b._tag === 'uniform') {
    return a.levels === b.levels && samePerChannel(a.lo, b.lo) && samePerChannel(a.step, b.step);
  }
  if (a._tag === 'thresholds' && b._tag === 'thresholds') {
    return (
      a.levels === b.levels && sameConstant(a.thresholds, b.thresholds) && sameConstant(a.values, b.values)
    );
  }
  return (
    a._tag === 'scaled' &&
    b._tag === 'scaled' &&
    a.lo === b.lo &&
    a.hi === b.hi &&
    samePerChannel(a.scale, b.scale)
  );
};

/** The code function of one feature: from an f32 to 0..levels-1. */
export const coderOf = (q: Quantizer, feature: number): ((x: number) => number) => {
  if (q._tag === 'uniform') {
    const form = uniformForm(channel(q.lo, feature), channel(q.step, feature), q.levels);
    return (x) => uniformCode(form, x);
  }
  const thresholds = f32Data(q.thresholds);
  const count = q.levels - 1;
  const offset = q.thresholds.shape[0] === 1 ? 0 : feature * count;
  return (x) => thresholdCode(thresholds, offset, count, x);
};

/** What code c of a feature stands for, as an f32. */
export const decodeValue = (q: Quantizer, feature: number, code: number): number => {
  if (q._tag === 'uniform') return Math.fround(channel(q.lo, feature) + code * channel(q.step, feature));
  return q.values.data[(q.values.shape[0] === 1 ? 0 : feature * q.levels) + code]!;
};

/** Whether all features share one code function. */
export const isShared = (q: Quantizer): boolean =>
  q._tag === 'uniform'
    ? typeof q.lo === 'number' && typeof q.step === 'number'
    : q.thresholds.shape[0] === 1 && q.values.shape[0] === 1;

/** The levels - 1 thresholds of one feature: the definition of the quantizer. */
export const thresholdList = (q: Quantizer, feature: number): Float32Array => {
  if (q._tag === 'uniform') return thresholdsOf(coderOf(q, feature), q.levels);
  const count = q.levels - 1;
  const offset = q.thresholds.shape[0] === 1 ? 0 : feature * count;
  return f32Data(q.thresholds).subarray(offset, offset + count);
};

/** The meaning of a value of which only some features are kept. */
export const pickMeaning = (
  m: Quantizer | Scaled | undefined,
  indices: ArrayLike<number>,
): Quantizer | Scaled | undefined => {
  if (m === undefined) return undefined;
  return m._tag === 'scaled' ? { ...m, scale: pickChannels(m.scale, indices) } : pickQuantizer(m, indices);
};

export const pickQuantizer = (q: Quantizer, indices: ArrayLike<number>): Quantizer =>
  q._tag === 'uniform'
    ? { ...q, lo: pickChannels(q.lo, indices), step: pickChannels(q.step, indices) }
    : { ...q, thresholds: pickRows(q.thresholds, indices), values: pickRows(q.values, indices) };

/** Whether a quantizer fits a value of `features` features. */
export const quantizerFault = (q: Quantizer, features: number, bits: number): Rule<void> => {
  if (q.levels > 2 ** bits) return E.left(`${q.levels} levels do not fit ${bits} bits`);
  if (q._tag === 'uniform') {
    for (const [name, p] of [
      ['lo', q.lo],
      ['step', q.step],
    ] as const) {
      if (typeof p !== 'number' && p.shape[0] !== features) {
        return E.left(`${name} has ${p.shape[0]} elements for ${features} features`);
      }
    }
    for (let f = 0; f < features; f++) {
      const step = channel(q.step, f);
      if (!(step > 0)) return E.left(`step must be positive, found ${step}`);
      const { edge, inverse } = uniformForm(channel(q.lo, f), step, q.levels);
      if (!Number.isFinite(edge) || !Number.isFinite(inverse) || inverse === 0) {
        return E.left(`step ${step} is outside what f32 arithmetic can represent`);
      }
      if (typeof q.lo === 'number' && typeof q.step === 'number') break;
    }
    return HOLDS;
  }
  const [rows, count] = q.thresholds.shape;
  if ((rows !== 1 && rows !== features) || count !== q.levels - 1) {
    return E.left(
      `thresholds are [${q.thresholds.shape.join(', ')}], expected [1 or ${features}, ${q.levels - 1}]`,
    );
  }
  const [valueRows, valueCount] = q.values.shape;
  if ((valueRows !== 1 && valueRows !== features) || valueCount !== q.levels) {
    return E.left(`values are [${q.values.shape.join(', ')}], expected [1 or ${features}, ${q.levels}]`);
  }
  const { data } = q.thresholds;
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]!) || (i % (q.levels - 1) !== 0 && data[i]! < data[i - 1]!)) {
      return E.left('thresholds must ascend');
    }
  }
  return HOLDS;
};
