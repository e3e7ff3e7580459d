/** The statistics of a norm in WASM: sums of each group, and from them what the second pass reads for each channel. */
import { type Asm, addressIn, type Expr, fixed, type Local, repeat, rounds, scaled } from '../../asm.js';
import { storageBytes } from '../../storage.js';
import { loadAccumulators } from '../accumulators.js';
import { NORM_WORDS, type NormBound, type NormShape } from './shape.js';

/** Running sums of four lanes: S, and Q in two halves. */
export const sumsOf = (asm: Asm) => {
  const { m } = asm;
  const [value, sum, low, high] = [asm.v128(), asm.v128(), asm.v128(), asm.v128()];
  return {
    sum,
    low,
    high,
    clear: () => [sum, low, high].map((local) => local.set(m.i32x4.splat(m.i32.const(0)))),
    add: (loaded: Expr): ReadonlyArray<Expr> => [
      value.set(loaded),
      sum.set(m.i32x4.add(sum.get(), value.get())),
      low.set(m.i64x2.add(low.get(), m.i64x2.extmul_low_i32x4_s(value.get(), value.get()))),
      high.set(m.i64x2.add(high.get(), m.i64x2.extmul_high_i32x4_s(value.get(), value.get()))),
    ],
  };
};

/** binaryen's types take lane numbers as expressions, its functions as numbers. */
export const lane = (asm: Asm, of: 'i32x4' | 'i64x2', vector: Local, index: number): Expr =>
  asm.m[of].extract_lane(vector.get(), index);

/** Q and S of four channels at a time, in the kernel's own memory. */
export const accumulateChannels = (asm: Asm, bound: NormBound, shape: NormShape): ReadonlyArray<Expr> => {
  const { m } = asm;
  const sums = sumsOf(asm);
  const at = asm.i32();
  const bytes = storageBytes(shape.source);
  const pixel = shape.channels * bytes;
  const source = addressIn(asm, bound.source, at.get);
  return rounds(asm, Math.ceil(shape.channels / 4), 4, (c) => [
    ...sums.clear(),
    at.set(scaled(m, c(), bytes)),
    ...rounds(asm, shape.positions, 1, () => [
      ...sums.add(loadAccumulators(asm, shape.source, source)),
      at.set(m.i32.add(at.get(), m.i32.const(pixel))),
    ]),
    ...[0, 1, 2, 3].flatMap((k) => {
      const pointer = (): Expr => scaled(m, c(), 16);
      const squares = lane(asm, 'i64x2', k < 2 ? sums.low : sums.high, k % 2);
      return [
        m.i64.store(bound.scratch + 16 * k, 8, pointer(), squares),
        m.i32.store(bound.scratch + 16 * k + 8, 4, pointer(), lane(asm, 'i32x4', sums.sum, k)),
      ];
    }),
  ]);
};

/**
 * Tables of `NORM_WORDS` words at `constants`, `lanes` entries each: computed for every channel, from its sums or from the
 * statistics of the sample, then repeated.
 */
export const channelConstants = (
  asm: Asm,
  bound: NormBound,
  shape: NormShape,
  statistics: Statistics,
  constants: number,
  lanes: number,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const words = constantsOf(asm, bound, shape, statistics, constants, lanes);
  const at = asm.i32();
  const end = constants + 4 * lanes;
  return [
    ...rounds(asm, shape.channels, 1, (c) => [
      ...(shape.over === 'sample' ? [] : statistics.code(() => scaled(m, c(), 16))),
      ...words(() => scaled(m, c(), 4)),
    ]),
    ...(lanes === shape.channels
      ? []
      : [
          at.set(m.i32.const(constants + 4 * shape.channels)),
          repeat(
            asm,
            at,
            4,
            () => m.i32.const(end),
            Array.from({ length: NORM_WORDS }, (_, w) => {
              const from = m.i32.sub(at.get(), m.i32.const(4 * shape.channels));
              return m.i32.store(4 * lanes * w, 4, at.get(), m.i32.load(4 * lanes * w, 4, from));
            }),
          ),
        ]),
  ];
};

export interface Statistics {
  readonly mean: Local;
  readonly reciprocal: Local;
  readonly exponent: Local;
  /** Computes them from the sums at an offset of the kernel's own memory. */
  readonly code: (offset: () => Expr) => ReadonlyArray<Expr>;
}

export const statisticsOf = (asm: Asm, bound: NormBound, shape: NormShape): Statistics => {
  const { m } = asm;
  const count = shape.over === 'sample' ? shape.channels * shape.positions : shape.positions;
  const [sum, mean, reciprocal, exponent, k, v, c] = [
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
  ];
  const w = asm.i64();
  const n = (): Expr => m.i32.const(count);
  const wide = (local: Local): Expr => m.i64.extend_s(local.get());
  const code = (offset: () => Expr): ReadonlyArray<Expr> => {
    const squares = m.i64.load(bound.scratch, 8, offset());
    const eighths = m.i32.add(m.i32.shl(sum.get(), m.i32.const(3)), m.i32.const(Math.floor(count / 2)));
    // |M| <= 2^14, so that 2^15 N more make the dividend positive and keep it below 2^32: it is divided unsigned.
    const positive = m.i32.add(eighths, m.i32.const((2 ** 15 * count) | 0));
    const cross = m.i64.mul(m.i64.mul(wide(mean), wide(sum)), m.i64.const(16n));
    const bias = m.i64.mul(m.i64.mul(wide(mean), wide(mean)), m.i64.const(BigInt(count)));
    const scaledDown = m.i64.shr_u(w.get(), m.i64.extend_s(k.get()));
    const scaledUp = m.i64.shl(w.get(), m.i64.extend_s(m.i32.sub(m.i32.const(0), k.get())));
    const isNegative = (local: Local): Expr => m.i32.lt_s(local.get(), m.i32.const(0));
    const normalised = m.select(
      isNegative(c),
      m.i32.shr_u(v.get(), m.i32.sub(m.i32.const(0), c.get())),
      m.i32.shl(v.get(), c.get()),
    );
    // A square root of doubles is correctly rounded, and that of an integer below 2^53 cannot round up to a whole
    // number that it does not reach: truncated, it is the integer square root.
    const root = m.i32.trunc_s_sat.f64(m.f64.sqrt(m.f64.convert_u.i32(normalised)));
    return [
      sum.set(m.i32.load(bound.scratch + 8, 4, offset())),
      mean.set(m.i32.sub(m.i32.div_u(positive, n()), m.i32.const(2 ** 15))),
      w.set(
        m.i64.add(
          // Sums take 16 bytes a channel, epsilons 8.
          m.i64.load(bound.blocks.epsilon, 8, m.i32.shr_u(offset(), m.i32.const(1))),
          m.i64.add(m.i64.sub(m.i64.mul(squares, m.i64.const(64n)), cross), bias),
        ),
      ),
      k.set(m.i32.sub(m.i32.const(34), m.i32.wrap(m.i64.clz(w.get())))),
      v.set(m.i32.div_u(m.i32.wrap(m.select(isNegative(k), scaledUp, scaledDown)), n())),
      c.set(m.i32.sub(m.i32.clz(v.get()), m.i32.const(2))),
      c.set(m.i32.sub(c.get(), m.i32.and(m.i32.sub(k.get(), c.get()), m.i32.const(1)))),
      reciprocal.set(m.i32.div_u(m.i32.const(2 ** 30), root)),
      exponent.set(m.i32.shr_s(m.i32.sub(k.get(), c.get()), m.i32.const(1))),
    ];
  };
  return { mean, reciprocal, exponent, code };
};

/** M, the bound of d, P, rounding and factor of a channel: see norm.ts. */
const constantsOf = (
  asm: Asm,
  bound: NormBound,
  shape: NormShape,
  { mean, reciprocal, exponent }: Statistics,
  constants: number,
  lanes: number,
) => {
  const { m } = asm;
  const [gain, factor, s] = [asm.i32(), asm.i32(), asm.i32()];
  const gains = addressIn(asm, fixed(bound.blocks.gain));
  return (lane: () => Expr): ReadonlyArray<Expr> => {
    const put = (word: number, value: Expr): Expr =>
      m.i32.store(constants + 4 * lanes * word, 4, lane(), value);
    const negative = (): Expr => m.i32.shr_s(gain.get(), m.i32.const(31));
    // (x ^ sign) - sign is -x where the sign is -1.
    const signed = (x: Expr): Expr => m.i32.sub(m.i32.xor(x, negative()), negative());
    const magnitude = m.i32.shr_u(
      m.i32.add(m.i32.mul(reciprocal.get(), signed(gain.get())), m.i32.const(2 ** 15)),
      m.i32.const(16),
    );
    const saturates = (): Expr => m.i32.lt_s(s.get(), m.i32.const(1));
    const vanishes = (): Expr => m.i32.gt_s(s.get(), m.i32.const(30));
    const regular = (value: Expr, saturated: number): Expr =>
      m.select(saturates(), m.i32.const(saturated), m.select(vanishes(), m.i32.const(0), value));
    const power = (exponent: Expr): Expr => m.i32.shl(m.i32.const(1), exponent);
    return [
      gain.set(m.i32.load(gains.offset, 4, lane())),
      s.set(m.i32.add(exponent.get(), m.i32.const(shape.gainShift + 14))),
      factor.set(magnitude),
      put(0, mean.get()),
      put(1, m.select(saturates(), m.i32.const(1), m.i32.const(2 ** 17))),
      put(
        2,
        signed(
          m.select(saturates(), m.select(factor.get(), m.i32.const(2 ** 30), m.i32.const(0)), factor.get()),
        ),
      ),
      put(3, regular(power(m.i32.sub(s.get(), m.i32.const(1))), 0)),
      put(4, regular(power(m.i32.sub(m.i32.const(31), s.get())), 2 ** 31 - 1)),
    ];
  };
};
