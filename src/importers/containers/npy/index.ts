/** Numpy's .npy files: one array each. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, invariant } from '../../../diagnostics/index.js';
import { decodeUtf8, elementCount, hasAscii, toNative, viewOf } from '../bytes.js';
import { DTYPE_BYTES, decodeValues } from '../dtype.js';
import { columnMajorStrides, gather } from '../strided.js';
import type { ContainerDtype, FileTensor } from '../tensor.js';
import { parseNpyHeader } from './header.js';

/** Numpy's names of types by those of containers. */
export const NPY_DTYPES = {
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  b1: 'BOOL',
} as const satisfies Record<string, ContainerDtype>;

/** Numpy's name of a type: kind and bytes. */
export type NpyDtype = keyof typeof NPY_DTYPES;

const isNpyDtype = (text: string): text is NpyDtype => Object.hasOwn(NPY_DTYPES, text);

/** An array, row-major whatever its order in the file was. */
export interface NpyArray {
  readonly shape: ReadonlyArray<number>;
  /** The type in the file. */
  readonly dtype: NpyDtype;
  /**
   * f2 and f4 are a Float32Array, f8, i8 and u8 a Float64Array (64-bit integers of magnitude 2^53 or more are
   * refused), b1 a Uint8Array of 0 and 1, and the other integers the array of their width.
   */
  readonly data: FileTensor['data'];
}

/** The types that writeNpy writes, with the array that holds each. */
const WRITABLE = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  b1: Uint8Array,
} as const;

export interface WritableNpyArray extends NpyArray {
  readonly dtype: keyof typeof WRITABLE;
}

const MAGIC = '\x93NUMPY';

export const isNpy = (bytes: Uint8Array): boolean => hasAscii(bytes, 0, MAGIC);

/** The text of the header and where the data begin. */
const readHeaderText = (bytes: Uint8Array): Checked<{ text: string; dataAt: number }> => {
  if (!isNpy(bytes)) return fail('K0111', 'The file does not begin as an .npy file does');
  const major = bytes[6];
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) return fail('K0103', 'The .npy file ends within its header');
  if (major !== 1 && major !== 2 && major !== 3) {
    return fail('K0111', `The .npy file has format version ${major}`, { expected: 'version 1, 2 or 3' });
  }
  const view = viewOf(bytes);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > bytes.length - start) {
    return fail(
      'K0103',
      `The header of the .npy file claims ${length} bytes, but ${bytes.length - start} follow`,
    );
  }
  // Versions 1 and 2 are latin-1, but what is not ASCII can only be a field name of a structured type.
  const text = decodeUtf8(bytes.subarray(start, start + length));
  return text === undefined
    ? fail('K0111', 'The header of the .npy file is not text')
    : E.right({ text, dataAt: start + length });
};

/** Big, little or native byte order (native: one byte, or a writer that assumed little, as all of ours are). */
const splitDescr = (descr: string): { littleEndian: boolean; dtype: NpyDtype } | undefined => {
  const match = /^([<>|=]?)([a-z]\d)$/.exec(descr);
  const dtype = match?.[2] ?? '';
  return match !== null && isNpyDtype(dtype) ? { littleEndian: match[1] !== '>', dtype } : undefined;
};

/**
 * Reads an .npy file of version 1, 2 or 3, C or Fortran order, either byte order. Bytes after the array are
 * ignored, as numpy does. Fails with K0103 (cut off), K0111 (header or type), K0112 (integers beyond 2^53).
 */
export const readNpy = (bytes: Uint8Array): Checked<NpyArray> => {
  const located = readHeaderText(bytes);
  if (E.isLeft(located)) return located;
  const header = parseNpyHeader(located.right.text);
  if (E.isLeft(header)) return header;
  const { descr, fortranOrder, shape } = header.right;
  const type = splitDescr(descr);
  if (type === undefined) {
    return fail('K0111', `The data type of the .npy file is "${descr.slice(0, 40)}"`, {
      expected: `a plain type: ${Object.keys(NPY_DTYPES).join(', ')}`,
      hint: 'Convert it, for example with array.astype(numpy.float32).',
    });
  }
  const count = elementCount(shape);
  const size = DTYPE_BYTES[NPY_DTYPES[type.dtype]];
  const data = bytes.subarray(located.right.dataAt);
  if (count === undefined)
    return fail('K0111', 'The shape of the .npy file is not one that an array can have');
  if (count * size > data.length) {
    return fail(
      'K0103',
      `The .npy file claims ${count} elements of ${size} bytes, but has ${data.length} bytes of data`,
    );
  }
  const strides = columnMajorStrides(shape);
  const raw = fortranOrder
    ? gather(data, size, { offset: 0, shape, strides }, count)
    : data.subarray(0, count * size);
  const values: Checked<NpyArray['data']> =
    type.dtype === 'f8'
      ? E.right(new Float64Array(toNative(raw, size, type.littleEndian)))
      : decodeValues(NPY_DTYPES[type.dtype], raw, type.littleEndian);
  return E.map((decoded: NpyArray['data']): NpyArray => ({ shape, dtype: type.dtype, data: decoded }))(
    values,
  );
};

/**
 * Writes an .npy file: version 1, little endian, C order, header padded to a multiple of 64 bytes.
 * The data must be of the array type of the dtype and fill the shape exactly.
 */
export const writeNpy = (array: WritableNpyArray): Uint8Array => {
  const { shape, dtype, data } = array;
  invariant(data instanceof WRITABLE[dtype], `the data of an .npy array of ${dtype} are of another type`);
  invariant(
    elementCount(shape) === data.length,
    `an .npy array of shape [${shape}] has ${data.length} elements`,
  );
  const order = data.BYTES_PER_ELEMENT === 1 ? '|' : '<';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${order}${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const headerEnd = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const out = new Uint8Array(headerEnd + data.byteLength).fill(0x20, 10, headerEnd - 1);
  for (let i = 0; i < MAGIC.length; i++) out[i] = MAGIC.charCodeAt(i);
  out[6] = 1;
  viewOf(out).setUint16(8, headerEnd - 10, true);
  for (let i = 0; i < dict.length; i++) out[10 + i] = dict.charCodeAt(i);
  out[headerEnd - 1] = 0x0a;
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // Swapping is its own inverse: native to little endian is little endian to native.
  out.set(new Uint8Array(toNative(raw, data.BYTES_PER_ELEMENT, true)), headerEnd);
  return out;
};
