/** The code of the edge-table kernel. */
import { type Address, type Asm, type Expr, type Local, type Place, scaled } from '../../asm.js';
import { storageBytes } from '../../storage.js';
import { accumulatorInMemory } from '../accumulators.js';
import { codesAt, type TilePlace, tileLoops } from '../tile-loops.js';
import { emitFrame } from '../window.js';
import { constantBytes, type EdgeBound, type EdgeCode, resultBytes } from './code.js';
import type { ForegroundCode, RowSource } from './foreground.js';
import { type AddRows, rowAdder } from './rows.js';
import {
  type AddSlots,
  FLUSH_GROUPS,
  type FlushAfter,
  isAtOnce,
  isUnrolled,
  slotAdder,
  slotCount,
} from './slots.js';
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

/** Code for the inputs that are looked up only where they are not in the background. */
export type MakeForeground = (asm: Asm, rows: RowSource) => ForegroundCode;

export const emitEdges = (
  asm: Asm,
  bound: EdgeBound,
  code: EdgeCode,
  foreground: MakeForeground | undefined,
): ReadonlyArray<Expr> => {
  const { tiling, window } = code;
  const { constants, positions } = bound.blocks;
  const layer = layerCode(asm, bound, code, foreground);
  return [
    ...layer.once,
    ...tileLoops(
      asm,
      {
        tiles: tiling,
        source: layer.source,
        target: bound.target,
        resultBytes: resultBytes(code),
        constants,
        constantBytes: constantBytes(code),
        positions:
          window === undefined
            ? undefined
            : { geometry: window, words: positions, codeBytes: storageBytes(code.source.storage) },
      },
      (_, number) => layer.enter(number),
      layer.at,
    ),
  ];
};

/** The code of a layer without its loops. */
export interface LayerCode {
  /** Where codes are read once `once` has run. */
  readonly source: Place;
  readonly once: ReadonlyArray<Expr>;
  /** Runs before `at`, for a tile. */
  readonly enter: (number: () => Expr) => ReadonlyArray<Expr>;
  readonly at: (place: TilePlace) => ReadonlyArray<Expr>;
}

export const layerCode = (
  asm: Asm,
  bound: EdgeBound,
  code: EdgeCode,
  makeForeground: MakeForeground | undefined,
): LayerCode => {
  const { m } = asm;
  const { tiling, window } = code;
  const tableAt = bound.blocks.table;
  const sumsAt = bound.scratch + code.frame + 4 * tiling.tile;
  const pieces = piecesOf(tiling, (k) =>
    isAtOnce(code) ? asm.v128() : accumulatorInMemory(asm, sumsAt + 16 * k),
  );
  const [tableOfTile, rows, slot] = [asm.i32(), asm.i32(), asm.i32()];
  const codeBytes = storageBytes(code.source.storage);
  const framed = emitFrame(asm, window, codeBytes, bound.source, bound.scratch);
  const addRows = rowAdder(asm, tiling.mode, pieces);
  const oneTile = tiling.groups * tiling.tiles === 1;
  const table = oneTile ? { pointer: undefined, offset: tableAt } : { pointer: tableOfTile.get, offset: 0 };
  const foreground = makeForeground?.(asm, {
    codes: codesAt(asm, bound.source),
    codeStride: code.codeStride,
    tiling,
  });
  const prefixes = asm.i32();
  const sums: LayerSums = {
    asm,
    code,
    collected: { pointer: () => m.i32.const(0), offset: bound.scratch + code.frame },
    pieces,
    addRows,
    addSlots: slotAdder(asm, bound.blocks, code, { table, tableOfTile, rows, slot, addRows }),
    table,
    foreground,
    prefixes,
  };
  return {
    source: framed.place,
    once: [...framed.code, ...(foreground === undefined ? [] : foreground.once)],
    enter: (number) => [
      tableOfTile.set(m.i32.add(m.i32.const(tableAt), scaled(m, number(), code.tileBytes))),
      ...(foreground === undefined ? [] : [foreground.enter(prefixes, number)]),
    ],
    at: code.sums === 'flushed' ? flushedSums(sums) : storedSums(sums, code.sums),
  };
};

/** What sums of one tile are made with. */
interface LayerSums {
  readonly asm: Asm;
  readonly code: EdgeCode;
  /** Where accumulators of a tile may start, in the kernel's own memory. */
  readonly collected: Address;
  readonly pieces: ReadonlyArray<Piece>;
  readonly addRows: AddRows;
  readonly addSlots: AddSlots;
  /** Where the table of the tile starts. */
  readonly table: { readonly pointer: (() => Expr) | undefined; readonly offset: number };
  readonly foreground: ForegroundCode | undefined;
  /** Where the sums of the background of the tile start. */
  readonly prefixes: Local;
}

const clear = ({ asm, pieces }: LayerSums): ReadonlyArray<Expr> =>
  pieces
    .flatMap((p) => (p.high === undefined ? [p.sum] : [p.sum, p.high]))
    .map((local) => local.set(asm.m.i32x4.splat(asm.m.i32.const(0))));

/** Sums that hold all rows, and are written with the constants that they start from. */
const storedSums =
  (layer: LayerSums, sums: Exclude<EdgeSums, 'flushed'>): LayerCode['at'] =>
  (place) => {
    const { asm, code, collected, pieces, addRows, addSlots, table, foreground, prefixes } = layer;
    const { tiling, result } = code;
    if (isAtOnce(code)) {
      return addSlots(place.codes, undefined, (piece) =>
        storeUnits(asm, sums, result, unitsOf(asm, tiling, [piece]), place, unitOf(tiling, piece)),
      );
    }
    const units = unitsOf(asm, tiling, pieces);
    const starts = foreground?.starts(place.constants, prefixes, collected) ?? [];
    return [
      ...starts,
      ...(isUnrolled(code) && slotCount(code) > 0 ? [] : clear(layer)),
      ...(foreground?.add(addRows, table, undefined) ?? []),
      ...addSlots(place.codes, undefined),
      ...storeUnits(asm, sums, result, units, {
        ...place,
        constants: foreground === undefined ? place.constants : collected,
      }),
    ];
  };

/** Sums that are emptied into accumulators in memory before they can overflow. */
const flushedSums =
  (layer: LayerSums): LayerCode['at'] =>
  (place) => {
    const { asm, code, pieces, addRows, addSlots, table, foreground, prefixes } = layer;
    const { tiling, window } = code;
    const units = unitsOf(asm, tiling, pieces);
    // Over windows, what follows the outputs of a tile is not its own.
    const collected = window === undefined ? place.target : layer.collected;
    const starts =
      foreground?.starts(place.constants, prefixes, collected) ??
      copyWords(asm, place.constants, collected, tiling.tile);
    const flush = (): ReadonlyArray<Expr> => [...addUnits(asm, collected, units), ...clear(layer)];
    const flushing: FlushAfter = (groups) => ({ limit: Math.floor(FLUSH_GROUPS / groups), flush });
    return [
      ...starts,
      ...clear(layer),
      ...(foreground?.add(addRows, table, flushing) ?? []),
      ...addSlots(place.codes, flushing),
      ...(window === undefined ? [] : copyWords(asm, collected, place.target, place.valid)),
    ];
  };
