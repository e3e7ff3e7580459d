/** How integers of the IR lie in the memory of a WASM module, and the bytes of constant tables. */
import { littleEndianBytes } from '../../ir/constant.js';
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

/** A view of memory. */
export const arrayAt = (
  buffer: ArrayBuffer,
  storage: Storage,
  address: number,
  length: number,
): TypedArray => {
  switch (storage) {
    case 'u8':
      return new Uint8Array(buffer, address, length);
    case 'u16':
      return new Uint16Array(buffer, address, length);
    case 'i16':
      return new Int16Array(buffer, address, length);
    case 'i32':
      return new Int32Array(buffer, address, length);
    case 'f32':
      return new Float32Array(buffer, address, length);
  }
};

/** How integers lie in memory, those of constant tables as narrow as they are. */
export type IntegerStorage = Exclude<Storage, 'f32'> | 'i8';

const LOADS = { u8: 'load8_u', i8: 'load8_s', u16: 'load16_u', i16: 'load16_s', i32: 'load' } as const;

/** One integer at an address. */
export const loadInteger = (asm: Asm, s: IntegerStorage, offset: number, pointer: Expr): Expr =>
  asm.m.i32[LOADS[s]](offset, 1, pointer);

/** One unsigned code at an address. */
export const loadCode = (asm: Asm, s: Storage, offset: number, pointer: Expr): Expr =>
  loadInteger(asm, s === 'u8' ? 'u8' : 'u16', offset, pointer);

/**
 * A constant table in the data section. Its bytes are made when they are written: tables are nearly all of a
 * module, and are held once only.
 */
export interface Block {
  readonly length: number;
  readonly align: number;
  readonly bytes: () => Uint8Array;
}

/** Elements of a table that is made when it is written. */
export const lazyBlock = (elements: number, width: 1 | 2 | 4, make: () => TypedArray, align = 16): Block => ({
  length: elements * width,
  align,
  bytes: () => littleEndianBytes(make()),
});

/** The little-endian bytes of an array. */
export const blockOf = (data: TypedArray, align = 16): Block => ({
  length: data.byteLength,
  align,
  bytes: () => littleEndianBytes(data),
});

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
