/** What cannot be bettered: points that no other one beats in everything. */

/**
 * The indices of the points that are not dominated, ascending. A point is dominated where another one is at most as
 * large in every measure and smaller in one; of points that are alike the first stays. Rows of `measures` are as long
 * as each other, and smaller is better.
 */
export const paretoFront = (measures: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> => {
  // In lexicographic order whatever dominates a point comes before it, and so do its equals.
  const order = measures.map((_, k) => k).sort((a, b) => compare(measures[a]!, measures[b]!) || a - b);
  const front: number[] = [];
  for (const k of order) {
    if (!front.some((f) => measures[f]!.every((m, j) => m <= measures[k]![j]!))) front.push(k);
  }
  return front.sort((a, b) => a - b);
};

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  for (let j = 0; j < a.length; j++) if (a[j] !== b[j]) return a[j]! - b[j]!;
  return 0;
};
