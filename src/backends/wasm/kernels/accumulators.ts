/** Loads of four accumulators as i32x4, from either storage. */
import { type Address, type Asm, type Expr, loadVector } from '../asm.js';
import type { Storage } from '../storage.js';

export const loadAccumulators = (asm: Asm, storage: Storage, a: Address): Expr =>
  storage === 'i16' ? asm.m.v128.load16x4_s(a.offset, 1, a.pointer()) : loadVector(asm, a);
