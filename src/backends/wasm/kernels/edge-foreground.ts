/** The part of an edge layer whose background is not looked up: rows of foreground elements only. */
import { type Asm, type Expr, type Local, repeat, scaled } from '../asm.js';
import type { Block } from '../storage.js';
import { blockOf } from '../storage.js';
import {
  type Background,
  backgroundInputs,
  compactionBlock,
  intervalBlock,
  listBytes,
  prefixBlock,
} from './background.js';
import { type BackgroundPlaces, findForeground } from './background-emit.js';
import type { CodeSource } from './code-source.js';
import type { EdgeAnalysis } from './edge-analysis.js';
import type { EdgeTiling } from './edge-layout.js';
import { type AddRows, type Flushing, groupLoop, ROUND, rowOffset, unlessDone } from './edge-rows.js';
import type { CodeBase } from './tile-loops.js';

export interface EdgeForeground {
  readonly background: Background;
  /** Rows that are added together before they are widened: legal for any inputs that take part. */
  readonly size: 1 | 2 | 4;
  /** Bytes of an entry of the sums of the background. */
  readonly entry: 2 | 4;
  /** Slabs stand in the order of the elements, one for each; otherwise a block tells where they are. */
  readonly linear: boolean;
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
 * Intervals, compaction, sums of the background by tile, and byte offsets of slabs by element (none when linear).
 * `slabOffset`: of an input.
 */
export const foregroundBlocks = (
  f: EdgeForeground,
  analysis: EdgeAnalysis,
  tiling: EdgeTiling,
  frequent: ArrayLike<number>,
  slabOffset: (input: number) => number,
): ReadonlyArray<Block> => {
  const { table, min } = analysis;
  const { outputs, slabOf } = table;
  const addTo = (input: number, sums: Float64Array): void => {
    const slab = slabOf(input);
    const row = table.first(slab, 0) + frequent[input]! * outputs;
    for (let o = 0; o < outputs; o++) sums[o]! += table.data[row + o]! - min[slab * outputs + o]!;
  };
  const offsets = f.linear ? [] : Array.from(f.background.inputOf, (i) => (i < 0 ? 0 : slabOffset(i)));
  return [
    intervalBlock(f.background),
    compactionBlock(),
    prefixBlock(f.background, tiling.tiles, tiling.tile, f.entry, addTo),
    blockOf(Uint32Array.from(offsets)),
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
  borders: places.scratch + listBytes(background).elements,
});

/** Own memory that is needed, besides where accumulators start. */
export const foregroundBytes = ({ background }: EdgeForeground): number =>
  2 * listBytes(background).elements + listBytes(background).addresses;

export interface RowSource {
  readonly source: CodeSource;
  readonly codes: CodeBase;
  readonly codeStride: number;
  readonly map: number;
  readonly tiling: EdgeTiling;
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
  const found = findForeground(asm, background, rows.codes, lists);
  const [at, element] = [asm.i32(), asm.i32()];
  const from: CodeBase = { pointer: rows.codes.pointer, offset: rows.codes.offset + background.first };
  /** The byte offset of the row of an element in a tile. */
  const rowIn = (e: () => Expr): Expr =>
    m.i32.add(
      f.linear ? scaled(m, e(), rows.tiling.rowBytes) : m.i32.load(places.blocks[3]!, 1, scaled(m, e(), 4)),
      rowOffset(asm, rows.source, from, e, rows.codeStride, rows.map),
    );
  const listed = rows.tiling.tiles > 1;
  const addresses = lists.borders + listBytes(background).elements;
  const addressesEnd = asm.i32();
  const write = (k: Local): ReadonlyArray<Expr> => [
    k.set(m.i32.const(addresses)),
    at.set(m.i32.const(lists.foreground)),
    unlessDone(asm, at, found.end.get, [
      repeat(asm, at, 2, found.end.get, [
        element.set(m.i32.load16_u(0, 1, at.get())),
        m.i32.store(0, 4, k.get(), rowIn(element.get)),
        k.set(m.i32.add(k.get(), m.i32.const(4))),
      ]),
    ]),
  ];
  const [start, end, entry] = listed ? [addresses, addressesEnd, 4] : [lists.foreground, found.end, 2];
  const stop = asm.i32();
  const elements = Array.from({ length: ROUND }, () => asm.i32());
  const most = backgroundInputs(background).length;
  return {
    once: [...found.code, ...(listed ? write(addressesEnd) : [])],
    borders: { begin: lists.borders, end: found.bordersEnd },
    add: (addRows, table, flushing) => {
      const plus = (offset: Expr): Expr =>
        table.pointer === undefined ? offset : m.i32.add(offset, table.pointer());
      const rows = (count: number): ReadonlyArray<Expr> => {
        const members = elements.slice(0, count);
        const found = members.map((e, k) => ({
          pointer: () => plus(listed ? m.i32.load(entry * k, 1, at.get()) : rowIn(e.get)),
          offset: table.offset,
        }));
        const groups = Array.from({ length: count / Math.min(size, count) }, (_, g) =>
          found.slice(g * size, (g + 1) * size),
        );
        return [
          ...(listed ? [] : members.map((e, k) => e.set(m.i32.load16_u(entry * k, 1, at.get())))),
          ...addRows(groups),
        ];
      };
      const loop = (count: number, to: Local, rounds: number): Expr =>
        unlessDone(
          asm,
          at,
          to.get,
          groupLoop(asm, at, count * entry, to.get, rounds, rows(count), flushing?.(Math.ceil(count / size))),
        );
      // Whole rounds, then what is left one by one.
      const whole = m.i32.and(m.i32.sub(end.get(), m.i32.const(start)), m.i32.const(~(ROUND * entry - 1)));
      return [
        at.set(m.i32.const(start)),
        stop.set(m.i32.add(whole, m.i32.const(start))),
        loop(ROUND, stop, Math.floor(most / ROUND)),
        loop(1, end, ROUND - 1),
      ];
    },
  };
};
