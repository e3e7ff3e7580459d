/** What calibration saw of one feature, for what its codes are to stand for. */
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { decodeValue, type Quantizer } from '../ir/quantizer.js';

/**
 * Values far from nearly all others (see numeric/histogram.ts) that lie beyond the range of the quantizer: they are clipped, and
 * what their code stands for must not be moved by how far away they are.
 */
const isCutOff = (q: Quantizer, feature: number, core: readonly [number, number]) => {
  const at = (code: number): number => decodeValue(q, feature, code);
  const last = q.levels - 1;
  const lo = Math.min(core[0], at(0) - (at(1) - at(0)) / 2);
  const hi = Math.max(core[1], at(last) + (at(last) - at(last - 1)) / 2);
  return (x: number): boolean => x < lo || x > hi;
};

/** Visits the means of the occupied bins of a feature with how many values they stand for, but for those that are cut off. */
export const eachSeenBin = (
  stats: ObserveAttrs,
  quantizer: Quantizer,
  feature: number,
  visit: (mean: number, count: number) => void,
): void => {
  const bins = stats.counts.shape[1]!;
  const cutOff = stats.core === undefined ? () => false : isCutOff(quantizer, feature, stats.core);
  for (let b = feature * bins; b < (feature + 1) * bins; b++) {
    const count = stats.counts.data[b]!;
    if (count === 0) continue;
    const mean = stats.means.data[b]!;
    if (!cutOff(mean)) visit(mean, count);
  }
};
