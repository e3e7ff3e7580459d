/** The code of the edge-table kernel. */
import { type Address, type Asm, type Expr, type Local, repeat, scaled } from '../asm.js';
import type { Bound } from '../kernel.js';
import { storageBytes } from '../storage.js';
import { type CodeSource, loadSourceCode, type SlotList } from './code-source.js';
import type { EdgeTiling } from './edge-layout.js';
import {
  addUnits,
  copyWords,
  type EdgeSums,
  type Piece,
  piecesOf,
  storeUnits,
  unitsOf,
} from './edge-sums.js';
import { type CodeBase, type TilePlace, tileLoops } from './tile-loops.js';
import { emitFrame, type WindowGeometry } from './window.js';

export type { EdgeSums };

/** A run of groups of one size; the slots of all sections stand one after the other. */
export interface Section {
  readonly size: 1 | 2 | 4;
  readonly count: number;
}

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
  readonly sections: ReadonlyArray<Section>;
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

/** Blocks: constants, slot list, row offsets by source code (empty without a map), table, positions. */
export const emitEdges = (asm: Asm, bound: Bound, code: EdgeCode): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { tiling, window } = code;
  const tableAt = bound.blocks[3]!;
  const pieces = piecesOf(asm, tiling);
  const [tableOfTile, rows, slot] = [asm.i32(), asm.i32(), asm.i32()];
  const codeBytes = storageBytes(code.source.storage);
  const framed =
    window === undefined
      ? { place: bound.source, code: [] }
      : emitFrame(asm, window, codeBytes, bound.source, bound.scratch);
  const locals = pieces.flatMap((p) => (p.high === undefined ? [p.sum] : [p.sum, p.high]));
  const clear = (): ReadonlyArray<Expr> => locals.map((local) => local.set(m.i32x4.splat(m.i32.const(0))));
  const slots = code.sections.reduce((n, s) => n + s.count * s.size, 0);
  const unrolled =
    window !== undefined && code.sums !== 'flushed' && slots * locals.length <= LARGEST_UNROLLED;
  const body = groupBody(asm, bound, code, pieces);
  const oneTile = tiling.groups * tiling.tiles === 1;

  const sumAll = (place: TilePlace, flush: () => ReadonlyArray<Expr>): ReadonlyArray<Expr> => {
    if (unrolled) {
      const base = oneTile
        ? { pointer: undefined, offset: tableAt }
        : { pointer: tableOfTile.get, offset: 0 };
      return unrolledGroups(code.sections).flatMap(({ first, size }) =>
        body(
          place.codes,
          Array.from({ length: size }, (_, k) => ({
            code: code.list.offsets[first + k]!,
            slab: base.pointer,
            offset: base.offset + code.slabOffsets[first + k]!,
          })),
        ),
      );
    }
    const list: Address = { pointer: slot.get, offset: bound.blocks[1]! };
    let done = 0;
    return [
      rows.set(tableOfTile.get()),
      slot.set(m.i32.const(0)),
      ...code.sections.flatMap((section) => {
        done += section.count * section.size * code.list.entryBytes;
        const members = Array.from({ length: section.size }, (_, k) => ({
          code: () => code.list.codeOffset(asm, list, k),
          slab: code.shared ? () => m.i32.add(rows.get(), code.list.word(asm, list, k)) : rows.get,
          offset: code.shared ? 0 : k * code.tiling.rowBytes,
        }));
        const advance = m.i32.add(rows.get(), m.i32.const(section.size * code.tiling.rowBytes));
        const round = [...body(place.codes, members), ...(code.shared ? [] : [rows.set(advance)])];
        return sectionLoop(asm, code, section, slot, done, round, flush);
      }),
    ];
  };

  const at = (place: TilePlace): ReadonlyArray<Expr> => {
    const units = unitsOf(asm, tiling, pieces);
    if (code.sums !== 'flushed') {
      return [
        ...clear(),
        ...sumAll(place, () => []),
        ...storeUnits(asm, code.sums, code.result, units, place),
      ];
    }
    const collected: Address =
      window === undefined
        ? place.target
        : { pointer: () => m.i32.const(0), offset: bound.scratch + code.frame };
    const flush = (): ReadonlyArray<Expr> => [...addUnits(asm, collected, units), ...clear()];
    return [
      ...copyWords(asm, place.constants, collected, tiling.tile),
      ...clear(),
      ...sumAll(place, flush),
      ...(window === undefined ? [] : copyWords(asm, collected, place.target, place.valid)),
    ];
  };

  return [
    ...framed.code,
    ...tileLoops(
      asm,
      {
        tiles: tiling,
        source: framed.place,
        target: bound.target,
        resultBytes: code.result === 'i16' ? 2 : 4,
        constants: bound.blocks[0]!,
        constantBytes: code.sums === 'narrow' ? 2 : 4,
        positions:
          window === undefined ? undefined : { geometry: window, words: bound.blocks[4]!, codeBytes },
      },
      (_, number) => [tableOfTile.set(m.i32.add(m.i32.const(tableAt), scaled(m, number(), code.tileBytes)))],
      at,
    ),
  ];
};

/** One member of a group: where its code is, and where its slab. */
interface Member {
  readonly code: (() => Expr) | number;
  readonly slab: (() => Expr) | undefined;
  readonly offset: number;
}

/** Adds one group: addresses of its rows, then vector by vector their sum. */
const groupBody = (asm: Asm, bound: Bound, code: EdgeCode, pieces: ReadonlyArray<Piece>) => {
  const { m } = asm;
  const { mode } = code.tiling;
  const pointers = Array.from({ length: 4 }, () => asm.i32());
  const row = asm.v128();
  const add = (a: Expr, b: Expr): Expr => (mode.lane === 2 ? m.i16x8.add(a, b) : m.i32x4.add(a, b));
  const shift = (v: Expr): Expr =>
    mode.lane === 2 ? m.i16x8.shr_u(v, m.i32.const(8)) : m.i32x4.shr_u(v, m.i32.const(16));
  const load = (half: boolean, pointer: Expr, offset: number): Expr =>
    !half
      ? m.v128.load(offset, 1, pointer)
      : mode.entry === 1
        ? m.v128.load8x8_u(offset, 1, pointer)
        : m.v128.load16x4_u(offset, 1, pointer);
  return (codes: CodeBase, members: ReadonlyArray<Member>): ReadonlyArray<Expr> => {
    const find = members.map((member, k) => {
      const found = loadSourceCode(asm, code.source, codes, member.code);
      const inSlab =
        code.source.map === undefined
          ? scaled(m, found, code.codeStride)
          : m.i32.load(bound.blocks[2]!, 1, scaled(m, found, 4));
      return pointers[k]!.set(member.slab === undefined ? inSlab : m.i32.add(member.slab(), inSlab));
    });
    const sums = pieces.flatMap((piece) => {
      const total = members
        .map((member, k) => load(piece.half, pointers[k]!.get(), member.offset + piece.offset))
        .reduce(add);
      if (piece.high === undefined) return [piece.sum.set(add(piece.sum.get(), total))];
      return [
        row.set(total),
        piece.sum.set(add(piece.sum.get(), row.get())),
        piece.high.set(add(piece.high.get(), shift(row.get()))),
      ];
    });
    return [...find, ...sums];
  };
};

const unrolledGroups = (sections: ReadonlyArray<Section>) => {
  let next = 0;
  return sections.flatMap(({ size, count }) =>
    Array.from({ length: count }, () => {
      const first = next;
      next += size;
      return { first, size };
    }),
  );
};

const sectionLoop = (
  asm: Asm,
  code: EdgeCode,
  section: Section,
  slot: Local,
  end: number,
  body: ReadonlyArray<Expr>,
  flush: () => ReadonlyArray<Expr>,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const step = section.size * code.list.entryBytes;
  const all = (): Expr => m.i32.const(end);
  if (code.sums !== 'flushed') return [repeat(asm, slot, step, all, body)];
  if (section.count <= FLUSH_GROUPS) return [repeat(asm, slot, step, all, body), ...flush()];
  const stop = asm.i32();
  const next = (): Expr => m.i32.add(slot.get(), m.i32.const(FLUSH_GROUPS * step));
  const label = asm.label();
  return [
    m.loop(
      label,
      m.block(null, [
        stop.set(m.select(m.i32.lt_u(next(), all()), next(), all())),
        repeat(asm, slot, step, stop.get, body),
        ...flush(),
        m.br(label, m.i32.ne(slot.get(), all())),
      ]),
    ),
  ];
};
