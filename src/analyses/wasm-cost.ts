/**
 * Time of a layer in each form as a WASM kernel: linear in a few counts, with coefficients that were fitted to
 * measurements (`npx tsx bench/kernels.ts --write`). Constants are data, so that the choice of a form stays the same on
 * every machine.
 */
import { WASM_COST } from './wasm-cost-data.js';

/** What the time of a layer depends on. */
export interface KernelShape {
  /** Inputs of a table row sum: of the layer, or the taps of one window. */
  readonly inputs: number;
  /** Outputs of a row: of the layer, or of one group of a window. */
  readonly outputs: number;
  /** Rows that are summed apart: windows times groups; 1 for layers of features. */
  readonly sums: number;
  /** Bytes of an entry or coefficient in memory. */
  readonly entryBytes: number;
  /** Bytes of all tables of the layer. */
  readonly bytes: number;
  /** Products of an edge, in the basis form: p + 1, and one for a base branch. */
  readonly products: number;
}

/** Sizes of second- and third-level caches that the model tells apart. */
const CACHES = [512 * 1024, 8 * 2 ** 20];

/** Share of a table that lies outside of a cache. */
const outside = (bytes: number, cache: number): number => Math.max(0, 1 - cache / bytes);

/** A count for each coefficient: calls, sums, inputs of sums, vectors of additions or products, and those of them that miss. */
const counts = (sums: number, rows: number, vectors: number, bytes: number): ReadonlyArray<number> => [
  1,
  sums,
  rows,
  rows * vectors,
  ...CACHES.map((cache) => rows * vectors * outside(bytes, cache)),
];

/** Edge form: for each input a row of entries, 16 bytes at a time. */
export const edgeCounts = (s: KernelShape): ReadonlyArray<number> =>
  counts(s.sums, s.sums * s.inputs, Math.ceil((s.outputs * s.entryBytes) / 16), s.bytes);

/** Basis form: for each input half as many dot products as there are functions, for 4 outputs each. */
export const basisCounts = (s: KernelShape): ReadonlyArray<number> =>
  counts(s.sums, s.sums * s.inputs, Math.ceil(s.outputs / 4) * Math.ceil(s.products / 2), s.bytes);

export const COUNT_NAMES = ['call', 'sum', 'row', 'vector', 'vector outside L2', 'vector outside L3'];

const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  a.reduce((sum, v, k) => sum + v * (b[k] ?? 0), 0);

/** Microseconds of one inference, in calls of several samples. */
export const edgeMicroseconds = (s: KernelShape): number => dot(edgeCounts(s), WASM_COST.edge);

export const basisMicroseconds = (s: KernelShape): number => dot(basisCounts(s), WASM_COST.basis);
