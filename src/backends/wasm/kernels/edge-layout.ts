/**
 * How an edge table lies in memory.
 *
 * Outputs are cut into equal tiles whose accumulators stay in registers. A tile is an array [slot, code, row];
 * a row is a few *units* of 8 outputs (4 for 16-bit entries that sum to 32 bits). Two units share a 16-byte
 * vector, interleaved: unit A in the low half of each double-width lane, unit B in the high half. Then
 * `sum += row` adds A + 2^w B and `high += row >> w` adds B, both modulo the lane, and A = sum - (high << w):
 * four instructions for 16 outputs without any widening. An odd last unit is a half vector, widened by its load.
 */
import { type Block, blockOf, roundUp } from '../storage.js';
import type { EdgeAnalysis } from './edge-analysis.js';

/** Accumulator lanes: entries of `entry` bytes are added in lanes of `lane` bytes. */
export interface EdgeMode {
  readonly _tag: 'split8' | 'split16' | 'direct16';
  readonly entry: 1 | 2;
  readonly lane: 2 | 4;
  /** Outputs of a unit. */
  readonly unit: 8 | 4;
}

export const SPLIT8: EdgeMode = { _tag: 'split8', entry: 1, lane: 2, unit: 8 };
export const SPLIT16: EdgeMode = { _tag: 'split16', entry: 2, lane: 4, unit: 4 };
/** 16-bit entries whose sums fit 16 bits: whole vectors are added as they are. */
export const DIRECT16: EdgeMode = { _tag: 'direct16', entry: 2, lane: 2, unit: 8 };

export interface EdgeTiling {
  readonly mode: EdgeMode;
  readonly tiles: number;
  /** Units of a tile. */
  readonly units: number;
  /** Outputs of a tile, padding included. */
  readonly width: number;
  readonly rowBytes: number;
}

/**
 * Accumulators of a tile. x86 has 16 vector registers, and a row that was just loaded needs one or two. Measured
 * on layers of 72 to 256 outputs: 8 to 10 are equally fast, 12 cost up to a fifth more, 16 half more.
 */
const MAX_UNITS = 10;

export const tileOutputs = (mode: EdgeMode, outputs: number): EdgeTiling => {
  const all = Math.ceil(outputs / mode.unit);
  const tiles = Math.ceil(all / MAX_UNITS);
  const units = Math.ceil(all / tiles);
  const width = units * mode.unit;
  return { mode, tiles, units, width, rowBytes: width * mode.entry };
};

/** Position of output k of a tile in its row, in entries. */
const column = (t: EdgeTiling, k: number): number => {
  if (t.mode._tag === 'direct16') return k;
  const { unit } = t.mode;
  const vector = Math.floor(k / (2 * unit));
  const within = k % (2 * unit);
  const start = vector * 2 * unit;
  if (2 * vector + 1 === t.units) return start + within;
  return start + (within < unit ? 2 * within : 2 * (within - unit) + 1);
};

/** Bytes of one slab in one tile. */
export const slabBytes = (t: EdgeTiling, codes: number): number => codes * t.rowBytes;

/** The table in its layout: [tiles, slabs in the given order, codes, row]. */
export const packTable = (
  t: EdgeTiling,
  analysis: EdgeAnalysis,
  table: ArrayLike<number>,
  slabs: ArrayLike<number>,
): Block => {
  const { codes, outputs, min } = analysis;
  const rowEntries = t.rowBytes / t.mode.entry;
  const length = t.tiles * slabs.length * codes * rowEntries;
  const data = t.mode.entry === 1 ? new Uint8Array(length) : new Uint16Array(length);
  const columns = Int32Array.from({ length: t.width }, (_, k) => column(t, k));
  let to = 0;
  for (let tile = 0; tile < t.tiles; tile++) {
    const first = tile * t.width;
    const count = Math.min(t.width, outputs - first);
    for (let slot = 0; slot < slabs.length; slot++) {
      const slab = slabs[slot]!;
      const low = slab * outputs + first;
      let from = slab * codes * outputs + first;
      for (let c = 0; c < codes; c++) {
        for (let k = 0; k < count; k++) data[to + columns[k]!] = table[from + k]! - min[low + k]!;
        from += outputs;
        to += rowEntries;
      }
    }
  }
  // Rows that fill cache lines must not straddle them.
  return blockOf(data, 64);
};

/** The constant part of the accumulators, padded to whole tiles, in their storage width. */
export const offsets = (t: EdgeTiling, offset: Float64Array, wide: boolean): Int16Array | Int32Array => {
  const length = roundUp(t.tiles * t.width, 8);
  const data = wide ? new Int32Array(length) : new Int16Array(length);
  data.set(offset);
  return data;
};
