/** What inputs have reached: blocks, and how often each of them, in powers of two. */

/** Counts that mean the same: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. A bit for each. */
const BUCKETS = Uint8Array.from({ length: 256 }, (_, n) => {
  const steps = [1, 2, 3, 4, 8, 16, 32, 128];
  const at = steps.findLastIndex((least) => n >= least);
  return at < 0 ? 0 : 1 << at;
});

export interface Reached {
  readonly seen: Uint8Array;
  blocks: number;
}

export const nothingReached = (blocks: number): Reached => ({ seen: new Uint8Array(blocks), blocks: 0 });

export type News = 'none' | 'counts' | 'blocks';

/** Adds the counters to what was reached, and clears them. */
export const addCounters = (reached: Reached, counters: Uint8Array): News => {
  const { seen } = reached;
  let news: News = 'none';
  for (let k = 0; k < counters.length; k++) {
    const n = counters[k]!;
    if (n === 0) continue;
    const bit = BUCKETS[n]!;
    const before = seen[k]!;
    if ((before & bit) === 0) {
      if (before === 0) {
        reached.blocks++;
        news = 'blocks';
      } else if (news === 'none') {
        news = 'counts';
      }
      seen[k] = before | bit;
    }
  }
  counters.fill(0);
  return news;
};
