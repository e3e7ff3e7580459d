/** The part of an edge layer whose background is not looked up: rows of the foreground only. */
import { type Asm, type Expr, type Local, repeat, scaled } from '../asm.js';
import type { Block } from '../storage.js';
import { blockOf } from '../storage.js';
import {
  type Background,
  backgroundPairs,
  compactionBlock,
  intervalBlock,
  listBytes,
  prefixBlock,
} from './background.js';
import { type BackgroundPlaces, type ElementRange, findForeground } from './background-emit.js';
import type { CodeSource } from './code-source.js';
import type { EdgeAnalysis } from './edge-analysis.js';
import type { EdgeTiling } from './edge-layout.js';
import {
  type AddRows,
  type Flushing,
  groupLoop,
  ROUND,
  type Row,
  rowOffset,
  unlessDone,
} from './edge-rows.js';
import type { CodeBase } from './tile-loops.js';

export interface EdgeForeground {
  readonly background: Background;
  /** Rows that are added together before they are widened: legal for any inputs that take part. */
  readonly size: 1 | 2 | 4;
  /** Bytes of an entry of the sums of the background. */
  readonly entry: 2 | 4;
  /** The elements that are looked at here. */
  readonly range: ElementRange;
}

/** Whether, in every output, the largest entries of any `size` inputs sum to at most `capacity`. */
export const anyFit = (
  { span, table }: EdgeAnalysis,
  inputs: ReadonlyArray<number>,
  size: number,
  capacity: number,
): boolean => {
  const largest = new Float64Array(size);
  for (let o = 0; o < table.outputs; o++) {
    largest.fill(0);
    for (const i of inputs) {
      const s = span[table.slabOf(i) * table.outputs + o]!;
      if (s <= largest[0]!) continue;
      largest[0] = s;
      largest.sort();
    }
    if (largest.reduce((a, b) => a + b, 0) > capacity) return false;
  }
  return true;
};

/**
 * Intervals, compaction, sums of the background by tile, and byte offsets of slabs by pair.
 */
export const foregroundBlocks = (
  f: EdgeForeground,
  analysis: EdgeAnalysis,
  tiling: EdgeTiling,
  frequent: ArrayLike<number>,
): ReadonlyArray<Block> => {
  const { table, min } = analysis;
  const { outputs, slabOf } = table;
  const addTo = (input: number, sums: Float64Array): void => {
    const slab = slabOf(input);
    const row = table.first(slab, 0) + frequent[input]! * outputs;
    for (let o = 0; o < outputs; o++) sums[o]! += table.data[row + o]! - min[slab * outputs + o]!;
  };
  const offsets = new Uint32Array(f.background.count / 2);
  // Slabs of pairs come first, in their order.
  backgroundPairs(f.background).forEach(({ pair }, k) => {
    offsets[pair] = 2 * k * tiling.rowBytes;
  });
  return [
    intervalBlock(f.background),
    compactionBlock(),
    prefixBlock(f.background, tiling.tiles, tiling.tile, f.entry, addTo),
    blockOf(offsets),
  ];
};

/** Where the blocks are, and where the kernel's own memory starts. */
export interface ForegroundPlaces {
  readonly blocks: ReadonlyArray<number>;
  readonly scratch: number;
}

const listPlaces = ({ background }: EdgeForeground, places: ForegroundPlaces): BackgroundPlaces => ({
  intervals: places.blocks[0]!,
  compaction: places.blocks[1]!,
  foreground: places.scratch,
  borders: places.scratch + listBytes(background).pairs,
});

/** Own memory that is needed, besides where accumulators start. */
export const foregroundBytes = ({ background }: EdgeForeground): number =>
  2 * listBytes(background).pairs + listBytes(background).addresses;

export interface RowSource {
  readonly source: CodeSource;
  readonly codes: CodeBase;
  readonly codeStride: number;
  readonly map: number;
  readonly tiling: EdgeTiling;
  /** Tiles that are added up for a list of foreground. */
  readonly tiles: number;
}

/** What runs once for a sample, and what for each of its tiles. */
export interface ForegroundCode {
  readonly once: ReadonlyArray<Expr>;
  readonly borders: { readonly begin: number; readonly end: Local };
  /** Adds the rows of the foreground in a tile; `table`: where the table of the tile starts. */
  readonly add: (
    addRows: AddRows,
    table: { readonly pointer: (() => Expr) | undefined; readonly offset: number },
    flushing: ((groups: number) => Flushing) | undefined,
  ) => ReadonlyArray<Expr>;
}

/** With several tiles the addresses of rows are computed once. */
export const foregroundCode = (
  asm: Asm,
  f: EdgeForeground,
  places: ForegroundPlaces,
  rows: RowSource,
): ForegroundCode => {
  const { m } = asm;
  const { background, size } = f;
  const lists = listPlaces(f, places);
  const found = findForeground(asm, background, f.range, rows.codes, lists);
  const at = asm.i32();
  const from: CodeBase = { pointer: rows.codes.pointer, offset: rows.codes.offset + background.first };
  const offsetOf = (codes: CodeBase, element: () => Expr): Expr =>
    rowOffset(asm, rows.source, codes, element, rows.codeStride, rows.map);
  /** Where the rows of a pair are in a tile. `slab`, `element`: set before. */
  const rowsOf = (slab: Local, element: Local): readonly [Row, Row] => [
    { pointer: () => m.i32.add(slab.get(), offsetOf(from, element.get)), offset: 0 },
    {
      pointer: () => m.i32.add(slab.get(), offsetOf({ ...from, offset: from.offset + 1 }, element.get)),
      offset: rows.tiling.rowBytes,
    },
  ];
  const find = (pair: Expr, slab: Local, element: Local): ReadonlyArray<Expr> => [
    element.set(pair),
    slab.set(m.i32.load(places.blocks[3]!, 1, scaled(m, element.get(), 4))),
    element.set(m.i32.shl(element.get(), m.i32.const(1))),
  ];
  const listed = rows.tiles > 1;
  const addresses = lists.borders + listBytes(background).pairs;
  const addressesEnd = asm.i32();
  const slabs = Array.from({ length: ROUND / 2 }, () => asm.i32());
  const elements = Array.from({ length: ROUND / 2 }, () => asm.i32());
  const write = (): ReadonlyArray<Expr> => [
    addressesEnd.set(m.i32.const(addresses)),
    at.set(m.i32.const(lists.foreground)),
    unlessDone(asm, at, found.end.get, [
      repeat(asm, at, 2, found.end.get, [
        ...find(m.i32.load16_u(0, 1, at.get()), slabs[0]!, elements[0]!),
        ...rowsOf(slabs[0]!, elements[0]!).map((row, k) =>
          m.i32.store(4 * k, 4, addressesEnd.get(), m.i32.add(row.pointer(), m.i32.const(row.offset))),
        ),
        addressesEnd.set(m.i32.add(addressesEnd.get(), m.i32.const(8))),
      ]),
    ]),
  ];
  /** The list that is walked, and the bytes of a pair in it. */
  const [start, end, entry] = listed ? [addresses, addressesEnd, 8] : [lists.foreground, found.end, 2];
  const stop = asm.i32();
  const most = backgroundPairs(background).length;
  return {
    once: [...found.code, ...(listed ? write() : [])],
    borders: { begin: lists.borders, end: found.bordersEnd },
    add: (addRows, table, flushing) => {
      const inTile = (row: Row): Row => ({
        pointer: () =>
          table.pointer === undefined ? row.pointer() : m.i32.add(row.pointer(), table.pointer()),
        offset: table.offset + row.offset,
      });
      const round = (pairs: number): ReadonlyArray<Expr> => {
        const members = Array.from({ length: pairs }, (_, k) =>
          listed
            ? [0, 4].map((half) => ({
                pointer: () => m.i32.load(entry * k + half, 1, at.get()),
                offset: 0,
              }))
            : rowsOf(slabs[k]!, elements[k]!),
        ).flat();
        const together = Math.min(size, 2 * pairs);
        return [
          ...(listed
            ? []
            : Array.from({ length: pairs }, (_, k) =>
                find(m.i32.load16_u(entry * k, 1, at.get()), slabs[k]!, elements[k]!),
              ).flat()),
          ...addRows(
            Array.from({ length: (2 * pairs) / together }, (_, g) =>
              members.slice(g * together, (g + 1) * together).map(inTile),
            ),
          ),
        ];
      };
      const loop = (pairs: number, to: Local, rounds: number): Expr =>
        unlessDone(
          asm,
          at,
          to.get,
          groupLoop(
            asm,
            at,
            pairs * entry,
            to.get,
            rounds,
            round(pairs),
            flushing?.((2 * pairs) / Math.min(size, 2 * pairs)),
          ),
        );
      // Whole rounds, then what is left pair by pair.
      const bytes = (ROUND / 2) * entry;
      const whole = m.i32.and(m.i32.sub(end.get(), m.i32.const(start)), m.i32.const(~(bytes - 1)));
      return [
        at.set(m.i32.const(start)),
        stop.set(m.i32.add(whole, m.i32.const(start))),
        loop(ROUND / 2, stop, Math.floor(most / (ROUND / 2))),
        loop(1, end, ROUND / 2 - 1),
      ];
    },
  };
};
