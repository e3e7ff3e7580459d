/** TensorProto: the constants of a graph, inside of the file or in files beside it. */
import { printable } from '../../../diagnostics/index.js';
import type { OnnxElement, OnnxTensor } from './model.js';
import {
  bytesOf,
  fixedOf,
  integerOf,
  integersOf,
  lastBytes,
  type Message,
  messageOf,
  OnnxFault,
  textOf,
} from './wire.js';

/** Files beside the model, by the names that it has for them. */
export type Beside = ReadonlyMap<string, Uint8Array>;

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

const UNREAD: ReadonlyMap<number, string> = new Map([
  [8, 'texts'],
  [14, 'complex numbers'],
  [15, 'complex numbers'],
  [17, 'floats of 8 bits'],
  [18, 'floats of 8 bits'],
  [19, 'floats of 8 bits'],
  [20, 'floats of 8 bits'],
  [21, 'integers of 4 bits'],
  [22, 'integers of 4 bits'],
  [23, 'floats of 4 bits'],
]);

export const elementOf = (type: number | undefined): OnnxElement | undefined =>
  type === undefined ? undefined : ELEMENTS.get(type);

const BYTES: Readonly<Record<OnnxElement, 1 | 2 | 4 | 8>> = {
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

/** TensorProto: the fields that are read. */
const FIELDS = {
  dims: 1,
  type: 2,
  floats: 4,
  int32s: 5,
  int64s: 7,
  name: 8,
  raw: 9,
  doubles: 10,
  uint64s: 11,
  external: 13,
  location: 14,
} as const;

const WANTED: ReadonlySet<number> = new Set([...Object.values(FIELDS), 3, 6]);

/** Elements of one tensor, so that a shape alone does not take the memory of the machine. */
const MOST_ELEMENTS = 2 ** 28;

const halfBits = new DataView(new ArrayBuffer(4));

/** A float of 16 bits with 5 bits of exponent. */
const halfOf = (h: number): number => {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** The upper half of a float of 32 bits. */
const brainOf = (h: number): number => {
  halfBits.setUint32(0, h << 16);
  return halfBits.getFloat32(0);
};

const READS: Readonly<Record<OnnxElement, (view: DataView, at: number) => number>> = {
  float: (v, at) => v.getFloat32(at, true),
  double: (v, at) => v.getFloat64(at, true),
  float16: (v, at) => halfOf(v.getUint16(at, true)),
  bfloat16: (v, at) => brainOf(v.getUint16(at, true)),
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

const fromBytes = (bytes: Uint8Array, element: OnnxElement, count: number): Float64Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [read, width] = [READS[element], BYTES[element]];
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, i * width);
  return data;
};

/** Numbers that stand one by one in a field for their kind; small ones share that of 32-bit integers. */
const fromFields = (message: Message, element: OnnxElement, what: string): Float64Array => {
  if (element === 'float' || element === 'double') {
    const width = element === 'float' ? 4 : 8;
    const view = fixedOf(message, element === 'float' ? FIELDS.floats : FIELDS.doubles, width, what);
    return Float64Array.from({ length: view.byteLength / width }, (_, i) => READS[element](view, i * width));
  }
  if (element === 'int64') return Float64Array.from(integersOf(message, FIELDS.int64s, what));
  if (element === 'uint32' || element === 'uint64') {
    return Float64Array.from(integersOf(message, FIELDS.uint64s, what), (v) =>
      v < 0 ? Number(BigInt.asUintN(64, BigInt(v))) : v,
    );
  }
  const values = integersOf(message, FIELDS.int32s, what);
  if (element === 'float16') return Float64Array.from(values, (v) => halfOf(v & 0xffff));
  if (element === 'bfloat16') return Float64Array.from(values, (v) => brainOf(v & 0xffff));
  return Float64Array.from(values, (v) => (element === 'bool' ? (v === 0 ? 0 : 1) : v));
};

/** Where data lie beside the model. */
export interface External {
  readonly location: string;
  readonly offset: number;
  /** Absent: to the end of the file. */
  readonly length?: number;
}

const ENTRY: ReadonlySet<number> = new Set([1, 2]);

/** A name of a file in the folder of the model or below it, and none that leads elsewhere. */
const isPlainPath = (path: string): boolean =>
  path.length <= 400 &&
  path.split('/').every((part) => /^[^\\/:*?"<>|]+$/.test(part) && part !== '..' && part !== '.') &&
  ![...path].some((c) => c.charCodeAt(0) < 32);

const externalOf = (message: Message, what: string): External | undefined => {
  if (integerOf(message, FIELDS.location) !== 1) return undefined;
  const entries = new Map(
    bytesOf(message, FIELDS.external).map((bytes) => {
      const entry = messageOf(bytes, what, ENTRY);
      return [textOf(entry, 1), textOf(entry, 2)] as const;
    }),
  );
  const location = (entries.get('location') ?? '').replace(/^\.\//, '');
  if (!isPlainPath(location)) {
    throw new OnnxFault('K0118', `its data are said to be in '${printable(location, 80)}'`, {
      place: { tensor: what },
      expected: 'the name of a file in the folder of the model',
    });
  }
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text)) {
      throw new OnnxFault('K0118', `the ${key} of its data is '${printable(text, 40)}'`, {
        place: { tensor: what },
      });
    }
    return Number(text);
  };
  const length = number('length');
  return { location, offset: number('offset') ?? 0, ...(length === undefined ? {} : { length }) };
};

/** The files that a tensor's data lie in. */
export const externalFile = (bytes: Uint8Array): string | undefined => {
  const message = messageOf(bytes, 'a tensor', WANTED);
  return externalOf(message, printable(textOf(message, FIELDS.name), 80))?.location;
};

const externalBytes = (external: External, beside: Beside, what: string): Uint8Array => {
  const { location, offset, length } = external;
  const file = beside.get(location);
  if (file === undefined) {
    throw new OnnxFault(
      'K0118',
      `its data are in '${printable(location, 80)}', which is not beside the model`,
      {
        place: { tensor: what },
        hint: 'Keep the files that the exporter wrote in one folder, under the names that they were written with.',
      },
    );
  }
  const end = offset + (length ?? file.length - offset);
  if (end > file.length || end < offset) {
    throw new OnnxFault(
      'K0118',
      `its data end at byte ${end} of '${printable(location, 80)}', which has ${file.length}`,
      { place: { tensor: what }, hint: 'The two files are not of one export, or one of them was cut off.' },
    );
  }
  return file.subarray(offset, end);
};

const shapeOf = (message: Message, what: string): ReadonlyArray<number> => {
  const shape = integersOf(message, FIELDS.dims, what);
  const count = shape.reduce((n, d) => n * d, 1);
  if (shape.length > 64 || shape.some((d) => d < 0 || !Number.isSafeInteger(d)) || count > MOST_ELEMENTS) {
    throw new OnnxFault('K0113', `has shape [${shape.slice(0, 8).join(', ')}]`, {
      place: { tensor: what },
      expected: `at most ${MOST_ELEMENTS} elements`,
    });
  }
  return shape;
};

/** A tensor with its numbers. `other` names it where it has no name itself. */
export const tensorOf = (bytes: Uint8Array, beside: Beside, other: string): OnnxTensor => {
  const message = messageOf(bytes, `the tensor of ${other}`, WANTED);
  const name = textOf(message, FIELDS.name);
  const what = printable(name === '' ? other : name, 80);
  const type = integerOf(message, FIELDS.type) ?? 0;
  const element = elementOf(type);
  if (element === undefined || message.has(3)) {
    const found = message.has(3) ? 'a segment of a tensor' : (UNREAD.get(type) ?? `elements of type ${type}`);
    throw new OnnxFault('K0112', `holds ${found}`, {
      place: { tensor: what },
      expected: `one of ${[...ELEMENTS.values()].join(', ')}`,
      hint: 'Convert it to float before the export.',
    });
  }
  const shape = shapeOf(message, what);
  const count = shape.reduce((n, d) => n * d, 1);
  const external = externalOf(message, what);
  const raw = external === undefined ? lastBytes(message, FIELDS.raw) : externalBytes(external, beside, what);
  if (raw !== undefined) {
    if (raw.length !== count * BYTES[element])
      throw wrongSize(what, shape, `${raw.length} bytes of ${element}`);
    return { name, element, shape, data: fromBytes(raw, element, count) };
  }
  const data = fromFields(message, element, what);
  if (data.length !== count) throw wrongSize(what, shape, `${data.length} numbers`);
  return { name, element, shape, data };
};

const wrongSize = (what: string, shape: ReadonlyArray<number>, found: string): OnnxFault =>
  new OnnxFault('K0117', `has ${found} for the shape [${shape.join(', ')}]`, {
    place: { tensor: what },
    hint: 'Fetch or export the file again, and compare sizes.',
  });
