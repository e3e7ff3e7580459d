/**
 * Arrays of numpy in pickles: what rebuilds one, its type, its shape and its bytes. Protocol 2 writes bytes as the call
 * of an encoder with a text of their codes; protocol 5 writes them plainly.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import { elementCount, MAX_DIMENSIONS } from '../bytes.js';
import { DTYPE_BYTES, decodeValues } from '../dtype.js';
import { columnMajorStrides, gather } from '../strided.js';
import type { ContainerDtype, FileTensor } from '../tensor.js';
import { asNaturals, asText, type ObjectNode, type PickleNode, type TupleNode } from './node.js';
import { isArray } from './objects.js';

const DTYPES: ReadonlyMap<string, ContainerDtype> = new Map([
  ['f2', 'F16'],
  ['f4', 'F32'],
  ['f8', 'F64'],
  ['i1', 'I8'],
  ['i2', 'I16'],
  ['i4', 'I32'],
  ['i8', 'I64'],
  ['u1', 'U8'],
  ['u2', 'U16'],
  ['u4', 'U32'],
  ['u8', 'U64'],
  ['b1', 'BOOL'],
]);

/** An array of numbers whose bytes were not looked at yet. */
export interface ArrayPlan {
  readonly dtype: ContainerDtype;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: ReadonlyArray<number>;
  readonly count: number;
  readonly raw: PickleNode;
}

const argumentsOf = (node: ObjectNode): ReadonlyArray<PickleNode> => {
  const args = node.parts.find((part): part is TupleNode => part.tag === 'tuple');
  return args?.items ?? [];
};

/** Type and byte order; undefined for texts, objects and records. */
const dtypeOf = (node: PickleNode | undefined): Pick<ArrayPlan, 'dtype' | 'littleEndian'> | undefined => {
  if (node?.tag !== 'object' || node.name !== 'numpy.dtype') return undefined;
  const name = asText(argumentsOf(node)[0]) ?? '';
  const [, order, code] = /^([<>|=]?)([a-z]\d)$/.exec(name) ?? [];
  const dtype = DTYPES.get(code ?? '');
  if (dtype === undefined) return undefined;
  const said = node.state?.tag === 'tuple' ? asText(node.state.items[1]) : undefined;
  return { dtype, littleEndian: (said ?? order) !== '>' };
};

const planOf = (
  type: PickleNode | undefined,
  dims: PickleNode | undefined,
  fortranOrder: boolean,
  raw: PickleNode | undefined,
): ArrayPlan | undefined => {
  const dtype = dtypeOf(type);
  const shape = asNaturals(dims, MAX_DIMENSIONS);
  const count = shape === undefined ? undefined : elementCount(shape);
  if (dtype === undefined || shape === undefined || count === undefined || raw === undefined)
    return undefined;
  return { ...dtype, fortranOrder, shape, count, raw };
};

/** What an array of numbers is; undefined for everything else, arrays of texts and objects too. */
export const arrayPlan = (node: PickleNode): ArrayPlan | undefined => {
  if (node.tag !== 'object' || !isArray(node)) return undefined;
  if (node.name.endsWith('._frombuffer')) {
    const [raw, type, dims, order] = argumentsOf(node);
    return planOf(type, dims, asText(order) === 'F', raw);
  }
  if (node.state?.tag !== 'tuple') return undefined;
  const [, dims, type, fortran, raw] = node.state.items;
  return planOf(type, dims, fortran?.tag === 'bool' && fortran.value, raw);
};

/** So many bytes behind a node: themselves, or the codes of a text that is said to be encoded. */
const bytesOf = (node: PickleNode, length: number): Uint8Array | undefined => {
  if (node.tag === 'bytes') return node.value.length === length ? node.value : undefined;
  if (node.tag !== 'object' || node.name !== '_codecs.encode') return undefined;
  const [text, encoding] = argumentsOf(node);
  const value = asText(text);
  if (value?.length !== length || asText(encoding) !== 'latin1') return undefined;
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 255) return undefined;
    bytes[i] = code;
  }
  return bytes;
};

/** Reads an array, row-major. K0108 where its bytes are not those of its shape, K0112 as decodeValues. */
export const readArray = ({
  dtype,
  littleEndian,
  fortranOrder,
  shape,
  count,
  raw,
}: ArrayPlan): Checked<FileTensor> => {
  const size = DTYPE_BYTES[dtype];
  const bytes = bytesOf(raw, count * size);
  if (bytes === undefined) {
    return fail('K0108', 'The bytes of its array are not those of its shape', {
      expected: `${count} elements of ${size} bytes`,
    });
  }
  const view = { offset: 0, shape, strides: columnMajorStrides(shape) };
  const values = fortranOrder ? gather(bytes, size, view, count) : bytes;
  return E.map((data: FileTensor['data']): FileTensor => ({ dtype, shape, data }))(
    decodeValues(dtype, values, littleEndian),
  );
};
