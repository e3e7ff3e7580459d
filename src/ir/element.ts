/** Element types: what one number of a value or a constant is, and how it is stored. */

import type { Numbers } from '../code/language.js';

/** `f32`, `uN` (codes, 1 to 32 bits) or `iN` (table entries and accumulators, 1 to 32 bits). */
export type ElementType =
  | { readonly kind: 'f32' }
  | { readonly kind: 'uint'; readonly bits: number }
  | { readonly kind: 'int'; readonly bits: number };

export type TypedArray = Numbers;

export const F32: ElementType = { kind: 'f32' };
export const uint = (bits: number): ElementType => ({ kind: 'uint', bits });
export const int = (bits: number): ElementType => ({ kind: 'int', bits });

export const showElement = (e: ElementType): string =>
  e.kind === 'f32' ? 'f32' : `${e.kind === 'uint' ? 'u' : 'i'}${e.bits}`;

/** The inverse of showElement; undefined when the text names no element type. */
export const parseElement = (text: string): ElementType | undefined => {
  if (text === 'f32') return F32;
  const match = /^([ui])([1-9][0-9]?)$/.exec(text);
  if (match === null) return undefined;
  const bits = Number(match[2]);
  if (bits > 32) return undefined;
  return match[1] === 'u' ? uint(bits) : int(bits);
};

export const sameElement = (a: ElementType, b: ElementType): boolean => showElement(a) === showElement(b);

/** Smallest value of an integer element type. */
export const minOf = (e: ElementType): number => (e.kind === 'int' ? -(2 ** (e.bits - 1)) : 0);

/** Largest value of an integer element type. */
export const maxOf = (e: ElementType): number =>
  e.kind === 'int' ? 2 ** (e.bits - 1) - 1 : e.kind === 'uint' ? 2 ** e.bits - 1 : Number.POSITIVE_INFINITY;

/** The narrowest `iN` (N of 8, 16, 32) that holds every integer of [lo, hi]; undefined when none does. */
export const accumulatorFor = (lo: number, hi: number): ElementType | undefined =>
  [8, 16, 32].map(int).find((e) => lo >= minOf(e) && hi <= maxOf(e));

/** Bytes that one element takes in memory (elements are stored in the next machine width). */
export const bytesOf = (e: ElementType): number =>
  e.kind === 'f32' ? 4 : e.bits <= 8 ? 1 : e.bits <= 16 ? 2 : 4;

/** A zeroed typed array of the storage width of `e`. */
export const allocate = (e: ElementType, length: number): TypedArray => {
  if (e.kind === 'f32') return new Float32Array(length);
  const bytes = bytesOf(e);
  if (e.kind === 'uint') {
    return bytes === 1
      ? new Uint8Array(length)
      : bytes === 2
        ? new Uint16Array(length)
        : new Uint32Array(length);
  }
  return bytes === 1 ? new Int8Array(length) : bytes === 2 ? new Int16Array(length) : new Int32Array(length);
};

/** Whether `data` is the array kind in which elements of `e` are stored. */
export const storesElement = (e: ElementType, data: TypedArray): boolean =>
  allocate(e, 0).constructor === data.constructor;
