/** Entries as integers, and how much narrower than the largest entry their range should be. */
import { type CodedLayer, featureRow } from './coded-layer.js';

/** The nearest integer within [-top, top]. */
export const nearestEntry = (value: number, top: number): number =>
  Math.max(-top, Math.min(top, Math.round(value)));

/** Parts of the largest entry that are tried. */
const FACTORS = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];

/** Entries that are looked at, evenly spread over larger tables. */
const MOST_ENTRIES = 2 ** 19;

/** How often every code of every input is read, [inputs, levels]. */
export const codeCounts = (
  { inputs, levels }: CodedLayer,
  { samples, codes }: { readonly samples: number; readonly codes: Uint16Array },
): Float64Array => {
  const counts = new Float64Array(inputs * levels);
  for (let n = 0, at = 0; n < samples; n++) {
    for (let i = 0; i < inputs; i++, at++) counts[i * levels + codes[at]!]!++;
  }
  return counts;
};

/** [inputs, entries]: by how much a squared error of an entry counts, the sum of F^2 over the samples. */
export const entryWeights = (layer: CodedLayer, counts: Float64Array): Float64Array => {
  const { inputs, levels, entries, features } = layer;
  if (features === undefined) return counts;
  const weights = new Float64Array(inputs * entries);
  for (let i = 0; i < inputs; i++) {
    for (let c = 0; c < levels; c++) {
      const at = featureRow(layer, features, i, c);
      const count = counts[i * levels + c]!;
      for (let k = 0; k < entries; k++) weights[i * entries + k]! += count * features.values[at + k]! ** 2;
    }
  }
  return weights;
};

/** The least stride of at least `least` that visits all places of a period. */
const strideFor = (least: number, period: number): number => {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.ceil(least));
  while (divisor(stride, period) !== 1) stride++;
  return stride;
};

/**
 * For every output of all groups the factor of its scale for which entries, rounded and clipped to [-top, top], are closest
 * to the table: the least sum over entries of weight times squared error. With few bits, clipping a few large entries costs
 * less than rounding all others coarsely.
 *
 * With `shared` there is one factor for all outputs, whose units must then be equal. `table` is [groups, inputs, entries,
 * outputs] in units of an entry, so that 1 is the factor that clips nothing; `weights` is [inputs, entries] of each group.
 */
export const clippingFactors = (
  groups: ReadonlyArray<CodedLayer>,
  weights: ReadonlyArray<Float64Array>,
  table: Float32Array,
  top: number,
  shared = false,
): Float64Array => {
  const width = groups[0]?.outputs ?? 0;
  const outputs = groups.length * width;
  const errors = new Float64Array(FACTORS.length * outputs);
  const every = strideFor(table.length / MOST_ENTRIES, groups[0]?.entries ?? 1);
  weights.forEach((own, g) => {
    for (let k = 0; k < own.length; k += every) {
      const weight = own[k]!;
      const row = (g * own.length + k) * width;
      for (let f = 0; weight > 0 && f < FACTORS.length; f++) {
        const factor = FACTORS[f]!;
        for (let o = 0; o < width; o++) {
          const value = table[row + o]!;
          const error = value - nearestEntry(value / factor, top) * factor;
          errors[f * outputs + g * width + o]! += weight * error * error;
        }
      }
    }
  });
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
