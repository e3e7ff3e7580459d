/** What the two passes of a norm in WASM share. */
import type { TableNormAttrs } from '../../../../ir/ops/table-norm.js';
import { type Asm, type Expr, type Local, scaled, storeVector } from '../../asm.js';
import type { Addresses, Bound } from '../../kernel.js';
import { type Storage, storageBytes } from '../../storage.js';

export const LANES = 8;

/** Words that the second pass reads for every lane: M, bound of d, P, rounding, factor. */
export const NORM_WORDS = 5;

export interface NormShape {
  readonly over: TableNormAttrs['over'];
  readonly source: Storage;
  readonly channels: number;
  readonly positions: number;
  readonly gainShift: number;
}

/** Gain and offset by lane, epsilon by channel as 64 bits. */
export type NormBound = Bound<Addresses<'gain' | 'offset' | 'epsilon'>>;

export interface NormCodes {
  readonly source: Storage;
  readonly result: Storage;
  readonly top: number;
}

/** Writes eight codes. */
export const storeCodes = (
  asm: Asm,
  bound: Bound,
  { result }: NormCodes,
  index: () => Expr,
  four: readonly [Local, Local],
): Expr => {
  const { m } = asm;
  const eight = (): Expr => m.i16x8.narrow_i32x4_u(four[0].get(), four[1].get());
  const target = { pointer: () => scaled(m, index(), storageBytes(result)), offset: bound.target };
  return result === 'u8'
    ? m.v128.store64_lane(target.offset, 1, 0, target.pointer(), m.i8x16.narrow_i16x8_u(eight(), eight()))
    : storeVector(asm, target, eight());
};
