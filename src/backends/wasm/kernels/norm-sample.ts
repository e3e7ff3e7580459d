/** A norm over the whole sample in WASM: its sums, and codes where one shift serves all channels. */
import {
  type Asm,
  addressIn,
  type Expr,
  type Local,
  loadVector,
  plus,
  rounds,
  scaled,
  splatI32,
} from '../asm.js';
import type { Bound, KernelBase } from '../kernel.js';
import { storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';
import { elementRounds } from './elementwise/rounds.js';
import { LANES, type NormCodes, type NormShape, storeCodes } from './norm.js';
import { lane, type Statistics, sumsOf } from './norm-statistics.js';

/** Vectors whose sums of squares of accumulators, up to 2^23 in each lane, fit 31 bits. */
const MOST_VECTORS = 255;

/** Q and S of all elements, in the kernel's own memory. */
export const accumulateSample = (asm: Asm, bound: Bound, shape: NormShape): ReadonlyArray<Expr> => {
  const { m } = asm;
  const length = shape.channels * shape.positions;
  const [total, last] = [asm.i32(), asm.i32()];
  const squares = asm.i64();
  const bytes = storageBytes(shape.source);
  const from = (index: () => Expr) => addressIn(asm, bound.source, () => scaled(m, index(), bytes));
  const one = (index: () => Expr): Expr => {
    const a = from(index);
    return bytes === 2 ? m.i32.load16_s(a.offset, 1, a.pointer()) : m.i32.load(a.offset, 1, a.pointer());
  };
  const wide = (): Expr => m.i64.extend_s(last.get());
  const vectors =
    bytes === 2
      ? narrowSums(asm, bound, length, total, squares)
      : wideSums(asm, bound, length, total, squares);
  return [
    ...vectors.code,
    // The elements behind the last whole vector.
    ...Array.from({ length: length - vectors.elements }, (_, k) => vectors.elements + k).flatMap((j) => [
      last.set(one(() => m.i32.const(j))),
      total.set(m.i32.add(total.get(), last.get())),
      squares.set(m.i64.add(squares.get(), m.i64.mul(wide(), wide()))),
    ]),
    m.i64.store(0, 8, m.i32.const(bound.scratch), squares.get()),
    m.i32.store(0, 4, m.i32.const(bound.scratch + 8), total.get()),
  ];
};

interface VectorSums {
  readonly code: ReadonlyArray<Expr>;
  /** Elements that are summed. */
  readonly elements: number;
}

/** Eight at a time: dot products of 16 bits sum pairs of squares. */
const narrowSums = (asm: Asm, bound: Bound, length: number, total: Local, squares: Local): VectorSums => {
  const { m } = asm;
  const vectors = Math.floor(length / 8);
  const [value, sum, square] = [asm.v128(), asm.v128(), asm.v128()];
  const at = asm.i32();
  const source = addressIn(asm, bound.source, at.get);
  const halves = (v: Local): Expr =>
    m.i64x2.add(m.i64x2.extend_low_i32x4_u(v.get()), m.i64x2.extend_high_i32x4_u(v.get()));
  const wide = asm.v128();
  const stretch = (count: number): ReadonlyArray<Expr> => [
    square.set(splatI32(asm, 0)),
    ...rounds(asm, count, 1, () => [
      value.set(loadVector(asm, source)),
      sum.set(m.i32x4.add(sum.get(), m.i32x4.extadd_pairwise_i16x8_s(value.get()))),
      square.set(m.i32x4.add(square.get(), m.i32x4.dot_i16x8_s(value.get(), value.get()))),
      at.set(m.i32.add(at.get(), m.i32.const(16))),
    ]),
    wide.set(m.i64x2.add(wide.get(), halves(square))),
  ];
  const whole = Math.floor(vectors / MOST_VECTORS);
  return {
    elements: 8 * vectors,
    code: [
      at.set(m.i32.const(0)),
      sum.set(splatI32(asm, 0)),
      wide.set(splatI32(asm, 0)),
      ...rounds(asm, whole, 1, () => stretch(MOST_VECTORS)),
      ...stretch(vectors - whole * MOST_VECTORS),
      total.set(sumOfLanes(asm, sum)),
      squares.set(m.i64.add(lane(asm, 'i64x2', wide, 0), lane(asm, 'i64x2', wide, 1))),
    ],
  };
};

/** Four at a time, of 32 bits. */
const wideSums = (asm: Asm, bound: Bound, length: number, total: Local, squares: Local): VectorSums => {
  const { m } = asm;
  const vectors = Math.floor(length / 4);
  const sums = sumsOf(asm);
  return {
    elements: 4 * vectors,
    code: [
      ...sums.clear(),
      ...rounds(asm, vectors, 4, (index) =>
        sums.add(
          loadAccumulators(
            asm,
            'i32',
            addressIn(asm, bound.source, () => scaled(m, index(), 4)),
          ),
        ),
      ),
      total.set(sumOfLanes(asm, sums.sum)),
      squares.set(
        [sums.low, sums.high]
          .flatMap((half) => [lane(asm, 'i64x2', half, 0), lane(asm, 'i64x2', half, 1)])
          .reduce((a, b) => m.i64.add(a, b)),
      ),
    ],
  };
};

const sumOfLanes = (asm: Asm, v: Local): Expr =>
  [0, 1, 2, 3].map((k) => lane(asm, 'i32x4', v, k)).reduce((a, b) => asm.m.i32.add(a, b));

/**
 * The codes of all elements, for a shift s from 1 to 30: P is computed beside d, and t + 2^(s-1) fits 32 bits.
 * Blocks: gain, offset by lane.
 */
export const applyToSample = (
  asm: Asm,
  bound: Bound,
  base: KernelBase,
  { mean, reciprocal }: Statistics,
  shift: Local,
  codes: NormCodes,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const [means, reciprocals, rounding, sign] = [asm.v128(), asm.v128(), asm.v128(), asm.v128()];
  const four = [asm.v128(), asm.v128()] as const;
  return [
    means.set(m.i32x4.splat(mean.get())),
    reciprocals.set(m.i32x4.splat(reciprocal.get())),
    rounding.set(m.i32x4.splat(m.i32.shl(m.i32.const(1), m.i32.sub(shift.get(), m.i32.const(1))))),
    ...elementRounds(asm, base, LANES, (index, at) => {
      const from = addressIn(asm, bound.source, () => scaled(m, index(), storageBytes(codes.source)));
      const constant = (block: number, half: number): Expr =>
        loadVector(asm, { pointer: () => scaled(m, at(), 4), offset: bound.blocks[block]! + 16 * half });
      const half = (h: 0 | 1): ReadonlyArray<Expr> => {
        const a = loadAccumulators(asm, codes.source, plus(from, 4 * h * storageBytes(codes.source)));
        const d = m.i32x4.sub(m.i32x4.shl(a, m.i32.const(3)), means.get());
        const magnitude = m.i32x4.shr_u(
          m.i32x4.add(m.i32x4.mul(m.i32x4.abs(constant(0, h)), reciprocals.get()), splatI32(asm, 2 ** 15)),
          m.i32.const(16),
        );
        // (x ^ sign) - sign is -x where the sign is -1.
        const factor = m.i32x4.sub(m.v128.xor(magnitude, sign.get()), sign.get());
        const t = m.i32x4.add(m.i32x4.mul(d, factor), rounding.get());
        const code = m.i32x4.add(m.i32x4.shr_s(t, shift.get()), constant(1, h));
        return [
          sign.set(m.i32x4.shr_s(constant(0, h), m.i32.const(31))),
          four[h].set(m.i32x4.min_s(m.i32x4.max_s(code, splatI32(asm, 0)), splatI32(asm, codes.top))),
        ];
      };
      return [...half(0), ...half(1), storeCodes(asm, bound, codes, index, four)];
    }),
  ];
};
