/** B-splines found one by one are put back on the row of knots that they come from. */

/** Knots on which functions of an order stand, and where each begins. */
export interface KnotChain {
  readonly knots: ReadonlyArray<number>;
  /** Of each window that was given, by its index there. */
  readonly starts: ReadonlyMap<number, number>;
}

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return a[k]! - b[k]!;
  return 0;
};

/** Knots that were computed from slopes differ in their last digits from those of their neighbours. */
const ROUNDING = 4e-7;

/** How far behind the start of the last window another can stand, `undefined` where it fits on no row with it. */
const shiftOf = (last: ReadonlyArray<number>, window: ReadonlyArray<number>): number | undefined => {
  const [first, end] = [window[0]!, window[window.length - 1]!];
  const tolerance = ROUNDING * Math.max(end - first, Math.abs(first), Math.abs(end));
  for (let shift = 1; shift <= last.length; shift++) {
    let same = true;
    for (let k = 0; k + shift < last.length && same; k++) {
      same = Math.abs(last[k + shift]! - window[k]!) <= tolerance;
    }
    if (same && first >= last[shift - 1]!) return shift;
  }
  return undefined;
};

/** Windows of order + 2 knots on as few rows as they fit on, in order. */
export const chainsOf = (windows: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<KnotChain> => {
  const order = windows.map((_, j) => j).sort((a, b) => compare(windows[a]!, windows[b]!));
  const chains: { knots: number[]; starts: Map<number, number>; last: ReadonlyArray<number>; at: number }[] =
    [];
  for (const j of order) {
    const window = windows[j]!;
    // Neighbours overlap; what only stands behind the end of a row may belong to another.
    let best: { chain: (typeof chains)[number]; shift: number } | undefined;
    for (const chain of chains) {
      const shift = shiftOf(chain.last, window);
      if (shift !== undefined && (best === undefined || shift < best.shift)) best = { chain, shift };
    }
    if (best === undefined) {
      chains.push({ knots: [...window], starts: new Map([[j, 0]]), last: window, at: 0 });
      continue;
    }
    const { chain, shift } = best;
    chain.knots.push(...window.slice(window.length - shift));
    chain.at += shift;
    chain.last = chain.knots.slice(-window.length);
    chain.starts.set(j, chain.at);
  }
  return chains;
};

/** Where a row stands in a longer one, or undefined. */
export const offsetIn = (longer: ReadonlyArray<number>, row: ReadonlyArray<number>): number | undefined => {
  for (let at = 0; at + row.length <= longer.length; at++) {
    if (row.every((t, k) => t === longer[at + k])) return at;
  }
  return undefined;
};

/** A row with more knots behind its end, at its mean distance: for functions whose weights are 0. */
export const lengthened = (row: ReadonlyArray<number>, count: number): ReadonlyArray<number> => {
  const [first, last] = [row[0]!, row[row.length - 1]!];
  const step = Math.max((last - first) / (row.length - 1), Math.abs(last) * 2 ** -20, 2 ** -100);
  const more = Array.from({ length: Math.max(0, count - row.length) }, (_, k) =>
    Math.fround(last + step * (k + 1)),
  );
  return [...row, ...more];
};
