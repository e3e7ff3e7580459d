/** Products of two accumulators each; an index equal to the number of features stands for 1. */
import type { Body } from '../../../code/language.js';
import { addressIn, type Expr, rounds, scaled } from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { blockOf, type Storage, storageBytes } from '../storage.js';

export const multiplyPairs = (
  base: KernelBase,
  { left, right }: Extract<Body, { readonly _tag: 'pairs' }>,
  features: number,
  source: Storage,
): Kernel => {
  const bytes = storageBytes(source);
  const pairs = Uint32Array.from({ length: 2 * base.length }, (_, k) => {
    const side = k % 2 === 0 ? left : right;
    return side[Math.floor(k / 2)]! * bytes;
  });
  return {
    ...base,
    result: 'i32',
    reach: base.length,
    blocks: [blockOf(pairs)],
    emit: (asm, bound) => {
      const { m } = asm;
      const one = features * bytes;
      return rounds(asm, base.length, 1, (index) => {
        const factor = (side: 0 | 1): Expr => {
          const offset = (): Expr => m.i32.load(bound.blocks[0]! + 4 * side, 1, scaled(m, index(), 8));
          // What is read for the index that means 1 is not used; it lies in the margin of the buffer.
          const at = addressIn(asm, bound.source, offset);
          const value =
            bytes === 2 ? m.i32.load16_s(at.offset, 1, at.pointer()) : m.i32.load(at.offset, 1, at.pointer());
          return m.select(m.i32.eq(offset(), m.i32.const(one)), m.i32.const(1), value);
        };
        return [m.i32.store(bound.target, 1, scaled(m, index(), 4), m.i32.mul(factor(0), factor(1)))];
      });
    },
    summary: { op: 'multiply', form: 'products', inputs: features, outputs: base.length },
  };
};
