/** Scores of edges in one byte each, as maps, and as distributions: what a page shows of very many. */
import { type Distribution, SCORE_DECADES } from './model.js';
import { brief } from './pack.js';

const BINS = 48;

const largest = (values: Float32Array): number => values.reduce((a, v) => Math.max(a, v), 0);

/** 0 for 0, else 1 to 255 by the logarithm, of which 255 is `max`. */
export const scoreCode = (value: number, max: number): number => {
  if (!(value > 0) || max <= 0) return 0;
  const share = 1 + Math.log10(value / max) / SCORE_DECADES;
  return Math.max(1, Math.min(255, Math.round(1 + 254 * share)));
};

export const scoreCodes = (values: Float32Array): Uint8Array => {
  const max = largest(values);
  return Uint8Array.from(values, (v) => scoreCode(v, max));
};

export const distribution = (values: Float32Array): Distribution => {
  const max = largest(values);
  const counts = new Array<number>(BINS).fill(0);
  let zeros = 0;
  for (const v of values) {
    const code = scoreCode(v, max);
    if (code === 0) zeros++;
    else counts[Math.min(BINS - 1, Math.floor(((code - 1) * BINS) / 255))]!++;
  }
  const sorted = values.slice().sort();
  return {
    min: brief(sorted[0] ?? 0),
    max: brief(max),
    median: brief(sorted[sorted.length >> 1] ?? 0),
    zeros,
    counts,
  };
};

const MAP_SIDE = 512;

/** The largest code over blocks of a matrix, so that no side has more than `MAP_SIDE`. */
export const scoreMap = (
  codes: Uint8Array,
  rows: number,
  columns: number,
): { readonly rows: number; readonly columns: number; readonly codes: Uint8Array } => {
  const [rowStep, columnStep] = [Math.ceil(rows / MAP_SIDE), Math.ceil(columns / MAP_SIDE)];
  const [height, width] = [Math.ceil(rows / rowStep), Math.ceil(columns / columnStep)];
  const map = new Uint8Array(height * width);
  for (let r = 0; r < rows; r++) {
    const at = Math.floor(r / rowStep) * width;
    for (let c = 0; c < columns; c++) {
      const to = at + Math.floor(c / columnStep);
      const code = codes[r * columns + c] ?? 0;
      if (code > (map[to] ?? 0)) map[to] = code;
    }
  }
  return { rows: height, columns: width, codes: map };
};

/** Indices of the `count` largest values, largest first; of equal ones the first. */
export const topOf = (values: Float32Array, count: number): ReadonlyArray<number> => {
  const order = Uint32Array.from(values, (_, e) => e);
  // A sort of all is what takes longest of a layer with millions of edges, so only candidates are sorted.
  const sorted = values.slice().sort();
  const bar = sorted[Math.max(0, sorted.length - count)] ?? 0;
  return [...order.filter((e) => (values[e] ?? 0) >= bar)]
    .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
    .slice(0, count);
};
