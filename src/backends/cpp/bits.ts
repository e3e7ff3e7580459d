/** Floats by their bits. */
import type { TypedArray } from '../../ir/element.js';

/** The bits of f32 values, as they are: NaN and -0 too. */
export const floatTableBits = (data: TypedArray): Uint32Array => {
  const floats = data instanceof Float32Array ? data : Float32Array.from(data);
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
};
