/** Reading raw bytes: byte order, 64-bit counts, text. Nothing here trusts a length that it was not given. */

/** Byte order of this machine; typed arrays follow it, files do not. */
export const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * A little-endian u64 as a number. Exact up to 2^53; above, it is rounded but still at least 2^53, so that a
 * comparison with a file size refuses it all the same.
 */
export const readU64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;

/** Strict UTF-8 (a byte order mark is kept as a character); undefined when the bytes are not UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** Whether the bytes at an offset are those of an ASCII text. */
export const hasAscii = (bytes: Uint8Array, at: number, text: string): boolean => {
  if (bytes.length < at + text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
};

/**
 * A copy of elements of `size` bytes in the byte order of this machine, at the start of a buffer of its own
 * (so that it is aligned for any typed array, and does not keep the file in memory).
 */
export const toNative = (bytes: Uint8Array, size: number, littleEndian: boolean): ArrayBuffer => {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (littleEndian !== HOST_IS_LITTLE && size > 1) {
    for (let start = 0; start + size <= copy.length; start += size) {
      for (let i = start, j = start + size - 1; i < j; i++, j--) {
        const swapped = copy[i]!;
        copy[i] = copy[j]!;
        copy[j] = swapped;
      }
    }
  }
  return copy.buffer;
};

const isNatural = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

/** More dimensions than any tensor has; it bounds the cost of a shape. */
export const MAX_DIMENSIONS = 64;

/**
 * The number of elements of a shape; undefined when a dimension is not a natural number, there are more than
 * MAX_DIMENSIONS, or the product passes 2^53.
 */
export const elementCount = (shape: ReadonlyArray<number>): number | undefined => {
  if (shape.length > MAX_DIMENSIONS || !shape.every(isNatural)) return undefined;
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const dimension of shape) {
    count *= dimension;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
};
