/** Arrays of numbers as base64, and numbers with few digits: what the page is written with. */
import { littleEndianBytes } from '../ir/constant.js';
import { encodeBase64 } from '../ir/resources-base64.js';
import type { Packed } from './model.js';

type Packable = Uint8Array | Uint16Array | Int8Array | Int16Array | Int32Array | Float32Array;

const typeOf = (data: Packable): Packed['type'] => {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Uint8Array) return 'u8';
  if (data instanceof Uint16Array) return 'u16';
  if (data instanceof Int8Array) return 'i8';
  return data instanceof Int16Array ? 'i16' : 'i32';
};

export const pack = (data: Packable): Packed => ({
  type: typeOf(data),
  base64: encodeBase64(littleEndianBytes(data)),
});

/** Six digits are more than a screen shows; JSON has no infinities, and a page no use for them. */
export const brief = (x: number): number => (Number.isFinite(x) ? Number(x.toPrecision(6)) : 0);
