/** The part of an edge layer whose background is not looked up: rows of the foreground only. */
import { type Address, type Asm, type Expr, type Local, scaled } from '../../asm.js';
import type { Addresses, Bound } from '../../kernel.js';
import type { Block } from '../../storage.js';
import { blockOf } from '../../storage.js';
import { type CodeMap, QUAD_BYTES, writeAddresses } from '../row-addresses.js';
import type { CodeBase } from '../tile-loops.js';
import type { EdgeAnalysis } from './analysis.js';
import {
  type Background,
  backgroundPairs,
  compactionBlock,
  intervalBlock,
  listBytes,
  prefixBlock,
  prefixBytes,
  rankBlock,
} from './background.js';
import { addBackground, type ElementRange, findForeground } from './background-emit.js';
import type { EdgeTiling } from './layout.js';
import { type AddRows, type Flushing, groupLoop, ROUND, type Row, unlessDone } from './rows.js';

export interface EdgeForeground {
  readonly background: Background;
  /** Rows that are added together before they are widened: legal for any inputs that take part. */
  readonly size: 1 | 2 | 4;
  /** Bytes of an entry of the sums of the background. */
  readonly entry: 2 | 4;
  readonly map: CodeMap;
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

export type ForegroundBlock = 'intervals' | 'compaction' | 'prefixes' | 'ranks' | 'codeMap';

/** Intervals, compaction, sums of the background by tile, ranks, and the map of codes where it is not linear. */
export const foregroundBlocks = (
  f: EdgeForeground,
  analysis: EdgeAnalysis,
  tiling: EdgeTiling,
): Readonly<Record<ForegroundBlock, Block>> => {
  const { table, min } = analysis;
  const { outputs, slabOf } = table;
  const addTo = (input: number, code: number, sums: Float64Array): void => {
    const slab = slabOf(input);
    const row = table.first(slab, 0) + code * outputs;
    for (let o = 0; o < outputs; o++) sums[o]! += table.data[row + o]! - min[slab * outputs + o]!;
  };
  return {
    intervals: intervalBlock(f.background),
    compaction: compactionBlock(),
    prefixes: prefixBlock(f.background, tiling.tiles, tiling.tile, f.entry, addTo),
    ranks: rankBlock(f.background),
    codeMap: blockOf(f.map._tag === 'bytes' ? f.map.bytes : new Uint8Array(0)),
  };
};

/** Own memory from `start` on: ranks, codes, borders, addresses of rows. */
const memoryOf = (background: Background, start: number) => {
  const { pairs, addresses } = listBytes(background);
  return {
    ranks: start,
    codes: start + pairs,
    borders: start + 2 * pairs,
    addresses: start + 3 * pairs,
    end: start + 3 * pairs + addresses,
  };
};

/** Own memory that is needed, besides where accumulators start. */
export const foregroundBytes = ({ background }: EdgeForeground): number => memoryOf(background, 0).end;

export interface RowSource {
  readonly codes: CodeBase;
  readonly codeStride: number;
  readonly tiling: EdgeTiling;
}

/** What runs once for a sample, and what for each of its tiles. */
export interface ForegroundCode {
  readonly once: ReadonlyArray<Expr>;
  /** Runs before the others, for a tile: where the sums of its background start goes into `prefixes`. */
  readonly enter: (prefixes: Local, number: () => Expr) => Expr;
  /** Where accumulators start: target = constants + what the background adds. */
  readonly starts: (constants: Address, prefixes: Local, target: Address) => ReadonlyArray<Expr>;
  /** Adds the rows of the foreground in a tile; `table`: where the table of the tile starts. */
  readonly add: (
    addRows: AddRows,
    table: { readonly pointer: (() => Expr) | undefined; readonly offset: number },
    flushing: ((groups: number) => Flushing) | undefined,
  ) => ReadonlyArray<Expr>;
}

/** `range`: the elements that are looked at. Rows are added four pairs at a time; the last of them are filled up with zero rows. */
export const foregroundCode = (
  asm: Asm,
  f: EdgeForeground,
  bound: Bound<Addresses<ForegroundBlock>>,
  rows: RowSource,
  range: ElementRange,
): ForegroundCode => {
  const { m } = asm;
  const { background, size, map, entry } = f;
  const { blocks } = bound;
  const { rowBytes, tile } = rows.tiling;
  const memory = memoryOf(background, bound.scratch);
  const found = findForeground(asm, background, range, rows.codes, {
    intervals: blocks.intervals,
    compaction: blocks.compaction,
    ranks: blocks.ranks,
    foreground: memory.ranks,
    codes: memory.codes,
    borders: memory.borders,
  });
  const [at, end] = [asm.i32(), asm.i32()];
  const addresses = writeAddresses(
    asm,
    map,
    { codeStride: rows.codeStride, pairBytes: 2 * rowBytes, zeroRank: backgroundPairs(background).length },
    { ...memory, end: found.end, map: blocks.codeMap },
    end,
  );
  return {
    once: [...found.code, ...addresses],
    enter: (prefixes, number) =>
      prefixes.set(
        m.i32.add(m.i32.const(blocks.prefixes), scaled(m, number(), prefixBytes(background, tile, entry))),
      ),
    starts: (constants, prefixes, target) =>
      addBackground(
        asm,
        { begin: memory.borders, end: found.bordersEnd },
        constants,
        { pointer: prefixes.get, offset: 0 },
        target,
        { outputs: tile, entry },
      ),
    add: (addRows, table, flushing) => {
      const members = rowsOfQuad(asm, at, table, rowBytes);
      const groups = Array.from({ length: ROUND / size }, (_, g) => members.slice(g * size, (g + 1) * size));
      const most = Math.ceil(backgroundPairs(background).length / (ROUND / 2));
      return [
        at.set(m.i32.const(memory.addresses)),
        unlessDone(
          asm,
          at,
          end.get,
          groupLoop(asm, at, QUAD_BYTES, end.get, most, addRows(groups), flushing?.(groups.length)),
        ),
      ];
    },
  };
};

/** The rows of four pairs whose addresses are read at `at`. */
const rowsOfQuad = (
  { m }: Asm,
  at: Local,
  table: Parameters<ForegroundCode['add']>[1],
  rowBytes: number,
): ReadonlyArray<Row> => {
  const row = (pair: number, member: number): Row => {
    const address = (): Expr => m.i32.load(4 * pair + (QUAD_BYTES / 2) * member, 1, at.get());
    return {
      pointer: () => (table.pointer === undefined ? address() : m.i32.add(address(), table.pointer())),
      offset: table.offset + member * rowBytes,
    };
  };
  return Array.from({ length: ROUND / 2 }, (_, pair) => [row(pair, 0), row(pair, 1)]).flat();
};
