/** Edge tables on evidence: the functions of all edges corrected together, then rounded together. */
import type { TypedArray } from '../ir/element.js';
import { correctTable, residuals } from '../numeric/table-fit.js';
import { nearestEntry, roundTogether } from '../numeric/table-round.js';
import { clippingFactors } from '../numeric/table-scale.js';
import { note, type Remark } from './pass.js';
import type { Evidence } from './refit.js';

/** Sweeps of rounding: the first with error feedback, the others choose again. */
const SWEEPS = 6;

/**
 * The penalty on changes, in squared errors of a sample. With errors of variance v in the entries of every input, an
 * output has the variance inputs * v, and the best penalty of ridge regression is the ratio of the two.
 */
const penalty = ({ ridge, inputs }: Evidence): number => ridge * inputs;

/**
 * Corrects `functions`, f32[inputs, levels, outputs], in place, so that with the bias they come close to the targets.
 * A code that no sample has keeps its function.
 */
export const correctFunctions = (
  evidence: Evidence,
  functions: Float32Array,
  bias: ArrayLike<number>,
): void =>
  correctTable(
    evidence,
    functions,
    residuals(evidence, functions, bias, evidence.targets),
    penalty(evidence),
  );

/** What entries are in real numbers: (function - middle) / scale, and the bias beside them. */
export interface Unrounded {
  /** [inputs, levels, outputs], in units of an entry. */
  readonly wanted: Float32Array;
  /** [outputs]: the value of a unit. */
  readonly scales: Float32Array;
  /** [outputs], in units. */
  readonly bias: Int32Array;
  /** Largest magnitude of an entry. */
  readonly top: number;
  /** Whether all outputs keep one scale. */
  readonly oneScale: boolean;
}

export interface Rounded {
  readonly bias: Int32Array;
  /** f32[outputs]. */
  readonly scales: Float32Array;
  readonly said: ReadonlyArray<Remark>;
}

/** Writes the rounded table to `entries` and returns the bias that makes the mean error of every output least. */
export const roundEntries = (
  evidence: Evidence,
  { wanted, scales: widest, bias: unclipped, top, oneScale }: Unrounded,
  entries: TypedArray,
): Rounded => {
  const { samples, outputs, targets } = evidence;
  // Units shrink to 0.3 of what they were at most, so biases stay far from the ends of 32 bits.
  const factors = clippingFactors(evidence, wanted, top, oneScale);
  const scales = Float32Array.from(widest, (s, o) => s * factors[o]!);
  const bias = unclipped.map((b, o) => Math.round(b / factors[o]!));
  for (let e = 0; e < wanted.length; e++) wanted[e]! /= factors[e % outputs]!;
  const units = Float64Array.from(targets, (y, j) => y / scales[j % outputs]!);
  if (evidence.round === 'together') {
    const residual = residuals(evidence, wanted, bias, units);
    const ridge = penalty(evidence);
    entries.set(roundTogether(evidence, wanted, residual, { top, ridge, sweeps: SWEEPS }));
  } else {
    for (let e = 0; e < wanted.length; e++) entries[e] = nearestEntry(wanted[e]!, top);
  }
  const left = residuals(evidence, entries, bias, units);
  const means = new Float64Array(outputs);
  for (let j = 0; j < left.length; j++) means[j % outputs]! += left[j]! / samples;
  const corrected = bias.map((b, o) => b + Math.round(means[o]!));
  let squares = 0;
  for (let j = 0; j < left.length; j++) {
    const o = j % outputs;
    squares += ((left[j]! - Math.round(means[o]!)) * scales[o]!) ** 2;
  }
  const error = Math.sqrt(squares / Math.max(1, left.length));
  return {
    bias: corrected,
    scales,
    said: [note(`refit on ${samples} samples: outputs are ${error.toPrecision(3)} off (root mean square)`)],
  };
};
