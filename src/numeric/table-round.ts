/** Rounding the entries of a table: each to the nearest integer, or together, with regard to what they add up to. */
import type { CodeSamples } from './table-fit.js';

/** The nearest integer within [-top, top]. */
export const nearestEntry = (value: number, top: number): number =>
  Math.max(-top, Math.min(top, Math.round(value)));

/**
 * Rounds a table to integers so that sums over the samples stay close to what is wanted: coordinate descent on
 *
 *     |R|^2 + ridge |T - wanted|^2
 *
 * over integer T, one entry after the other. The first sweep starts from the unrounded table, so that the rounding
 * errors of the entries before it are in the residual that an entry sees: error feedback, as in GPTQ (Frantar et al.,
 * arXiv 2210.17323), with the residual itself in place of its propagation through an inverse Hessian. Later sweeps choose
 * again, as AdaRound does (Nagel et al., arXiv 2004.10568), by descent in place of a relaxation.
 *
 * `wanted` is [inputs, levels, outputs] in units of an entry. `residual` is [samples, outputs] in the same units, that of
 * the unrounded table; it becomes that of the rounded one.
 */
export const roundTogether = (
  { samples, inputs, levels, outputs, codes }: CodeSamples,
  wanted: Float32Array,
  residual: Float64Array,
  options: { readonly top: number; readonly ridge: number; readonly sweeps: number },
): Float32Array => {
  const { top, ridge } = options;
  const table = Float32Array.from(wanted);
  const counts = new Float64Array(levels);
  const sums = new Float64Array(levels * outputs);
  for (let sweep = 0; sweep < options.sweeps; sweep++) {
    for (let i = 0; i < inputs; i++) {
      counts.fill(0);
      sums.fill(0);
      for (let n = 0; n < samples; n++) {
        const code = codes[n * inputs + i]!;
        counts[code]!++;
        const row = code * outputs;
        for (let o = 0; o < outputs; o++) sums[row + o]! += residual[n * outputs + o]!;
      }
      // The best real value of an entry, all others fixed; the objective is a parabola, so its nearest integer is best.
      const first = i * levels * outputs;
      for (let e = 0; e < sums.length; e++) {
        const now = table[first + e]!;
        const weight = counts[Math.floor(e / outputs)]! + ridge;
        const best = now + (sums[e]! + ridge * (wanted[first + e]! - now)) / weight;
        const entry = nearestEntry(weight > 0 ? best : now, top);
        table[first + e] = entry;
        sums[e] = entry - now;
      }
      for (let n = 0; n < samples; n++) {
        const row = codes[n * inputs + i]! * outputs;
        for (let o = 0; o < outputs; o++) residual[n * outputs + o]! -= sums[row + o]!;
      }
    }
  }
  return table;
};
