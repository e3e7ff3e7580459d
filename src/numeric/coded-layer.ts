/**
 * Layers as functions of codes that are linear in their entries:
 *
 *     out[n, o] = offset[o] + sum over inputs i and entries k of F[row[i], code[n, i], k] * T[i, k, o]
 *
 * In an edge table an entry belongs to a code, so F is the unit matrix. In a basis table entries are the coefficients
 * and the base weight of an input, and F are the values of the functions at the codes. Over windows a sample is the place
 * of a window.
 */

import { addRow } from './rows.js';

/** The values F of the functions that entries stand for. */
export interface Features {
  /** [rows, levels, entries]. */
  readonly values: Float64Array;
  /** [inputs]: the row of every input. */
  readonly rowOf: ArrayLike<number>;
}

export interface CodedLayer {
  readonly inputs: number;
  /** Codes of an input. */
  readonly levels: number;
  /** Entries of an input for every output. */
  readonly entries: number;
  readonly outputs: number;
  /** Absent where entries are those of codes: F is the unit matrix. */
  readonly features?: Features;
}

/** The codes that a layer reads on some samples, and what it should give. */
export interface CodeSamples {
  readonly samples: number;
  /** [samples, inputs]. */
  readonly codes: Uint16Array;
  /** [samples, outputs]. */
  readonly targets: Float32Array;
}

/** Index of F[row[i], c, 0]. */
export const featureRow = (layer: CodedLayer, { rowOf }: Features, i: number, c: number): number =>
  (rowOf[i]! * layer.levels + c) * layer.entries;

/**
 * What input i adds at every code, written to `rows`, [levels, outputs]. `table` is [inputs, entries, outputs].
 */
export const codeRows = (
  layer: CodedLayer,
  table: ArrayLike<number>,
  i: number,
  rows: Float64Array,
): void => {
  const { levels, entries, outputs, features } = layer;
  const first = i * entries * outputs;
  if (features === undefined) {
    for (let e = 0; e < levels * outputs; e++) rows[e] = table[first + e]!;
    return;
  }
  rows.fill(0);
  for (let c = 0; c < levels; c++) {
    const at = featureRow(layer, features, i, c);
    for (let k = 0; k < entries; k++) {
      const f = features.values[at + k]!;
      if (f === 0) continue;
      addRow(rows, c * outputs, table, first + k * outputs, f, outputs);
    }
  }
};

/**
 * [samples, outputs]: targets - offset - what the table gives, each output divided by its unit (1 when absent). The table
 * and the offset are in these units.
 */
export const residuals = (
  layer: CodedLayer,
  { samples, codes, targets }: CodeSamples,
  table: ArrayLike<number>,
  offset: ArrayLike<number>,
  units?: ArrayLike<number>,
): Float64Array => {
  const { inputs, levels, outputs } = layer;
  const result = new Float64Array(samples * outputs);
  for (let j = 0; j < result.length; j++) {
    const o = j % outputs;
    result[j] = targets[j]! / (units === undefined ? 1 : units[o]!) - offset[o]!;
  }
  const rows = new Float64Array(levels * outputs);
  for (let i = 0; i < inputs; i++) {
    codeRows(layer, table, i, rows);
    for (let n = 0; n < samples; n++) {
      addRow(result, n * outputs, rows, codes[n * inputs + i]! * outputs, -1, outputs);
    }
  }
  return result;
};

/** [outputs]: the mean over the samples of what the table gives; `counts` is [inputs, levels]. */
export const meanOutputs = (
  layer: CodedLayer,
  { samples }: Pick<CodeSamples, 'samples'>,
  counts: Float64Array,
  table: ArrayLike<number>,
): Float64Array => {
  const { inputs, levels, outputs } = layer;
  const means = new Float64Array(outputs);
  const rows = new Float64Array(levels * outputs);
  for (let i = 0; i < inputs; i++) {
    codeRows(layer, table, i, rows);
    for (let c = 0; c < levels; c++) {
      const count = counts[i * levels + c]!;
      if (count > 0) addRow(means, 0, rows, c * outputs, count / samples, outputs);
    }
  }
  return means;
};

/** The mean of every column of a matrix [rows, columns]. */
export const columnMeans = (matrix: ArrayLike<number>, columns: number): Float64Array => {
  const means = new Float64Array(columns);
  for (let j = 0; j < matrix.length; j++) means[j % columns]! += matrix[j]!;
  const rows = Math.max(1, matrix.length / columns);
  return means.map((sum) => sum / rows);
};
