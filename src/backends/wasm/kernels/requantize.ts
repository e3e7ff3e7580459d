/**
 * Accumulators to codes, exactly as numeric/fixed-point.ts says: acc + bias is clamped to the bounds outside of
 * which the code no longer changes, so that the product fits 32 bits; then one multiplication and one shift.
 */
import { channel } from '../../../ir/constant.js';
import type { RequantizeAttrs } from '../../../ir/ops/requantize.js';
import { clampBounds } from '../../../numeric/fixed-point.js';
import {
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  rounds,
  scaled,
  splatI32,
  storeVector,
} from '../asm.js';
import type { Kernel } from '../kernel.js';
import { blockOf, roundUp, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';

const LANES = 16;

export const requantizeCodes = (
  base: Pick<Kernel, 'name' | 'operand' | 'length'>,
  attrs: RequantizeAttrs,
  source: Storage,
  result: Storage,
): Kernel => {
  const { levels } = attrs.quantizer;
  const padded = roundUp(base.length, LANES);
  const perOutput = (of: (output: number) => number): Int32Array => {
    const data = new Int32Array(padded);
    for (let o = 0; o < base.length; o++) data[o] = of(o);
    return data;
  };
  const hiOf = (o: number): number => clampBounds(channel(attrs.mul, o), attrs.shift, levels).hi;
  // Blocks: bias, mul, hi; each is there only when it differs between outputs.
  const biasAt = attrs.bias === undefined ? -1 : 0;
  const mulAt = typeof attrs.mul === 'number' ? -1 : biasAt + 1;
  const blocks = [
    ...(biasAt < 0 ? [] : [blockOf(perOutput((o) => attrs.bias?.data[o] ?? 0))]),
    ...(mulAt < 0 ? [] : [blockOf(perOutput((o) => channel(attrs.mul, o))), blockOf(perOutput(hiOf))]),
  ];
  const [inBytes, outBytes] = [storageBytes(source), storageBytes(result)];
  return {
    ...base,
    result,
    reach: padded,
    blocks,
    emit: (asm, bound) => {
      const { m } = asm;
      return rounds(asm, padded / LANES, LANES, (index) => {
        const accumulators = addressIn(asm, bound.source, () => scaled(m, index(), inBytes));
        const constants = (block: number, lane: number): Expr =>
          loadVector(
            asm,
            plus(
              addressIn(asm, fixed(bound.blocks[block]!), () => scaled(m, index(), 4)),
              lane * 4,
            ),
          );
        const codes = (lane: number): Expr => {
          const acc = loadAccumulators(asm, source, plus(accumulators, lane * inBytes));
          const v = biasAt < 0 ? acc : m.i32x4.add(acc, constants(biasAt, lane));
          const hi = mulAt < 0 ? splatI32(asm, hiOf(0)) : constants(mulAt + 1, lane);
          const mul = mulAt < 0 ? splatI32(asm, channel(attrs.mul, 0)) : constants(mulAt, lane);
          const held = m.i32x4.min_s(m.i32x4.max_s(v, splatI32(asm, 0)), hi);
          const rounded = m.i32x4.add(m.i32x4.mul(held, mul), splatI32(asm, 2 ** (attrs.shift - 1)));
          // hi may lie more than one code above the top when mul > 2^shift.
          return m.i32x4.min_s(m.i32x4.shr_s(rounded, m.i32.const(attrs.shift)), splatI32(asm, levels - 1));
        };
        const pair = (lane: number): Expr => m.i16x8.narrow_i32x4_u(codes(lane), codes(lane + 4));
        const target = { pointer: () => scaled(m, index(), outBytes), offset: bound.target };
        return result === 'u8'
          ? [storeVector(asm, target, m.i8x16.narrow_i16x8_u(pair(0), pair(8)))]
          : [storeVector(asm, target, pair(0)), storeVector(asm, plus(target, 16), pair(8))];
      });
    },
    summary: { op: 'requantize', form: 'fixed point', inputs: base.length, outputs: base.length },
  };
};
