/**
 * Layer and instance norm of accumulators, exactly as numeric/integer-norm.ts says.
 *
 * Sums of squares take 64 bits here: S and Q = sum a^2 give W = E + 64 Q - 16 M S + N M^2, the same integer. The
 * codes need a shift of their own for every channel, which SIMD does not have: t >> s is computed as
 * (t 2^(31-s)) >> 31 in 64 bits, with factor 0 where s > 30. Where s < 1 the code saturates by the sign of t: then d
 * is held to [-1, 1] and P is 2^30, so that t is 0 or far beyond any code.
 */
import { channel } from '../../../ir/constant.js';
import type { TableNormAttrs } from '../../../ir/ops/table-norm.js';
import {
  type Asm,
  addressIn,
  type Expr,
  type Local,
  loadVector,
  plus,
  scaled,
  splatI32,
  storeVector,
} from '../asm.js';
import type { Bound, Kernel, KernelBase } from '../kernel.js';
import { blockOf, roundUp, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';
import { elementRounds, tableLength } from './elementwise/rounds.js';
import { accumulateSample, applyToSample } from './norm-sample.js';
import { accumulateChannels, channelConstants, statisticsOf } from './norm-statistics.js';

export const LANES = 8;

/** Words that the second pass reads for every lane: M, bound of d, P, rounding, factor. */
export const NORM_WORDS = 5;

export interface NormShape {
  readonly over: TableNormAttrs['over'];
  readonly source: Storage;
  readonly channels: number;
  readonly positions: number;
  readonly gainShift: number;
}

/** Blocks: gain, offset by lane, epsilon by channel (i64). Own memory: sums of each channel (S as i32, Q as i64), then tables of constants. */
export const normCodes = (
  base: KernelBase,
  attrs: TableNormAttrs,
  source: Storage,
  result: Storage,
): Kernel => {
  const shape: NormShape = {
    over: attrs.over,
    source,
    channels: base.channels,
    positions: base.length / base.channels,
    gainShift: attrs.gainShift,
  };
  const entries = tableLength(base, LANES);
  const lanes = Math.max(entries, base.channels);
  const byLane = (of: (c: number) => number): Int32Array =>
    Int32Array.from({ length: lanes }, (_, k) => of(k % base.channels));
  return {
    ...base,
    result,
    reach: roundUp(base.length, LANES) + 8,
    scratch: sumsBytes(base.channels) + NORM_WORDS * 4 * lanes,
    blocks: [
      blockOf(byLane((c) => channel(attrs.gain, c))),
      blockOf(byLane((c) => channel(attrs.offset, c))),
      blockOf(words64(base.channels, (c) => channel(attrs.epsilon, c))),
    ],
    emit: (asm, bound) => {
      const { m } = asm;
      const constants = bound.scratch + sumsBytes(base.channels);
      const codes = { source, result, top: attrs.quantizer.levels - 1 };
      const statistics = statisticsOf(asm, bound, shape);
      const general = [
        ...channelConstants(asm, bound, shape, statistics, constants, lanes),
        ...apply(asm, bound, base, constants, lanes, codes),
      ];
      if (attrs.over === 'channel') return [...accumulateChannels(asm, bound, shape), ...general];
      const shift = asm.i32();
      const usual = m.i32.lt_u(m.i32.sub(shift.get(), m.i32.const(1)), m.i32.const(30));
      return [
        ...accumulateSample(asm, bound, shape),
        ...statistics.code(() => m.i32.const(0)),
        shift.set(m.i32.add(statistics.exponent.get(), m.i32.const(attrs.gainShift + 14))),
        m.if(
          usual,
          m.block(null, [...applyToSample(asm, bound, base, statistics, shift, codes)]),
          m.block(null, general),
        ),
      ];
    },
    summary: { op: 'table.norm', form: `over each ${attrs.over}`, inputs: base.length, outputs: base.length },
  };
};

/** Non-negative integers below 2^53 as pairs of words, the low one first. */
const words64 = (count: number, value: (k: number) => number): Uint32Array =>
  Uint32Array.from({ length: 2 * count }, (_, k) => {
    const whole = value(Math.floor(k / 2));
    return k % 2 === 0 ? whole % 2 ** 32 : Math.floor(whole / 2 ** 32);
  });

/** Sums of a channel take 16 bytes: Q, then S. Vectors of four channels are written whole. */
const sumsBytes = (channels: number): number => 16 * roundUp(channels, 4);

export interface NormCodes {
  readonly source: Storage;
  readonly result: Storage;
  readonly top: number;
}

/** Writes eight codes. */
export const storeCodes = (
  asm: Asm,
  bound: Bound,
  { result }: NormCodes,
  index: () => Expr,
  four: readonly [Local, Local],
): Expr => {
  const { m } = asm;
  const eight = (): Expr => m.i16x8.narrow_i32x4_u(four[0].get(), four[1].get());
  const target = { pointer: () => scaled(m, index(), storageBytes(result)), offset: bound.target };
  return result === 'u8'
    ? m.v128.store64_lane(target.offset, 1, 0, target.pointer(), m.i8x16.narrow_i16x8_u(eight(), eight()))
    : storeVector(asm, target, eight());
};

const apply = (
  asm: Asm,
  bound: Bound,
  base: KernelBase,
  constants: number,
  lanes: number,
  codes: NormCodes,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const [t, factor] = [asm.v128(), asm.v128()];
  const four = [asm.v128(), asm.v128()] as const;
  return elementRounds(asm, base, LANES, (index, at) => {
    const lane = (): Expr => scaled(m, at(), 4);
    const word = (k: number, half: number): Expr =>
      loadVector(asm, { pointer: lane, offset: constants + 4 * lanes * k + 16 * half });
    const from = addressIn(asm, bound.source, () => scaled(m, index(), storageBytes(codes.source)));
    const half = (h: 0 | 1): ReadonlyArray<Expr> => {
      const a = loadAccumulators(asm, codes.source, plus(from, 4 * h * storageBytes(codes.source)));
      const d = m.i32x4.sub(m.i32x4.shl(a, m.i32.const(3)), word(0, h));
      const held = m.i32x4.max_s(m.i32x4.min_s(d, word(1, h)), m.i32x4.neg(word(1, h)));
      const offset = loadVector(asm, { pointer: lane, offset: bound.blocks[1]! + 16 * h });
      const high = (product: Expr): Expr => m.i64x2.shr_s(product, m.i32.const(31));
      const shifted = m.i8x16.shuffle(
        high(m.i64x2.extmul_low_i32x4_s(t.get(), factor.get())),
        high(m.i64x2.extmul_high_i32x4_s(t.get(), factor.get())),
        LOW_WORDS,
      );
      const code = m.i32x4.add(shifted, offset);
      return [
        t.set(m.i32x4.add(m.i32x4.mul(held, word(2, h)), word(3, h))),
        factor.set(word(4, h)),
        four[h].set(m.i32x4.min_s(m.i32x4.max_s(code, splatI32(asm, 0)), splatI32(asm, codes.top))),
      ];
    };
    return [...half(0), ...half(1), storeCodes(asm, bound, codes, index, four)];
  });
};

/** The low words of four products of 64 bits. */
const LOW_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
