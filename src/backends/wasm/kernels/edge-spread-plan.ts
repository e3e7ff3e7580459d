/** Whether a layer over windows is taken apart by pixels (edge-spread.ts), and how its sums lie. */
import { roundUp } from '../storage.js';
import type { EdgeTable } from './edge-analysis.js';
import { type EdgeMode, type EdgeTiling, MAX_UNITS, tilesOf } from './edge-layout.js';
import type { WindowGeometry } from './window.js';

/** Spread sums that do not stay in a second-level cache cost more than they save. */
const MOST_BYTES = 1024 * 1024;
/** Instructions that find a row. */
const FIND = 5;
/** What a cache line costs in instructions, in tables that stay in the second-level cache and in others. */
const [LINE, LINE_BEYOND, CACHED] = [1, 6, 512 * 1024];
/** Outputs of a vector of 16-bit sums. */
export const OUTPUTS = 8;

/** How a layer is taken apart. */
export interface Spread {
  readonly geometry: WindowGeometry;
  readonly places: number;
  /** Outputs of a tap, in whole vectors. */
  readonly outputs: number;
  readonly tiling: EdgeTiling;
  /** Bytes of the spread sums of a pixel, and of all pixels with their frame, which stays zero. */
  readonly pixelBytes: number;
  readonly bytes: number;
}

/**
 * Instructions for a row of a tile: four for 16 outputs of one byte, three for a half vector, and those that a cache line is
 * worth.
 */
const rowCost = (mode: EdgeMode, units: number, line: number): number => {
  const vectors = mode._tag === 'direct16' ? 2 * units : 4 * Math.floor(units / 2) + 3 * (units % 2);
  const bytes = units * mode.unit * mode.entry;
  return FIND + vectors + line * Math.ceil(bytes / 64 + (bytes % 64 === 0 ? 0 : 0.5));
};

const tilingOf = (mode: EdgeMode, outputs: number, line: number): EdgeTiling => {
  const all = Math.ceil(outputs / mode.unit);
  const cost = (units: number): number => Math.ceil(all / units) * rowCost(mode, units, line);
  const sizes = Array.from({ length: Math.min(MAX_UNITS, all) }, (_, k) => k + 1);
  const units = sizes.reduce((a, b) => (cost(b) <= cost(a) ? b : a));
  return tilesOf(mode, outputs, 1, units);
};

/** Undefined where the layer is better summed window by window. `isUnit`: stride 1; `mode`: of 16-bit lanes. */
export const spreadOf = (
  g: WindowGeometry,
  isUnit: boolean,
  mode: EdgeMode,
  { width, codes }: EdgeTable,
): Spread | undefined => {
  if (!isUnit || g.groups > 1 || g.area === 1 || mode.lane !== 2) return undefined;
  const outputs = roundUp(width, OUTPUTS);
  const line = g.taps * codes * width * mode.entry > CACHED ? LINE_BEYOND : LINE;
  const tiling = tilingOf(mode, g.area * outputs, line);
  const pixelBytes = 2 * tiling.tiles * tiling.tile;
  const bytes = (g.height + 2 * g.frame[0]) * (g.width + 2 * g.frame[1]) * pixelBytes;
  const pixels = g.height * g.width;
  const spread =
    pixels * g.channels * tiling.tiles * rowCost(mode, tiling.units, line) +
    g.starts.length * (outputs / OUTPUTS) * 2 * (g.area + 1);
  const direct = g.starts.length * g.taps * rowCost(mode, Math.ceil(width / mode.unit), line);
  return bytes > MOST_BYTES || direct <= spread
    ? undefined
    : { geometry: g, places: g.area, outputs, tiling, pixelBytes, bytes };
};
