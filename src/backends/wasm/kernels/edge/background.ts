/**
 * Inputs that are not looked up while they have their frequent code: the *background*.
 *
 * What inputs add at their frequent codes is known beforehand, but not which of them have it. Neighbouring elements are
 * taken as pairs, background when both are, which makes lists half as long for few more rows. A kernel first makes
 * two lists of a sample: the pairs that are not background, and the *borders*, where background begins or ends.
 * Rows are added for the pairs of the first list only. What the background adds comes from sums over the first
 * k pairs, prepared for every k: a run of background adds the sum at its end minus the sum at its beginning,
 * however long it is. Sums are exact modulo their width, in which all accumulators are.
 */
import { type Block, blockOf, lazyBlock, roundUp } from '../../storage.js';
import type { CodeSource } from '../code-source.js';

/** Elements are looked at in pairs, sixteen pairs at a time. */
const STEP = 32;
/** Fewer inputs are not worth making lists for. */
const LEAST_INPUTS = 128;
/** Pairs are numbered in 16 bits. */
const MOST_ELEMENTS = 2 ** 16;

export interface Background {
  /** The first element of the source that is looked at, and how many are: a multiple of 32. */
  readonly first: number;
  readonly count: number;
  /** By element from the first: the input that reads it; -1 for one that is not looked up here. */
  readonly inputOf: Int32Array;
  /** By element: the code of the layer that is background there. */
  readonly codeOf: Int32Array;
  /** By element: codes of the source from `low` to `low + width` are background. */
  readonly low: Uint8Array;
  readonly width: Uint8Array;
}

/**
 * Which inputs take part: of `candidates`, those with a frequent code, to which the codes of the source in one interval
 * belong, that no other candidate reads; and those between them. Undefined where they are few, or codes have more than 8 bits.
 * `frequent`: by input. `inputs`: of the layer.
 */
export const backgroundOf = (
  source: CodeSource,
  frequent: ArrayLike<number> | undefined,
  candidates: ReadonlyArray<number>,
  inputs: number,
): Background | undefined => {
  if (frequent === undefined || source.storage !== 'u8') return undefined;
  const elementOf = (input: number): number => source.positions?.[input] ?? input;
  // Both elements of a pair are read: the other one must have a code too.
  let last = 0;
  for (let i = 0; i < inputs; i++) last = Math.max(last, elementOf(i));
  const intervals = intervalsOf(source);
  const readers = new Map<number, number>();
  for (const input of candidates) {
    const element = elementOf(input);
    if (intervals.get(frequent[input]!) === undefined || readers.has(element) || (element | 1) > last)
      continue;
    readers.set(element, input);
  }
  if (readers.size < LEAST_INPUTS) return undefined;
  const elements = [...readers.keys()];
  const first = elements.reduce((a, b) => Math.min(a, b)) & ~1;
  const end = (elements.reduce((a, b) => Math.max(a, b)) | 1) + 1;
  const count = roundUp(end - first, STEP);
  if (count > MOST_ELEMENTS) return undefined;
  // Any code may be taken for frequent. Those that have none stand among the others, whose rows are found faster.
  const usual = mostCommon([...readers.values()].map((input) => frequent[input]!));
  for (const input of candidates) {
    const element = elementOf(input);
    if (element >= first && element < end && !readers.has(element)) readers.set(element, input);
  }
  const inputOf = new Int32Array(count).fill(-1);
  const codeOf = new Int32Array(count);
  const low = new Uint8Array(count);
  const width = new Uint8Array(count).fill(255);
  for (const [element, input] of readers) {
    const code = intervals.has(frequent[input]!) ? frequent[input]! : usual;
    const interval = intervals.get(code)!;
    codeOf[element - first] = code;
    inputOf[element - first] = input;
    low[element - first] = interval.low;
    width[element - first] = interval.high - interval.low;
  }
  return { first, count, inputOf, codeOf, low, width };
};

const mostCommon = (codes: ReadonlyArray<number>): number => {
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
};

/** By code of the layer: the codes of the source that map to it, where those are one interval. */
const intervalsOf = (
  source: CodeSource,
): ReadonlyMap<number, { readonly low: number; readonly high: number }> => {
  const found = new Map<number, { low: number; high: number; size: number }>();
  for (let code = 0; code < source.levels; code++) {
    const mapped = source.map?.[code] ?? code;
    const seen = found.get(mapped);
    if (seen === undefined) found.set(mapped, { low: code, high: code, size: 1 });
    else found.set(mapped, { low: seen.low, high: code, size: seen.size + 1 });
  }
  return new Map([...found].filter(([, { low, high, size }]) => high - low + 1 === size));
};

/** The pairs that take part, by number; an input of -1 stands for an element that does not. */
export const backgroundPairs = (
  b: Background,
): ReadonlyArray<{ readonly pair: number; readonly inputs: readonly [number, number] }> =>
  Array.from({ length: b.count / 2 }, (_, pair) => ({
    pair,
    inputs: [b.inputOf[2 * pair]!, b.inputOf[2 * pair + 1]!] as const,
  })).filter(({ inputs: [x, y] }) => x >= 0 || y >= 0);

/** `low`, then `width`. */
export const intervalBlock = (b: Background): Block => {
  const data = new Uint8Array(2 * b.count);
  data.set(b.low);
  data.set(b.width, b.count);
  return blockOf(data);
};

/** By 8 bits: bytes of a vector in the order that moves the 16-bit lanes whose bits are set to its beginning. */
export const compactionBlock = (): Block => {
  const data = new Uint8Array(256 * 16);
  for (let bits = 0; bits < 256; bits++) {
    let to = 16 * bits;
    for (let k = 0; k < 8; k++) {
      if (((bits >> k) & 1) === 0) continue;
      data[to++] = 2 * k;
      data[to++] = 2 * k + 1;
    }
  }
  return blockOf(data);
};

/** By pair: its number among those that take part, which is the order of their rows. */
export const rankBlock = (b: Background): Block => {
  const ranks = new Uint16Array(b.count / 2);
  backgroundPairs(b).forEach(({ pair }, rank) => {
    ranks[pair] = rank;
  });
  return blockOf(ranks);
};

/** Sums of what the first k pairs add as background: [tiles, k = 0..count / 2, outputs of a tile]. */
export const prefixBlock = (
  b: Background,
  tiles: number,
  tile: number,
  entry: 2 | 4,
  /** Adds what an input adds at a code to the sums of all outputs. */
  addTo: (input: number, code: number, sums: Float64Array) => void,
): Block => {
  const pairs = b.count / 2;
  const length = tiles * (pairs + 1) * tile;
  return lazyBlock(length, entry, () => {
    const data = entry === 2 ? new Int16Array(length) : new Int32Array(length);
    const sums = new Float64Array(tiles * tile);
    for (let k = 0; k <= pairs; k++) {
      for (let t = 0; t < tiles; t++) {
        const to = (t * (pairs + 1) + k) * tile;
        // What is stored is the residue of a whole number below 2^53.
        for (let o = 0; o < tile; o++) data[to + o] = sums[t * tile + o]!;
      }
      for (let e = 2 * k; e < 2 * k + 2 && e < b.count; e++) {
        if (b.inputOf[e]! >= 0) addTo(b.inputOf[e]!, b.codeOf[e]!, sums);
      }
    }
    return data;
  });
};

/** Bytes of the sums of a tile. */
export const prefixBytes = (b: Background, tile: number, entry: 2 | 4): number =>
  (b.count / 2 + 1) * tile * entry;

/** Bytes of a list of pairs, and of the addresses of their rows. Lists are written in whole vectors of eight pairs, and end in one more. */
export const listBytes = (b: Background): { readonly pairs: number; readonly addresses: number } => ({
  pairs: roundUp(2 * (b.count / 2 + 9), 16),
  addresses: 4 * b.count + 64,
});
