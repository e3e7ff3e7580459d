/** A layer as it is found in a tensor program: what every input adds to the outputs. */
import type { FunctionId } from './functions.js';

/**
 * y[o] = bias[o] + sum over inputs i and their functions m of weights[i][m][o] * f_{functions[i][m]}(x[i]).
 *
 * `functions[i]` are distinct, in order of first use. Rows of weights have `outputs` entries. Where a layer is applied
 * to windows, inputs are channels and a row holds the weights of all taps.
 */
export interface LayerTerms {
  readonly outputs: number;
  readonly functions: ReadonlyArray<ReadonlyArray<FunctionId>>;
  readonly weights: ReadonlyArray<ReadonlyArray<Float64Array>>;
  readonly bias: Float64Array;
}
