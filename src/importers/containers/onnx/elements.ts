/** The element types of constants, and their numbers. */
import { printable } from '../../../diagnostics/index.js';
import { viewOf } from '../bytes.js';
import { halfToFloat } from '../dtype.js';
import type { OnnxElement } from './model.js';
import { fixedOf, integersOf, type Message, OnnxFault } from './wire.js';

/** TensorProto.DataType. */
const ELEMENTS: ReadonlyMap<number, OnnxElement> = new Map<number, OnnxElement>([
  [1, 'float'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'double'],
  [12, 'uint32'],
  [13, 'uint64'],
  [16, 'bfloat16'],
]);

/** Types that are known and not read. */
const UNREAD: ReadonlyMap<number, string> = new Map([
  [0, 'elements of no type'],
  [8, 'texts (string)'],
  [14, 'complex numbers (complex64)'],
  [15, 'complex numbers (complex128)'],
  [17, 'floats of 8 bits (float8e4m3fn)'],
  [18, 'floats of 8 bits (float8e4m3fnuz)'],
  [19, 'floats of 8 bits (float8e5m2)'],
  [20, 'floats of 8 bits (float8e5m2fnuz)'],
  [21, 'integers of 4 bits (uint4)'],
  [22, 'integers of 4 bits (int4)'],
  [23, 'floats of 4 bits (float4e2m1)'],
  [24, 'powers of two (float8e8m0)'],
  [25, 'integers of 2 bits (uint2)'],
  [26, 'integers of 2 bits (int2)'],
]);

export const elementOf = (type: number | undefined): OnnxElement | undefined =>
  type === undefined ? undefined : ELEMENTS.get(type);

/** An element type that is not read, in words. */
export const unreadElement = (type: number): string => UNREAD.get(type) ?? `elements of type ${type}`;

export const READ_ELEMENTS: string = [...ELEMENTS.values()].join(', ');

export const BYTES_OF: Readonly<Record<OnnxElement, 1 | 2 | 4 | 8>> = {
  float: 4,
  double: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

const bits = new DataView(new ArrayBuffer(4));

/** The upper half of a float of 32 bits. */
const brainToFloat = (half: number): number => {
  bits.setUint32(0, half << 16);
  return bits.getFloat32(0);
};

const READS: Readonly<Record<OnnxElement, (view: DataView, at: number) => number>> = {
  float: (v, at) => v.getFloat32(at, true),
  double: (v, at) => v.getFloat64(at, true),
  float16: (v, at) => halfToFloat(v.getUint16(at, true)),
  bfloat16: (v, at) => brainToFloat(v.getUint16(at, true)),
  int8: (v, at) => v.getInt8(at),
  int16: (v, at) => v.getInt16(at, true),
  int32: (v, at) => v.getInt32(at, true),
  int64: (v, at) => Number(v.getBigInt64(at, true)),
  uint8: (v, at) => v.getUint8(at),
  uint16: (v, at) => v.getUint16(at, true),
  uint32: (v, at) => v.getUint32(at, true),
  uint64: (v, at) => Number(v.getBigUint64(at, true)),
  bool: (v, at) => (v.getUint8(at) === 0 ? 0 : 1),
};

const fromView = (view: DataView, element: OnnxElement): Float64Array => {
  const [read, width] = [READS[element], BYTES_OF[element]];
  const data = new Float64Array(view.byteLength / width);
  for (let i = 0; i < data.length; i++) data[i] = read(view, i * width);
  return data;
};

/** Elements one after another, in little-endian bytes: a whole number of them. */
export const fromBytes = (bytes: Uint8Array, element: OnnxElement): Float64Array =>
  fromView(viewOf(bytes), element);

/** The fields of TensorProto that hold numbers one by one. */
export const NUMBERS = { floats: 4, int32s: 5, int64s: 7, doubles: 10, uint64s: 11 } as const;

/** What numbers in the field of 32-bit integers are to be; halves are there by their bits, some writers give them a sign. */
const RANGES: Readonly<Record<Exclude<OnnxElement, Own>, readonly [number, number]>> = {
  float16: [-0x8000, 0xffff],
  bfloat16: [-0x8000, 0xffff],
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  bool: [-0x8000_0000, 0x7fff_ffff],
};

/** Types with a field of their own. */
type Own = 'float' | 'double' | 'int64' | 'uint32' | 'uint64';

const checkRange = (
  values: Float64Array,
  least: number,
  most: number,
  what: string,
  element: string,
): void => {
  const wrong = values.find((v) => v < least || v > most);
  if (wrong !== undefined) {
    throw new OnnxFault('K0117', `has the number ${wrong} among elements of ${element}`, {
      place: { tensor: printable(what, 80) },
    });
  }
};

/** Numbers that stand one by one in a field for their kind; small ones share that of 32-bit integers. */
export const fromFields = (message: Message, element: OnnxElement, what: string): Float64Array => {
  switch (element) {
    case 'float':
      return fromView(fixedOf(message, NUMBERS.floats, 4, what), element);
    case 'double':
      return fromView(fixedOf(message, NUMBERS.doubles, 8, what), element);
    case 'int64':
      return integersOf(message, NUMBERS.int64s, what);
    case 'uint32':
    case 'uint64': {
      const values = integersOf(message, NUMBERS.uint64s, what, 'unsigned');
      if (element === 'uint32') checkRange(values, 0, 2 ** 32 - 1, what, element);
      return values;
    }
    default: {
      const values = integersOf(message, NUMBERS.int32s, what);
      // Protobuf has the lower 32 bits of what is longer.
      for (let i = 0; i < values.length; i++) values[i] = values[i]! | 0;
      const [least, most] = RANGES[element];
      checkRange(values, least, most, what, element);
      if (element === 'float16') return values.map((v) => halfToFloat(v & 0xffff));
      if (element === 'bfloat16') return values.map((v) => brainToFloat(v & 0xffff));
      return element === 'bool' ? values.map((v) => (v === 0 ? 0 : 1)) : values;
    }
  }
};
