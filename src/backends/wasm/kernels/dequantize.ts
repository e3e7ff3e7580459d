/** Accumulators to f32: one rounded conversion, one rounded multiplication. */
import { channel, type PerChannel } from '../../../ir/constant.js';
import { addressIn, type Expr, fixed, loadVector, rounds, scaled, splatF32, storeVector } from '../asm.js';
import type { Kernel } from '../kernel.js';
import { blockOf, roundUp, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';

const LANES = 4;

/** `scale`: f32 values, one for all outputs or one for each. */
export const dequantizeValues = (
  base: Pick<Kernel, 'name' | 'operand' | 'length'>,
  scale: PerChannel,
  source: Storage,
): Kernel => {
  const padded = roundUp(base.length, LANES);
  const scales = new Float32Array(padded);
  for (let o = 0; o < base.length; o++) scales[o] = channel(scale, o);
  return {
    ...base,
    result: 'f32',
    reach: padded,
    blocks: typeof scale === 'number' ? [] : [blockOf(scales)],
    emit: (asm, bound) => {
      const { m } = asm;
      return rounds(asm, padded / LANES, LANES, (index) => {
        const wide = (): Expr => scaled(m, index(), 4);
        const from = addressIn(asm, bound.source, () => scaled(m, index(), storageBytes(source)));
        const factor =
          typeof scale === 'number'
            ? splatF32(asm, scale)
            : loadVector(asm, addressIn(asm, fixed(bound.blocks[0]!), wide));
        const value = m.f32x4.convert_i32x4_s(loadAccumulators(asm, source, from));
        return [storeVector(asm, { pointer: wide, offset: bound.target }, m.f32x4.mul(value, factor))];
      });
    },
    summary: { op: 'dequantize', form: 'multiply', inputs: base.length, outputs: base.length },
  };
};
