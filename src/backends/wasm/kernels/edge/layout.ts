/**
 * How an edge table lies in memory.
 *
 * Outputs are cut into equal tiles whose accumulators stay in registers. A tile is an array [slot, code, row];
 * a row is a few *units* of 8 outputs (4 for 16-bit entries that sum to 32 bits). Two units share a 16-byte
 * vector, interleaved: unit A in the low half of each double-width lane, unit B in the high half. Then
 * `sum += row` adds A + 2^w B and `high += row >> w` adds B, both modulo the lane, and A = sum - (high << w):
 * four instructions for 16 outputs without any widening. An odd last unit is a half vector, widened by its load.
 */
import type { TypedArray } from '../../../../ir/element.js';
import { type Block, lazyBlock } from '../../storage.js';
import type { Tiles } from '../tile-loops.js';
import type { EdgeAnalysis } from './analysis.js';

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

export interface EdgeTiling extends Tiles {
  readonly mode: EdgeMode;
  /** Units of a tile. */
  readonly units: number;
  readonly rowBytes: number;
}

/** Code is written out for a tile: longer code would not stay in the cache of decoded instructions. */
export const MAX_UNITS = 16;

/** `outputs`: of a group. */
export const tileOutputs = (mode: EdgeMode, outputs: number, groups: number): EdgeTiling => {
  const all = Math.ceil(outputs / mode.unit);
  return tilesOf(mode, outputs, groups, Math.ceil(all / Math.ceil(all / MAX_UNITS)));
};

/** Tiles of so many units. */
export const tilesOf = (mode: EdgeMode, outputs: number, groups: number, units: number): EdgeTiling => {
  const tile = units * mode.unit;
  return {
    mode,
    groups,
    tiles: Math.ceil(outputs / tile),
    units,
    tile,
    outputs,
    rowBytes: tile * mode.entry,
  };
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

/**
 * Bytes from the row of one code to that of the next, for the same slab. Rows of all slabs at one code stand side by
 * side, because neighbouring inputs often have equal codes (the background of an image): what is read is then a run
 * of memory. A multiple of 4096 would put the rows of a slab into one set of a cache, so it is avoided.
 */
export const codeStride = (t: EdgeTiling, slabs: number): number => {
  const bytes = slabs * t.rowBytes;
  return bytes % 4096 === 0 ? bytes + 64 : bytes;
};

/** The table in its layout: [groups, tiles, codes, slabs in the given order, row]; a slab of -1 is all zeros. */
export const packTable = (t: EdgeTiling, analysis: EdgeAnalysis, slabs: ArrayLike<number>): Block => {
  const { min, table } = analysis;
  const { codes, outputs, width } = table;
  const rowEntries = t.rowBytes / t.mode.entry;
  const codeEntries = codeStride(t, slabs.length) / t.mode.entry;
  const length = t.groups * t.tiles * codes * codeEntries;
  const pack = (): TypedArray => {
    const data = t.mode.entry === 1 ? new Uint8Array(length) : new Uint16Array(length);
    const columns = Int32Array.from({ length: t.tile }, (_, k) => column(t, k));
    for (let number = 0; number < t.groups * t.tiles; number++) {
      const group = Math.floor(number / t.tiles);
      const skip = (number % t.tiles) * t.tile;
      const count = Math.min(t.tile, width - skip);
      for (let slot = 0; slot < slabs.length; slot++) {
        const slab = slabs[slot]!;
        if (slab < 0) continue;
        const low = slab * outputs + group * width + skip;
        let from = table.first(slab, group) + skip;
        let to = number * codes * codeEntries + slot * rowEntries;
        for (let c = 0; c < codes; c++) {
          for (let k = 0; k < count; k++) data[to + columns[k]!] = table.data[from + k]! - min[low + k]!;
          from += width;
          to += codeEntries;
        }
      }
    }
    return data;
  };
  // Rows that fill cache lines must not straddle them.
  return lazyBlock(length, t.mode.entry, pack, 64);
};
