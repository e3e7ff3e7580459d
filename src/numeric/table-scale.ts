/** How much narrower than the widest edge the range of entries should be. */
import type { CodeSamples } from './table-fit.js';
import { nearestEntry } from './table-round.js';

/** Parts of the widest edge's range that are tried. */
const FACTORS = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];

/**
 * For every output the factor of its scale for which entries, rounded and clipped to [-top, top], are closest to the
 * table: the least sum over samples and inputs of the squared error of the entry that is read. With few bits, clipping a few wide
 * edges costs less than rounding all others coarsely.
 *
 * With `shared` there is one factor for all outputs, whose units must then be equal. `table` is [inputs, levels, outputs] in units of an entry, so that 1 is the factor that clips nothing.
 */
export const clippingFactors = (
  { samples, inputs, levels, outputs, codes }: CodeSamples,
  table: Float32Array,
  top: number,
  shared = false,
): Float64Array => {
  const errors = new Float64Array(FACTORS.length * outputs);
  const counts = new Float64Array(levels);
  for (let i = 0; i < inputs; i++) {
    counts.fill(0);
    for (let n = 0; n < samples; n++) counts[codes[n * inputs + i]!]!++;
    for (let c = 0; c < levels; c++) {
      const count = counts[c]!;
      if (count === 0) continue;
      const row = (i * levels + c) * outputs;
      FACTORS.forEach((factor, f) => {
        const inverse = 1 / factor;
        for (let o = 0; o < outputs; o++) {
          const value = table[row + o]!;
          const error = value - nearestEntry(value * inverse, top) * factor;
          errors[f * outputs + o]! += count * error * error;
        }
      });
    }
  }
  const total = (f: number, o: number): number => {
    const own = errors.subarray(f * outputs, (f + 1) * outputs);
    return shared ? own.reduce((n, e) => n + e, 0) : own[o]!;
  };
  return Float64Array.from({ length: outputs }, (_, o) => {
    let best = 0;
    for (let f = 1; f < FACTORS.length; f++) {
      if (total(f, o) < total(best, o)) best = f;
    }
    return FACTORS[best]!;
  });
};
