/**
 * Accumulators to codes, exactly as numeric/fixed-point.ts says: acc + bias is clamped to the bounds outside of
 * which the code no longer changes; then one multiplication and one shift, or, in the wide form, the products of
 * the two parts of the value.
 */
import { channel } from '../../../ir/constant.js';
import type { RequantizeAttrs } from '../../../ir/ops/requantize.js';
import { clampBounds, productForm, SPLIT_BITS } from '../../../numeric/fixed-point.js';
import {
  type Asm,
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  scaled,
  splatI32,
  storeVector,
} from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { blockOf, roundUp, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';
import { channelTable, elementRounds } from './elementwise.js';

const LANES = 16;

/** The op must be proven: all outputs share a form. */
export const requantizeCodes = (
  base: KernelBase,
  attrs: RequantizeAttrs,
  source: Storage,
  result: Storage,
): Kernel => {
  const { levels } = attrs.quantizer;
  const integers = (n: number): Int32Array => new Int32Array(n);
  const perChannel = (of: (channel: number) => number): Int32Array => channelTable(base, LANES, integers, of);
  // Bounds above every accumulator do not matter, but must be written as 32 bits.
  const hiOf = (c: number): number =>
    Math.min(clampBounds(channel(attrs.mul, c), attrs.shift, levels).hi, 2 ** 31 - 1);
  // Blocks: bias, mul, hi; each is there only when it differs between channels.
  const biasAt = attrs.bias === undefined ? -1 : 0;
  const mulAt = typeof attrs.mul === 'number' ? -1 : biasAt + 1;
  const blocks = [
    ...(biasAt < 0 ? [] : [blockOf(perChannel((c) => attrs.bias?.data[c] ?? 0))]),
    ...(mulAt < 0 ? [] : [blockOf(perChannel((c) => channel(attrs.mul, c))), blockOf(perChannel(hiOf))]),
  ];
  const muls = typeof attrs.mul === 'number' ? [attrs.mul] : attrs.mul.data;
  const wide = productForm(muls, attrs.shift, levels) === 'wide';
  const scaledBack = wide ? splitProduct : plainProduct;
  const [inBytes, outBytes] = [storageBytes(source), storageBytes(result)];
  return {
    ...base,
    result,
    reach: roundUp(base.length, LANES),
    blocks,
    emit: (asm, bound) => {
      const { m } = asm;
      // The wide form looks twice at a value.
      const held = Array.from({ length: wide ? LANES / 4 : 0 }, () => asm.v128());
      return elementRounds(asm, base, LANES, (index, at) => {
        const accumulators = addressIn(asm, bound.source, () => scaled(m, index(), inBytes));
        const constants = (block: number, lane: number): Expr =>
          loadVector(
            asm,
            plus(
              addressIn(asm, fixed(bound.blocks[block]!), () => scaled(m, at(), 4)),
              lane * 4,
            ),
          );
        const value = (lane: number): Expr => {
          const acc = loadAccumulators(asm, source, plus(accumulators, lane * inBytes));
          const v = biasAt < 0 ? acc : m.i32x4.add(acc, constants(biasAt, lane));
          const hi = mulAt < 0 ? splatI32(asm, hiOf(0)) : constants(mulAt + 1, lane);
          return m.i32x4.min_s(m.i32x4.max_s(v, splatI32(asm, 0)), hi);
        };
        const codes = (lane: number): Expr => {
          const mul = (): Expr => (mulAt < 0 ? splatI32(asm, channel(attrs.mul, 0)) : constants(mulAt, lane));
          const local = held[lane / 4];
          const code = scaledBack(asm, local === undefined ? () => value(lane) : local.get, mul, attrs.shift);
          // hi may lie more than one code above the top when mul > 2^shift.
          return m.i32x4.min_s(code, splatI32(asm, levels - 1));
        };
        const pair = (lane: number): Expr => m.i16x8.narrow_i32x4_u(codes(lane), codes(lane + 4));
        const target = { pointer: () => scaled(m, index(), outBytes), offset: bound.target };
        return [
          ...held.map((local, k) => local.set(value(4 * k))),
          ...(result === 'u8'
            ? [storeVector(asm, target, m.i8x16.narrow_i16x8_u(pair(0), pair(8)))]
            : [storeVector(asm, target, pair(0)), storeVector(asm, plus(target, 16), pair(8))]),
        ];
      });
    },
    summary: {
      op: 'requantize',
      form: wide ? 'fixed point, split products' : 'fixed point',
      inputs: base.length,
      outputs: base.length,
    },
  };
};

type Product = (asm: Asm, v: () => Expr, mul: () => Expr, shift: number) => Expr;

const plainProduct: Product = (asm, v, mul, shift) => {
  const { m } = asm;
  const rounded = m.i32x4.add(m.i32x4.mul(v(), mul()), splatI32(asm, 2 ** (shift - 1)));
  return m.i32x4.shr_s(rounded, m.i32.const(shift));
};

const splitProduct: Product = (asm, v, mul, shift) => {
  const { m } = asm;
  const bits = (): Expr => m.i32.const(SPLIT_BITS);
  const high = m.i32x4.mul(m.i32x4.shr_u(v(), bits()), mul());
  const low = m.i32x4.mul(m.v128.and(v(), splatI32(asm, 2 ** SPLIT_BITS - 1)), mul());
  const rounded = m.i32x4.add(
    m.i32x4.add(high, m.i32x4.shr_u(low, bits())),
    splatI32(asm, 2 ** (shift - 1 - SPLIT_BITS)),
  );
  return m.i32x4.shr_s(rounded, m.i32.const(shift - SPLIT_BITS));
};
