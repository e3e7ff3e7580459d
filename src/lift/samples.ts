/** Which elements of a tensor belong to the first sample of a batch. */

import type { Trace } from './trace/index.js';
import { owners } from './trace/state.js';
import { sourceAt, type Varying } from './traced.js';

/**
 * The elements of sample 0 in order. Constants belong to the sample in whose part of the tensor they lie, samples lying
 * one after the other.
 */
export const samplesOfElements = ({ cuts, program }: Trace, v: Varying): Int32Array => {
  const owner = owners(cuts);
  const n = v.source.length;
  const found: number[] = [];
  for (let e = 0; e < n; e++) {
    const s = sourceAt(v, e);
    if (s < 0) {
      if (Math.floor((e * program.samples) / n) === 0) found.push(e);
      continue;
    }
    const cut = owner(s);
    if (cut.sample[s - cut.base] === 0) found.push(e);
  }
  return Int32Array.from(found);
};
