/** The code of the edge-table kernel. */
import {
  type Address,
  type Asm,
  addressIn,
  type Expr,
  fixed,
  type Local,
  loadVector,
  plus,
  repeat,
  rounds,
  scaled,
  storeVector,
} from '../asm.js';
import type { Bound } from '../kernel.js';
import { type CodeSource, loadSourceCode, type SlotList } from './code-source.js';
import type { EdgeTiling } from './edge-layout.js';

/** A run of groups of one size; the slots of all sections stand one after the other. */
export interface Section {
  readonly size: 1 | 2 | 4;
  readonly count: number;
}

export interface EdgeCode {
  readonly tiling: EdgeTiling;
  readonly source: CodeSource;
  readonly list: SlotList;
  readonly result: 'i16' | 'i32';
  /** 16-bit sums are emptied into the 32-bit result before they can overflow. */
  readonly flush: boolean;
  /** Several inputs use one slab: the list holds slab offsets. Otherwise slabs stand in the order of the slots. */
  readonly shared: boolean;
  readonly slabBytes: number;
  readonly tileBytes: number;
  readonly sections: ReadonlyArray<Section>;
}

/** Groups whose sums (255 each at most) fit 16 unsigned bits. */
const FLUSH_GROUPS = 257;

/** A vector of a row in registers: one accumulator, or two for an interleaved pair of units. */
interface Piece {
  readonly offset: number;
  readonly half: boolean;
  readonly sum: Local;
  readonly high: Local | undefined;
}

const piecesOf = (asm: Asm, t: EdgeTiling): ReadonlyArray<Piece> => {
  const direct = t.mode._tag === 'direct16';
  return Array.from({ length: direct ? t.units : Math.ceil(t.units / 2) }, (_, v) => {
    const half = !direct && 2 * v + 1 === t.units;
    return { offset: 16 * v, half, sum: asm.v128(), high: direct || half ? undefined : asm.v128() };
  });
};

/** Blocks: offsets, slot list, row offsets by source code (empty without a map), table. */
export const emitEdges = (asm: Asm, bound: Bound, code: EdgeCode): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { tiling } = code;
  const [offsetsAt, , , tableAt] = [bound.blocks[0]!, 0, 0, bound.blocks[3]!];
  const pieces = piecesOf(asm, tiling);
  const rows = asm.i32();
  const slot = asm.i32();
  const resultBytes = code.result === 'i16' ? 2 : 4;
  const zero = pieces.flatMap((p) =>
    [p.sum, p.high].flatMap((local) => (local === undefined ? [] : [local])),
  );
  const clear = (): ReadonlyArray<Expr> => zero.map((local) => local.set(m.i32x4.splat(m.i32.const(0))));
  const body = groupBody(asm, bound, code, pieces, rows, slot);
  return [
    rows.set(m.i32.const(tableAt)),
    ...rounds(asm, tiling.tiles, 1, (tile) => {
      const target = addressIn(asm, fixed(bound.target), () => scaled(m, tile(), tiling.width * resultBytes));
      const constants = addressIn(asm, fixed(offsetsAt), () =>
        scaled(m, tile(), tiling.width * (code.flush || tiling.mode.lane === 4 ? 4 : 2)),
      );
      const flush = (): ReadonlyArray<Expr> => [
        ...addUnits(asm, target, unitsOf(asm, code, pieces)),
        ...clear(),
      ];
      let done = 0;
      return [
        ...(code.shared
          ? [rows.set(m.i32.add(m.i32.const(tableAt), scaled(m, tile(), code.tileBytes)))]
          : []),
        ...(code.flush ? copyOffsets(asm, constants, target, tiling.width) : []),
        ...clear(),
        slot.set(m.i32.const(0)),
        ...code.sections.flatMap((section) => {
          done += section.count * section.size * code.list.entryBytes;
          return sectionLoop(asm, code, section, slot, done, body(section.size), flush);
        }),
        ...(code.flush ? [] : storeUnits(asm, code, constants, target, unitsOf(asm, code, pieces))),
      ];
    }),
  ];
};

/** Adds one group: addresses of its rows, then vector by vector their sum. */
const groupBody = (
  asm: Asm,
  bound: Bound,
  code: EdgeCode,
  pieces: ReadonlyArray<Piece>,
  rows: Local,
  slot: Local,
) => {
  const { m } = asm;
  const { mode, rowBytes } = code.tiling;
  const pointers = Array.from({ length: 4 }, () => asm.i32());
  const row = asm.v128();
  const list: Address = { pointer: slot.get, offset: bound.blocks[1]! };
  const add = (a: Expr, b: Expr): Expr => (mode.lane === 2 ? m.i16x8.add(a, b) : m.i32x4.add(a, b));
  const shift = (v: Expr): Expr =>
    mode.lane === 2 ? m.i16x8.shr_u(v, m.i32.const(8)) : m.i32x4.shr_u(v, m.i32.const(16));
  const load = (half: boolean, pointer: Expr, offset: number): Expr =>
    !half
      ? m.v128.load(offset, 1, pointer)
      : mode.entry === 1
        ? m.v128.load8x8_u(offset, 1, pointer)
        : m.v128.load16x4_u(offset, 1, pointer);
  return (size: Section['size']): ReadonlyArray<Expr> => {
    const members = pointers.slice(0, size);
    const find = members.map((pointer, k) => {
      const found = loadSourceCode(asm, code.source, bound.source, code.list.codeOffset(asm, list, k));
      const inSlab =
        code.source.map === undefined
          ? scaled(m, found, rowBytes)
          : m.i32.load(bound.blocks[2]!, 1, scaled(m, found, 4));
      const slab = code.shared ? m.i32.add(rows.get(), code.list.word(asm, list, k)) : rows.get();
      return pointer.set(m.i32.add(slab, inSlab));
    });
    const skip = code.shared ? 0 : code.slabBytes;
    const sums = pieces.flatMap((piece) => {
      const total = members
        .map((pointer, k) => load(piece.half, pointer.get(), k * skip + piece.offset))
        .reduce(add);
      if (piece.high === undefined) return [piece.sum.set(add(piece.sum.get(), total))];
      return [
        row.set(total),
        piece.sum.set(add(piece.sum.get(), row.get())),
        piece.high.set(add(piece.high.get(), shift(row.get()))),
      ];
    });
    const advance = code.shared ? [] : [rows.set(m.i32.add(rows.get(), m.i32.const(size * code.slabBytes)))];
    return [...find, ...sums, ...advance];
  };
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
  if (!code.flush) return [repeat(asm, slot, step, all, body)];
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

/** The sums of each unit, in the lanes of the mode, without the constant part. */
const unitsOf = (asm: Asm, code: EdgeCode, pieces: ReadonlyArray<Piece>): ReadonlyArray<() => Expr> => {
  const { m } = asm;
  return pieces.flatMap(({ sum, high }) => {
    if (high === undefined) return [sum.get];
    const low = (): Expr =>
      code.tiling.mode.lane === 2
        ? m.i16x8.sub(sum.get(), m.i16x8.shl(high.get(), m.i32.const(8)))
        : m.i32x4.sub(sum.get(), m.i32x4.shl(high.get(), m.i32.const(16)));
    return [low, high.get];
  });
};

const storeUnits = (
  asm: Asm,
  code: EdgeCode,
  constants: Address,
  target: Address,
  units: ReadonlyArray<() => Expr>,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { lane } = code.tiling.mode;
  return units.flatMap((unit, u) => {
    const constant = loadVector(asm, plus(constants, 16 * u));
    if (lane === 4) return [storeVector(asm, plus(target, 16 * u), m.i32x4.add(unit(), constant))];
    const total = m.i16x8.add(unit(), constant);
    if (code.result === 'i16') return [storeVector(asm, plus(target, 16 * u), total)];
    const kept = asm.v128();
    return [
      kept.set(total),
      storeVector(asm, plus(target, 32 * u), m.i32x4.extend_low_i16x8_s(kept.get())),
      storeVector(asm, plus(target, 32 * u + 16), m.i32x4.extend_high_i16x8_s(kept.get())),
    ];
  });
};

/** target += units, from unsigned 16 to 32 bits. */
const addUnits = (asm: Asm, target: Address, units: ReadonlyArray<() => Expr>): ReadonlyArray<Expr> => {
  const { m } = asm;
  return units.flatMap((unit, u) => {
    const [low, high] = [plus(target, 32 * u), plus(target, 32 * u + 16)];
    return [
      storeVector(asm, low, m.i32x4.add(loadVector(asm, low), m.i32x4.extend_low_i16x8_u(unit()))),
      storeVector(asm, high, m.i32x4.add(loadVector(asm, high), m.i32x4.extend_high_i16x8_u(unit()))),
    ];
  });
};

const copyOffsets = (asm: Asm, from: Address, to: Address, width: number): ReadonlyArray<Expr> =>
  Array.from({ length: width / 4 }, (_, k) =>
    storeVector(asm, plus(to, 16 * k), loadVector(asm, plus(from, 16 * k))),
  );
