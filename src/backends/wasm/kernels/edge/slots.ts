/** Code that adds the rows of the slots of a layer, which are looked up whatever their codes are. */
import type { Address, Asm, Expr, Local } from '../../asm.js';
import type { Addresses } from '../../kernel.js';
import type { CodeBase } from '../tile-loops.js';
import type { EdgeBlock, EdgeCode } from './code.js';
import {
  type AddRows,
  type Flushing,
  type Group,
  groupLoop,
  type Row,
  rowOffset,
  sum,
  unrolledRounds,
} from './rows.js';
import type { Piece } from './sums.js';

/** Groups whose sums (255 each at most) fit 16 unsigned bits. */
export const FLUSH_GROUPS = 257;

/**
 * Over windows, layers of few inputs are written out slot by slot: distances and slabs become constants, and what is
 * left for a row is to load its code, scale it, load the row and add. A quarter faster for 72 inputs and one
 * accumulator; from some 150 slots times accumulators on, the loop is as fast and its code stays in the cache of
 * decoded instructions.
 */
const LARGEST_UNROLLED = 160;

export const slotCount = ({ rounds }: EdgeCode): number =>
  rounds.reduce((n, r) => n + r.count * sum(r.groups), 0);

/** Whether slots are written out one by one. */
export const isUnrolled = (code: EdgeCode): boolean =>
  code.window !== undefined &&
  code.sums !== 'flushed' &&
  slotCount(code) * code.tiling.units <= LARGEST_UNROLLED;

/** All rows are added at once: a piece is written before the next one is summed. */
export const isAtOnce = (code: EdgeCode): boolean =>
  isUnrolled(code) && slotCount(code) > 0 && unrolledRounds(code.rounds).length === 1;

/** How rounds of so many groups are flushed. */
export type FlushAfter = (groups: number) => Flushing;

/** `then`: what follows for a piece, where all rows are added at once. */
export type AddSlots = (
  codes: CodeBase,
  flushing: FlushAfter | undefined,
  then?: (piece: Piece) => ReadonlyArray<Expr>,
) => ReadonlyArray<Expr>;

/** Where a tile finds its rows. */
export interface SlotLocals {
  /** Where the table of the tile starts: `tableOfTile`, or a constant where there is one tile. */
  readonly table: { readonly pointer: (() => Expr) | undefined; readonly offset: number };
  readonly tableOfTile: Local;
  readonly rows: Local;
  readonly slot: Local;
  readonly addRows: AddRows;
}

export const slotAdder = (
  asm: Asm,
  blocks: Addresses<EdgeBlock>,
  code: EdgeCode,
  locals: SlotLocals,
): AddSlots => {
  if (slotCount(code) === 0) return () => [];
  const inRow = (codes: CodeBase, at: (() => Expr) | number): Expr =>
    rowOffset(asm, code.source, codes, at, code.codeStride, blocks.rowOffsets);
  return isUnrolled(code)
    ? unrolledSlots(asm, code, locals, inRow)
    : loopedSlots(asm, blocks.list, code, locals, inRow);
};

/** The byte offset of the row of the code that is found at a distance from the first one. */
type InRow = (codes: CodeBase, at: (() => Expr) | number) => Expr;

const unrolledSlots =
  (asm: Asm, code: EdgeCode, { table, addRows }: SlotLocals, inRow: InRow): AddSlots =>
  (codes, _, then) => {
    let next = 0;
    const row = (): Row => {
      const k = next++;
      const found = (): Expr => inRow(codes, code.list.offsets[k]!);
      return {
        pointer: () => (table.pointer === undefined ? found() : asm.m.i32.add(table.pointer(), found())),
        offset: table.offset + code.slabOffsets[k]!,
      };
    };
    return unrolledRounds(code.rounds).flatMap(({ groups }, round) =>
      addRows(inGroups(groups, row), round === 0, then),
    );
  };

const loopedSlots =
  (asm: Asm, listAt: number, code: EdgeCode, locals: SlotLocals, inRow: InRow): AddSlots =>
  (codes, flushing) => {
    const { m } = asm;
    const { rows, slot, tableOfTile, addRows } = locals;
    const { rowBytes } = code.tiling;
    const list: Address = { pointer: slot.get, offset: listAt };
    const slab = (k: number): Expr =>
      code.shared ? m.i32.add(rows.get(), code.list.word(asm, list, k)) : rows.get();
    const row = (k: number): Row => ({
      pointer: () => {
        const from = slab(k);
        return m.i32.add(
          from,
          inRow(codes, () => code.list.codeOffset(asm, list, k)),
        );
      },
      offset: code.shared ? 0 : code.firstSlab + k * rowBytes,
    });
    const round = (groups: ReadonlyArray<number>): ReadonlyArray<Expr> => {
      const advance = m.i32.add(rows.get(), m.i32.const(sum(groups) * rowBytes));
      return [...addRows(inGroups(groups, row)), ...(code.shared ? [] : [rows.set(advance)])];
    };
    let done = 0;
    return [
      rows.set(tableOfTile.get()),
      slot.set(m.i32.const(0)),
      ...code.rounds.flatMap(({ groups, count }) => {
        const step = sum(groups) * code.list.entryBytes;
        done += count * step;
        const end = (at: number) => (): Expr => m.i32.const(at);
        return groupLoop(asm, slot, step, end(done), count, round(groups), flushing?.(groups.length));
      }),
    ];
  };

/** Rows in groups of the given sizes; `row`: number k of the round. */
const inGroups = (sizes: ReadonlyArray<number>, row: (k: number) => Row): ReadonlyArray<Group> => {
  let next = 0;
  return sizes.map((size) => Array.from({ length: size }, () => row(next++)));
};
