/**
 * Constants: typed arrays that graphs share by reference and name by the hash of their content.
 *
 * A constant is never changed after it was made; nothing in kanc writes to `data`.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { invariant } from '../diagnostics/index.js';
import {
  allocate,
  type ElementType,
  maxOf,
  minOf,
  sameElement,
  showElement,
  storesElement,
  type TypedArray,
} from './element.js';

export interface Constant {
  readonly _tag: 'Constant';
  readonly element: ElementType;
  readonly shape: ReadonlyArray<number>;
  /** Row-major. */
  readonly data: TypedArray;
}

/** Most elements of a constant: more could not be indexed by 32 bits. Values have a limit of their own, see verify.ts. */
export const MAX_ELEMENTS = 2 ** 31 - 1;

export const elementCount = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);

/** Makes a constant; the length and array kind must fit (a mismatch is a bug of the caller). */
export const constant = (element: ElementType, shape: ReadonlyArray<number>, data: TypedArray): Constant => {
  invariant(
    data.length === elementCount(shape),
    `constant of shape [${shape.join(', ')}] given ${data.length} elements`,
  );
  invariant(storesElement(element, data), `${data.constructor.name} does not store ${showElement(element)}`);
  return { _tag: 'Constant', element, shape, data };
};

export const isConstant = (u: unknown): u is Constant =>
  typeof u === 'object' && u !== null && '_tag' in u && u._tag === 'Constant';

const hashes = new WeakMap<TypedArray, Map<string, string>>();

/** The bytes of a constant as they are hashed and stored: little-endian, whatever the machine. */
export const littleEndianBytes = (data: TypedArray): Uint8Array => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data.BYTES_PER_ELEMENT === 1 || isLittleEndian) return bytes;
  const swapped = bytes.slice();
  const width = data.BYTES_PER_ELEMENT;
  for (let i = 0; i < swapped.length; i += width) swapped.subarray(i, i + width).reverse();
  return swapped;
};

export const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Lower-case hex SHA-256 over element type, shape and little-endian bytes. Computed once per array. */
export const hashOf = (c: Constant): string => {
  const header = `${showElement(c.element)}[${c.shape.join(',')}]`;
  const known = hashes.get(c.data);
  const hit = known?.get(header);
  if (hit !== undefined) return hit;
  const hash = bytesToHex(
    sha256.create().update(utf8ToBytes(header)).update(littleEndianBytes(c.data)).digest(),
  );
  if (known === undefined) hashes.set(c.data, new Map([[header, hash]]));
  else known.set(header, hash);
  return hash;
};

export const sameConstant = (a: Constant, b: Constant): boolean =>
  a === b ||
  (sameElement(a.element, b.element) &&
    a.shape.length === b.shape.length &&
    a.shape.every((d, i) => d === b.shape[i]) &&
    hashOf(a) === hashOf(b));

export const showConstantType = (c: Pick<Constant, 'element' | 'shape'>): string =>
  `${showElement(c.element)}[${c.shape.join(', ')}]`;

/** Index of the first element that its type cannot hold (a float that is not finite, an integer out of range), or -1. */
export const firstUnfit = (c: Constant): number => {
  const { data } = c;
  if (c.element.kind === 'f32') {
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
    return -1;
  }
  // A full machine width holds nothing that does not fit.
  if (c.element.bits === 8 * data.BYTES_PER_ELEMENT) return -1;
  const lo = minOf(c.element);
  const hi = maxOf(c.element);
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (v < lo || v > hi) return i;
  }
  return -1;
};

/** A number for all channels, or one for each. */
export type PerChannel = number | Constant;

export const channel = (p: PerChannel, i: number): number => (typeof p === 'number' ? p : p.data[i]!);

/** The constant behind `values`, or one number when all are equal. */
export const perChannel = (element: ElementType, values: TypedArray): PerChannel => {
  const first = values[0];
  return first !== undefined && values.every((v: number) => Object.is(v, first))
    ? first
    : constant(element, [values.length], values);
};

/** The slices `indices` of a constant along `axis`. */
export const pickAlong = (c: Constant, axis: number, indices: ArrayLike<number>): Constant => {
  const outer = elementCount(c.shape.slice(0, axis));
  const count = c.shape[axis]!;
  const inner = elementCount(c.shape.slice(axis + 1));
  const data = allocate(c.element, outer * indices.length * inner);
  for (let a = 0; a < outer; a++) {
    for (let j = 0; j < indices.length; j++) {
      const from = (a * count + indices[j]!) * inner;
      const to = (a * indices.length + j) * inner;
      for (let k = 0; k < inner; k++) data[to + k] = c.data[from + k]!;
    }
  }
  const shape = c.shape.map((d, k) => (k === axis ? indices.length : d));
  return constant(c.element, shape, data);
};

/** The same for some of the channels. */
export const pickChannels = <P extends PerChannel>(p: P, indices: ArrayLike<number>): P | Constant =>
  typeof p === 'number' ? p : pickAlong(p, 0, indices);

/** The rows of channels; one row is for all of them. */
export const pickRows = (c: Constant, indices: ArrayLike<number>): Constant =>
  c.shape[0] === 1 ? c : pickAlong(c, 0, indices);

/** The data of an f32 constant as what it is (the element type says so; the type system cannot). */
export const f32Data = (c: Constant): Float32Array =>
  c.data instanceof Float32Array ? c.data : Float32Array.from(c.data);
