/** Accumulators as kernels load them, and as they keep them while they add. */
import { type Address, type Asm, type Expr, loadVector, storeVector } from '../asm.js';
import type { Storage } from '../storage.js';

/** Four accumulators as i32x4, from either storage. */
export const loadAccumulators = (asm: Asm, storage: Storage, a: Address): Expr =>
  storage === 'i16' ? asm.m.v128.load16x4_s(a.offset, 1, a.pointer()) : loadVector(asm, a);

/** Four integers of any storage as i32x4. */
export const loadIntegers = (asm: Asm, storage: Storage, a: Address): Expr => {
  const { m } = asm;
  if (storage === 'u16') return m.v128.load16x4_u(a.offset, 1, a.pointer());
  return storage === 'u8'
    ? m.i32x4.extend_low_i16x8_u(m.i16x8.extend_low_i8x16_u(m.v128.load32_zero(a.offset, 1, a.pointer())))
    : loadAccumulators(asm, storage, a);
};

/** A vector of sums, in a register or in memory. */
export interface Accumulator {
  readonly get: () => Expr;
  readonly set: (value: Expr) => Expr;
}

/**
 * Sums in memory, to which stretches of code add that load and store each of them once. V8 moves the loads of a
 * stretch of code to its beginning, but not over stores: without them it loads more rows than there are registers.
 */
export const accumulatorInMemory = (asm: Asm, address: number): Accumulator => {
  const at: Address = { pointer: () => asm.m.i32.const(0), offset: address };
  return { get: () => loadVector(asm, at), set: (value) => storeVector(asm, at, value) };
};
