/** The code of the edge-table kernel. */
import { type Address, type Asm, type Expr, type Place, scaled } from '../../asm.js';
import type { Bound } from '../../kernel.js';
import { storageBytes } from '../../storage.js';
import { accumulatorInMemory } from '../accumulators.js';
import type { CodeSource, SlotList } from '../code-source.js';
import { type CodeBase, codesAt, type TilePlace, tileLoops } from '../tile-loops.js';
import { emitFrame, type WindowGeometry } from '../window.js';
import { prefixBytes } from './background.js';
import { addBackground } from './background-emit.js';
import { type EdgeForeground, foregroundCode } from './foreground.js';
import type { EdgeTiling } from './layout.js';
import {
  type Flushing,
  type Group,
  groupLoop,
  type Rounds,
  type Row,
  rowAdder,
  rowOffset,
  sum,
  unrolledRounds,
} from './rows.js';
import {
  addUnits,
  copyWords,
  type EdgeSums,
  type Piece,
  piecesOf,
  storeUnits,
  unitOf,
  unitsOf,
} from './sums.js';

export type { EdgeSums };

export interface EdgeCode {
  readonly tiling: EdgeTiling;
  readonly source: CodeSource;
  readonly list: SlotList;
  readonly window: WindowGeometry | undefined;
  /** Bytes of the framed image in the kernel's own memory; the sums of one tile follow. */
  readonly frame: number;
  readonly result: 'i16' | 'i32';
  readonly sums: EdgeSums;
  /** Several inputs use one slab: the list holds slab offsets. Otherwise slabs stand in the order of the slots. */
  readonly shared: boolean;
  /** Byte offset of the slab of each slot, within a tile. */
  readonly slabOffsets: ReadonlyArray<number>;
  /** Bytes between the rows of a slab at one code and the next. */
  readonly codeStride: number;
  readonly tileBytes: number;
  /** Where the slabs of slots start, when they are not shared. */
  readonly firstSlab: number;
  /** The inputs that are looked up only where they are not in the background. */
  readonly foreground: EdgeForeground | undefined;
  readonly rounds: ReadonlyArray<Rounds>;
}

/** Groups whose sums (255 each at most) fit 16 unsigned bits. */
export const FLUSH_GROUPS = 257;

/**
 * Over windows, layers of few inputs are written out slot by slot: distances and slabs become constants, and what is
 * left for a row is to load its code, scale it, load the row and add. A quarter faster for 72 inputs and one
 * accumulator; from some 150 slots times accumulators on, the loop is as fast and its code stays in the cache of
 * decoded instructions.
 */
const LARGEST_UNROLLED = 160;

/**
 * Blocks: constants, slot list, row offsets by source code (empty without a map), table, positions, and those of
 * `foregroundBlocks`.
 */
export const emitEdges = (asm: Asm, bound: Bound, code: EdgeCode): ReadonlyArray<Expr> => {
  const { tiling, window } = code;
  const layer = layerCode(asm, bound, code);
  return [
    ...layer.once,
    ...tileLoops(
      asm,
      {
        tiles: tiling,
        source: layer.source,
        target: bound.target,
        resultBytes: resultBytes(code),
        constants: bound.blocks[0]!,
        constantBytes: constantBytes(code),
        positions:
          window === undefined
            ? undefined
            : { geometry: window, words: bound.blocks[4]!, codeBytes: storageBytes(code.source.storage) },
      },
      (_, number) => layer.enter(number),
      layer.at,
    ),
  ];
};

/** Bytes of own memory: the frame or lists, where accumulators of a tile start, and its sums. */
export const ownBytes = ({ frame, tiling }: Pick<EdgeCode, 'frame' | 'tiling'>): number =>
  frame + tiling.tile * 4 + tiling.units * 16;

export const resultBytes = (code: EdgeCode): 2 | 4 => (code.result === 'i16' ? 2 : 4);
export const constantBytes = (code: EdgeCode): 2 | 4 => (code.sums === 'narrow' ? 2 : 4);

/** The code of a layer without its loops. */
export interface LayerCode {
  /** Where codes are read once `once` has run. */
  readonly source: Place;
  readonly once: ReadonlyArray<Expr>;
  /** Runs before `at`, for a tile. */
  readonly enter: (number: () => Expr) => ReadonlyArray<Expr>;
  readonly at: (place: TilePlace) => ReadonlyArray<Expr>;
}

export const layerCode = (asm: Asm, bound: Bound, code: EdgeCode): LayerCode => {
  const { m } = asm;
  const { tiling, window, foreground } = code;
  const tableAt = bound.blocks[3]!;
  const sumsAt = bound.scratch + code.frame + 4 * tiling.tile;
  const slots = code.rounds.reduce((n, r) => n + r.count * sum(r.groups), 0);
  const accumulators = tiling.units;
  const unrolled =
    window !== undefined && code.sums !== 'flushed' && slots * accumulators <= LARGEST_UNROLLED;
  /** All rows are added at once: a piece is written before the next one is summed. */
  const atOnce = unrolled && slots > 0 && unrolledRounds(code.rounds).length === 1;
  const pieces = piecesOf(tiling, (k) => (atOnce ? asm.v128() : accumulatorInMemory(asm, sumsAt + 16 * k)));
  const [tableOfTile, rows, slot] = [asm.i32(), asm.i32(), asm.i32()];
  const codeBytes = storageBytes(code.source.storage);
  const framed =
    window === undefined
      ? { place: bound.source, code: [] }
      : emitFrame(asm, window, codeBytes, bound.source, bound.scratch);
  const locals = pieces.flatMap((p) => (p.high === undefined ? [p.sum] : [p.sum, p.high]));
  const clear = (): ReadonlyArray<Expr> => locals.map((local) => local.set(m.i32x4.splat(m.i32.const(0))));
  const addRows = rowAdder(asm, tiling.mode, pieces);
  const oneTile = tiling.groups * tiling.tiles === 1;
  const table = oneTile ? { pointer: undefined, offset: tableAt } : { pointer: tableOfTile.get, offset: 0 };
  const inRow = (codes: CodeBase, at: (() => Expr) | number): Expr =>
    rowOffset(asm, code.source, codes, at, code.codeStride, bound.blocks[2]!);

  /** The inputs that are looked up whatever their codes. */
  const addSlots = (
    codes: CodeBase,
    flushing: FlushAfter | undefined,
    then?: (piece: Piece) => ReadonlyArray<Expr>,
  ): ReadonlyArray<Expr> => {
    if (slots === 0) return [];
    if (unrolled) {
      let next = 0;
      return unrolledRounds(code.rounds).flatMap(({ groups }, round) =>
        addRows(
          inGroups(groups, () => {
            const k = next++;
            const found = (): Expr => inRow(codes, code.list.offsets[k]!);
            return {
              pointer: () => (oneTile ? found() : m.i32.add(tableOfTile.get(), found())),
              offset: table.offset + code.slabOffsets[k]!,
            };
          }),
          round === 0,
          then,
        ),
      );
    }
    const list: Address = { pointer: slot.get, offset: bound.blocks[1]! };
    const round = (groups: ReadonlyArray<number>): ReadonlyArray<Expr> => {
      const advance = m.i32.add(rows.get(), m.i32.const(sum(groups) * tiling.rowBytes));
      const added = addRows(
        inGroups(groups, (k) => ({
          pointer: () => {
            const slab = code.shared ? m.i32.add(rows.get(), code.list.word(asm, list, k)) : rows.get();
            return m.i32.add(
              slab,
              inRow(codes, () => code.list.codeOffset(asm, list, k)),
            );
          },
          offset: code.shared ? 0 : code.firstSlab + k * tiling.rowBytes,
        })),
      );
      return [...added, ...(code.shared ? [] : [rows.set(advance)])];
    };
    let done = 0;
    return [
      rows.set(tableOfTile.get()),
      slot.set(m.i32.const(0)),
      ...code.rounds.flatMap(({ groups, count }) => {
        const step = sum(groups) * code.list.entryBytes;
        done += count * step;
        const end = done;
        return groupLoop(
          asm,
          slot,
          step,
          () => m.i32.const(end),
          count,
          round(groups),
          flushing?.(groups.length),
        );
      }),
    ];
  };

  const parts =
    foreground === undefined
      ? undefined
      : foregroundCode(
          asm,
          foreground,
          { blocks: bound.blocks.slice(5), scratch: bound.scratch },
          { codes: codesAt(asm, bound.source), codeStride: code.codeStride, tiling },
        );
  const prefixes = asm.i32();

  const at = (place: TilePlace): ReadonlyArray<Expr> => {
    const units = unitsOf(asm, tiling, pieces);
    const own = (offset: number): Address => ({
      pointer: () => m.i32.const(0),
      offset: bound.scratch + offset,
    });
    const flushed = code.sums === 'flushed';
    const collected = flushed && window === undefined ? place.target : own(code.frame);
    /** Where accumulators start, with what the background adds. */
    const starts =
      parts === undefined || foreground === undefined
        ? flushed
          ? copyWords(asm, place.constants, collected, tiling.tile)
          : []
        : addBackground(
            asm,
            parts.borders,
            place.constants,
            { pointer: prefixes.get, offset: 0 },
            collected,
            { outputs: tiling.tile, entry: foreground.entry },
          );
    const flush = (): ReadonlyArray<Expr> => [...addUnits(asm, collected, units), ...clear()];
    const flushing: FlushAfter | undefined = flushed
      ? (groups) => ({ limit: Math.floor(FLUSH_GROUPS / groups), flush })
      : undefined;
    if (code.sums !== 'flushed' && atOnce) {
      const { sums } = code;
      return addSlots(place.codes, undefined, (piece) =>
        storeUnits(asm, sums, code.result, unitsOf(asm, tiling, [piece]), place, unitOf(tiling, piece)),
      );
    }
    return [
      ...starts,
      ...(unrolled && slots > 0 ? [] : clear()),
      ...(parts === undefined ? [] : parts.add(addRows, table, flushing)),
      ...addSlots(place.codes, flushing),
      ...(code.sums !== 'flushed'
        ? storeUnits(asm, code.sums, code.result, units, {
            ...place,
            constants: parts === undefined ? place.constants : collected,
          })
        : window === undefined
          ? []
          : copyWords(asm, collected, place.target, place.valid)),
    ];
  };

  return {
    source: framed.place,
    once: [...framed.code, ...(parts === undefined ? [] : parts.once)],
    enter: (number) => [
      tableOfTile.set(m.i32.add(m.i32.const(tableAt), scaled(m, number(), code.tileBytes))),
      ...(foreground === undefined
        ? []
        : [
            prefixes.set(
              m.i32.add(
                m.i32.const(bound.blocks[7]!),
                scaled(m, number(), prefixBytes(foreground.background, tiling.tile, foreground.entry)),
              ),
            ),
          ]),
    ],
    at,
  };
};

/** How rounds of so many groups are flushed. */
type FlushAfter = (groups: number) => Flushing;

/** Rows in groups of the given sizes; `row`: number k of the round. */
const inGroups = (sizes: ReadonlyArray<number>, row: (k: number) => Row): ReadonlyArray<Group> => {
  let next = 0;
  return sizes.map((size) => Array.from({ length: size }, () => row(next++)));
};
