/** Stores of vectors of which only the first elements may be written. */
import { type Address, type Asm, type Expr, plus, storeVector } from '../asm.js';

/** Writes the first `bytes` bytes of a vector: all 16 at once, or in pieces of powers of two. */
export const storeBytes = (asm: Asm, to: Address, value: Expr, bytes: number): ReadonlyArray<Expr> => {
  if (bytes <= 0) return [];
  if (bytes >= 16) return [storeVector(asm, to, value)];
  const { v128 } = asm.m;
  const kept = asm.v128();
  const pieces: Expr[] = [];
  let at = 0;
  for (const [size, store] of [
    [8, v128.store64_lane],
    [4, v128.store32_lane],
    [2, v128.store16_lane],
  ] as const) {
    if (bytes - at < size) continue;
    const address = plus(to, at);
    pieces.push(store(address.offset, 1, at / size, address.pointer(), kept.get()));
    at += size;
  }
  return [kept.set(value), ...pieces];
};
