/** Runs a property batch by batch until the extent is used up; between batches the clock is looked at. */
import * as fc from 'fast-check';
import { addFinding, type Extent, goesOn, type Tally } from './tally.js';

export interface Batches<F> {
  /** fast-check's runs at a time. */
  readonly size: number;
  /** Longest search for a smaller case, in milliseconds. */
  readonly shrink: number;
  /** What the property has found wrong in this batch; the property appends. */
  readonly failures: F[];
  /** Writes the smallest of them; gives its message and the folder. */
  readonly keep: (failure: F) => { readonly message: string; readonly folder: string };
  readonly onProgress: (tally: Tally) => void;
}

/** Every kind of finding is made small and written once. The property counts executions in the tally. */
export const runBatches = async <F, Ts>(
  property: fc.IRawProperty<Ts>,
  tally: Tally,
  extent: Extent,
  { size, shrink, failures, keep, onProgress }: Batches<F>,
): Promise<void> => {
  const start = performance.now();
  const end = start + extent.seconds * 1000;
  for (let batch = 0; goesOn(extent, tally, start); batch++) {
    failures.length = 0;
    const left = end - performance.now();
    const details = await fc.check(property, {
      seed: extent.seed * 1_000_003 + batch,
      numRuns: Math.min(size, extent.executions - tally.executions),
      interruptAfterTimeLimit: Math.min(Math.max(left, shrink), 2 ** 31 - 1),
      skipAllAfterTimeLimit: Math.min(Math.max(left, 1), 2 ** 31 - 1),
      markInterruptAsFailure: false,
    });
    // The last that failed is the smallest: shrinking goes on from failures alone.
    const found = failures.at(-1);
    if (details.failed && found !== undefined) {
      const { message, folder } = keep(found);
      addFinding(tally, message, folder);
    }
    onProgress(tally);
  }
};
