/** What every program asks of its input. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { CommonManifest } from './manifest.js';

export type Input = Float32Array | Uint8Array;

/** `features`: elements of one sample. K0701 on an input that does not fit. */
export const checkInput = (
  manifest: Pick<CommonManifest, 'input'>,
  features: number,
  given: Input,
): Checked<Input> => {
  const floats = manifest.input.dtype === 'f32';
  if (floats !== given instanceof Float32Array) {
    return fail('K0701', `the input is of another type than ${manifest.input.dtype}`);
  }
  if (given.length === 0 || given.length % features !== 0) {
    return fail('K0701', `the input has ${given.length} elements`, { expected: `a multiple of ${features}` });
  }
  if (manifest.input.refusesNaN) {
    const nan = given.findIndex(Number.isNaN);
    if (nan >= 0) return fail('K0701', `the input has NaN at element ${nan}`);
  }
  const { levels } = manifest.input;
  if (!floats && levels < 256) {
    const wrong = given.findIndex((code) => code >= levels);
    if (wrong >= 0)
      return fail('K0701', `element ${wrong} of the input is ${given[wrong]}, codes end at ${levels - 1}`);
  }
  return E.right(given);
};
