/**
 * Correcting the tables of a layer on samples: ridge regression on one-hot inputs.
 *
 * A layer adds one row for every input, out[n, o] = offset[o] + sum_i T[i, code[n, i], o], so it is linear in its entries. With R
 * the residuals against the wanted outputs, the change D of the entries that minimises |R - Z D|^2 + ridge |D|^2, for Z the
 * design matrix with a one for every input's code, is D = Z^T (Z Z^T + ridge I)^-1 R (the dual form of ridge regression:
 * Saunders, Gammerman and Vovk, "Ridge Regression Learning Algorithm in Dual Variables", ICML 1998). Z Z^T counts the codes
 * that two samples share, so the system has as many unknowns as there are samples, however many entries there are.
 */
import { agreementMatrix } from './agreement.js';
import { solvePositiveDefinite } from './cholesky.js';

/** The codes that a layer reads on some samples. */
export interface CodeSamples {
  readonly samples: number;
  readonly inputs: number;
  readonly levels: number;
  readonly outputs: number;
  /** [samples, inputs]. */
  readonly codes: Uint16Array;
}

/**
 * [samples, outputs]: wanted - offset - what the table gives. `wanted` is [samples, outputs], `table` is
 * [inputs, levels, outputs].
 */
export const residuals = (
  { samples, inputs, levels, outputs, codes }: CodeSamples,
  table: ArrayLike<number>,
  offset: ArrayLike<number>,
  wanted: ArrayLike<number>,
): Float64Array => {
  const result = new Float64Array(samples * outputs);
  for (let n = 0; n < samples; n++) {
    const at = n * outputs;
    for (let o = 0; o < outputs; o++) result[at + o] = wanted[at + o]! - offset[o]!;
    for (let i = 0; i < inputs; i++) {
      const row = (i * levels + codes[n * inputs + i]!) * outputs;
      for (let o = 0; o < outputs; o++) result[at + o]! -= table[row + o]!;
    }
  }
  return result;
};

/** Adds to `table` the correction of least squares with a penalty of `ridge` > 0 on its square. */
export const correctTable = (
  at: CodeSamples,
  table: Float32Array,
  residual: Float64Array,
  ridge: number,
): void => {
  const { samples, inputs, levels, outputs, codes } = at;
  const gram = agreementMatrix(codes, samples, inputs);
  for (let n = 0; n < samples; n++) gram[n * samples + n]! += ridge;
  const alpha = Float64Array.from(residual);
  // Positive semidefinite plus ridge: fails only where residuals or the ridge are not numbers.
  if (!solvePositiveDefinite(gram, alpha, samples, outputs)) return;
  const change = new Float64Array(levels * outputs);
  for (let i = 0; i < inputs; i++) {
    change.fill(0);
    for (let n = 0; n < samples; n++) {
      const row = codes[n * inputs + i]! * outputs;
      for (let o = 0; o < outputs; o++) change[row + o]! += alpha[n * outputs + o]!;
    }
    const first = i * levels * outputs;
    for (let e = 0; e < change.length; e++) table[first + e]! += change[e]!;
  }
};
