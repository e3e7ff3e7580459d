import type { Meta } from './meta.js';

/** Before all parts stands the data of the program. */
export declare const meta: Meta;

export type Input = Float32Array | Uint8Array;

export const features = meta.input.shape.reduce((n, d) => n * d, 1);
export const isFloat = meta.input.dtype === 'f32';
// The pixels of a canvas (ImageData) are clamped bytes.
const takes = isFloat ? [Float32Array] : [Uint8Array, Uint8ClampedArray];

/** The number of samples of an input, which may be anything that a caller gives. */
export const check = (input: Input, batch: number | undefined): number => {
  if (!takes.some((type) => input instanceof type)) {
    throw new TypeError(`kanc model: the input must be a ${takes.map((type) => type.name).join(' or ')}`);
  }
  const samples = batch ?? input.length / features;
  if (!Number.isInteger(samples) || samples < 1 || input.length !== samples * features) {
    const expected = (batch === undefined ? 'a multiple of ' : `${batch} x `) + features;
    throw new TypeError(`kanc model: the input has ${input.length} elements, expected ${expected}`);
  }
  if (meta.input.refusesNaN) {
    for (let i = 0; i < input.length; i++) {
      if (Number.isNaN(input[i])) throw new TypeError(`kanc model: the input has NaN at element ${i}`);
    }
  }
  if (meta.input.dtype === 'u8' && meta.input.levels < 256) {
    for (let i = 0; i < input.length; i++) {
      if (input[i]! >= meta.input.levels) {
        const last = meta.input.levels - 1;
        throw new TypeError(`kanc model: element ${i} is ${input[i]}, codes end at ${last}`);
      }
    }
  }
  return samples;
};
