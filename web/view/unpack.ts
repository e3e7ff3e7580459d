/** The packed arrays of a model. Decoded when they are first looked at: most never are. */
import type { Packed } from '../../src/view/model.js';

export type Numbers = Uint8Array | Uint16Array | Int8Array | Int16Array | Int32Array | Float32Array;

const cache = new WeakMap<Packed, Numbers>();

const bytesOf = (base64: string): ArrayBuffer => {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
};

/** Little-endian, as every machine with a browser is. */
const decode = ({ type, base64 }: Packed): Numbers => {
  const bytes = bytesOf(base64);
  switch (type) {
    case 'u8':
      return new Uint8Array(bytes);
    case 'u16':
      return new Uint16Array(bytes);
    case 'i8':
      return new Int8Array(bytes);
    case 'i16':
      return new Int16Array(bytes);
    case 'i32':
      return new Int32Array(bytes);
    case 'f32':
      return new Float32Array(bytes);
  }
};

export const unpack = (packed: Packed): Numbers => {
  const known = cache.get(packed);
  if (known !== undefined) return known;
  const numbers = decode(packed);
  cache.set(packed, numbers);
  return numbers;
};
