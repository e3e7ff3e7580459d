/** Accumulators to f32: one rounded conversion, one rounded multiplication. */
import { channel, type PerChannel } from '../../../ir/constant.js';
import { addressIn, type Expr, fixed, loadVector, scaled, splatF32, storeVector } from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { blockOf, roundUp, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';
import { channelTable, elementRounds } from './elementwise.js';

const LANES = 4;

/** `scale`: f32 values, one for all channels or one for each. */
export const dequantizeValues = (base: KernelBase, scale: PerChannel, source: Storage): Kernel => {
  const table = (n: number): Float32Array => new Float32Array(n);
  return {
    ...base,
    result: 'f32',
    reach: roundUp(base.length, LANES),
    blocks:
      typeof scale === 'number' ? [] : [blockOf(channelTable(base, LANES, table, (c) => channel(scale, c)))],
    emit: (asm, bound) => {
      const { m } = asm;
      return elementRounds(asm, base, LANES, (index, at) => {
        const wide = (): Expr => scaled(m, index(), 4);
        const from = addressIn(asm, bound.source, () => scaled(m, index(), storageBytes(source)));
        const factor =
          typeof scale === 'number'
            ? splatF32(asm, scale)
            : loadVector(
                asm,
                addressIn(asm, fixed(bound.blocks[0]!), () => scaled(m, at(), 4)),
              );
        const value = m.f32x4.convert_i32x4_s(loadAccumulators(asm, source, from));
        return [storeVector(asm, { pointer: wide, offset: bound.target }, m.f32x4.mul(value, factor))];
      });
    },
    summary: { op: 'dequantize', form: 'multiply', inputs: base.length, outputs: base.length },
  };
};
