/** Data types of containers: sizes, and raw bytes to typed arrays. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import { HOST_IS_LITTLE, toNative } from './bytes.js';
import type { ContainerDtype, FileTensor } from './tensor.js';

export const DTYPE_BYTES: Readonly<Record<ContainerDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  U16: 2,
  U32: 4,
  U64: 8,
  BOOL: 1,
};

export const isContainerDtype = (text: string): text is ContainerDtype => Object.hasOwn(DTYPE_BYTES, text);

/** The f32 with the value of an IEEE half, for every one of its 65,536 bit patterns. */
export const halfToFloat = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

const widenHalf = (halves: Uint16Array): Float32Array => {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfToFloat(halves[i]!);
  return out;
};

/** bfloat16 is the upper half of an f32. */
const widenBfloat = (halves: Uint16Array): Float32Array => {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
};

/** The value of an 8-bit float of 4 and 3 bits: the largest exponent has numbers too, and one NaN, but no infinity. */
const float8 = (bits: number): number => {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 0x0f;
  const fraction = bits & 0x07;
  if ((bits & 0x7f) === 0x7f) return Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
};

const truth = (bytes: Uint8Array): Uint8Array => {
  for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] === 0 ? 0 : 1;
  return bytes;
};

/** 64-bit integers as doubles, refused where a double would round them. */
const decodeLong = (buffer: ArrayBuffer, signed: boolean): Checked<Float64Array> => {
  const words = new Uint32Array(buffer);
  const highWords = signed ? new Int32Array(buffer) : words;
  const low = HOST_IS_LITTLE ? 0 : 1;
  const out = new Float64Array(words.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const value = highWords[2 * i + 1 - low]! * 0x1_0000_0000 + words[2 * i + low]!;
    if (!Number.isSafeInteger(value)) {
      return fail('K0112', `Element ${i} is a 64-bit integer of magnitude 2^53 or more`, {
        expected: 'integers that a double holds exactly',
      });
    }
    out[i] = value;
  }
  return E.right(out);
};

/**
 * Decodes contiguous elements into the typed array that FileTensor documents for the dtype.
 * `raw` must be a whole number of elements; it is copied, never kept.
 */
export const decodeValues = (
  dtype: ContainerDtype,
  raw: Uint8Array,
  littleEndian: boolean,
): Checked<FileTensor['data']> => {
  const buffer = toNative(raw, DTYPE_BYTES[dtype], littleEndian);
  switch (dtype) {
    case 'F64':
      return E.right(new Float32Array(new Float64Array(buffer)));
    case 'F32':
      return E.right(new Float32Array(buffer));
    case 'F16':
      return E.right(widenHalf(new Uint16Array(buffer)));
    case 'BF16':
      return E.right(widenBfloat(new Uint16Array(buffer)));
    case 'F8_E4M3':
      return E.right(Float32Array.from(new Uint8Array(buffer), float8));
    case 'F8_E5M2':
      // The upper half of an IEEE half.
      return E.right(Float32Array.from(new Uint8Array(buffer), (bits) => halfToFloat(bits << 8)));
    case 'I64':
      return decodeLong(buffer, true);
    case 'U64':
      return decodeLong(buffer, false);
    case 'I32':
      return E.right(new Int32Array(buffer));
    case 'I16':
      return E.right(new Int16Array(buffer));
    case 'I8':
      return E.right(new Int8Array(buffer));
    case 'U32':
      return E.right(new Uint32Array(buffer));
    case 'U16':
      return E.right(new Uint16Array(buffer));
    case 'U8':
      return E.right(new Uint8Array(buffer));
    case 'BOOL':
      return E.right(truth(new Uint8Array(buffer)));
  }
};
