/** How integers of the IR lie in the memory of a WASM module, and the bytes of constant tables. */
import { isLittleEndian } from '../../ir/constant.js';
import { bytesOf, type ElementType, type TypedArray } from '../../ir/element.js';
import type { Asm, Expr } from './asm.js';

/** Storage of one element of a value. Accumulators of 8 bits are stored in 16: they are few, and lanes are alike. */
export type Storage = 'u8' | 'u16' | 'i16' | 'i32' | 'f32';

export const storageOf = (e: ElementType): Storage => {
  if (e.kind === 'f32') return 'f32';
  if (e.kind === 'uint') return e.bits <= 8 ? 'u8' : 'u16';
  return bytesOf(e) <= 2 ? 'i16' : 'i32';
};

export const storageBytes = (s: Storage): number => (s === 'u8' ? 1 : s === 'u16' || s === 'i16' ? 2 : 4);

/** One unsigned code at an address. */
export const loadCode = (asm: Asm, s: Storage, offset: number, pointer: Expr): Expr =>
  s === 'u8' ? asm.m.i32.load8_u(offset, 1, pointer) : asm.m.i32.load16_u(offset, 1, pointer);

/** A constant table in the data section. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly align: number;
}

/** The little-endian bytes of an array. */
export const blockOf = (data: TypedArray, align = 16): Block => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (isLittleEndian || data.BYTES_PER_ELEMENT === 1) return { bytes, align };
  const swapped = bytes.slice();
  for (let i = 0; i < swapped.length; i += data.BYTES_PER_ELEMENT) {
    swapped.subarray(i, i + data.BYTES_PER_ELEMENT).reverse();
  }
  return { bytes: swapped, align };
};

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
