/** Moves elements by index, whatever their width: gathers, and changes of order. The table holds byte offsets. */
import type { Asm, Expr } from '../asm.js';
import { addressIn, rounds, scaled } from '../asm.js';
import { type Kernel, type KernelBase, withBlocks } from '../kernel.js';
import { blockOf, type Storage, storageBytes } from '../storage.js';

/** `indices`: for each element of the result, in memory order, where it lies in the operand. */
export const gatherElements = (
  base: KernelBase,
  indices: ArrayLike<number>,
  inputs: number,
  storage: Storage,
  op: string,
): Kernel => {
  const bytes = storageBytes(storage);
  const offsets = Uint32Array.from({ length: base.length }, (_, j) => indices[j]! * bytes);
  return {
    ...base,
    result: storage,
    reach: base.length,
    ...withBlocks({ offsets: blockOf(offsets) }, (asm, bound) =>
      rounds(asm, base.length, 1, (index) => {
        const { m } = asm;
        const offset = (): Expr => m.i32.load(bound.blocks.offsets, 1, scaled(m, index(), 4));
        const from = addressIn(asm, bound.source, offset);
        return [move(asm, bytes, from.offset, from.pointer(), bound.target, scaled(m, index(), bytes))];
      }),
    ),
    summary: { op, form: 'copy', inputs, outputs: base.length },
  };
};

const move = (asm: Asm, bytes: number, fromAt: number, from: Expr, toAt: number, to: Expr): Expr => {
  const { i32 } = asm.m;
  if (bytes === 1) return i32.store8(toAt, 1, to, i32.load8_u(fromAt, 1, from));
  if (bytes === 2) return i32.store16(toAt, 1, to, i32.load16_u(fromAt, 1, from));
  // Moved as integers: a NaN keeps its bits.
  return i32.store(toAt, 1, to, i32.load(fromAt, 1, from));
};
