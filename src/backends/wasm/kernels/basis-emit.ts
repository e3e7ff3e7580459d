/** The code of the basis-table kernel. */
import { type Address, type Asm, type Expr, type Local, loadVector, plus, repeat, scaled } from '../asm.js';
import type { Bound } from '../kernel.js';
import { storageBytes } from '../storage.js';
import { type BasisShape, stepBytes } from './basis-layout.js';
import { type CodeSource, loadSourceCode, type SlotList } from './code-source.js';
import { storeBytes } from './store-lanes.js';
import { type CodeBase, type TilePlace, tileLoops } from './tile-loops.js';
import { emitFrame, type WindowGeometry } from './window.js';

export interface BasisCode {
  readonly shape: BasisShape;
  readonly source: CodeSource;
  readonly list: SlotList;
  readonly window: WindowGeometry | undefined;
  /** Inputs have different rows of knots: the list holds the offset of their records, and each group has its own. */
  readonly severalRows: boolean;
  /** Slots of a group, even when paired. */
  readonly listed: number;
  readonly result: 'i16' | 'i32';
}

/** Blocks: constants, slot list, records, coefficients, positions. */
export const emitBasis = (asm: Asm, bound: Bound, code: BasisCode): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { shape, window, list } = code;
  const sums = Array.from({ length: shape.tile / 4 }, () => asm.v128());
  const [slot, rows, tableOfTile, firstSlot, lastSlot] = [
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
  ];
  const codeBytes = storageBytes(code.source.storage);
  const framed =
    window === undefined
      ? { place: bound.source, code: [] }
      : emitFrame(asm, window, codeBytes, bound.source, bound.scratch);
  const step = shape.paired ? 2 : 1;
  const ownLists = code.severalRows && shape.groups > 1;
  const add = terms(asm, bound, code, sums);
  const listBytes = code.listed * list.entryBytes;

  const addAll = (place: TilePlace): ReadonlyArray<Expr> => {
    if (code.listed === 0) return [];
    const entries: Address = { pointer: slot.get, offset: bound.blocks[1]! };
    const members = Array.from({ length: step }, (_, k) => ({
      code: () => list.codeOffset(asm, entries, k),
      records: code.severalRows ? () => list.word(asm, entries, k) : undefined,
    }));
    return [
      rows.set(tableOfTile.get()),
      slot.set(firstSlot.get()),
      repeat(asm, slot, step * list.entryBytes, lastSlot.get, [
        ...add(place.codes, members, rows.get),
        rows.set(m.i32.add(rows.get(), m.i32.const(stepBytes(shape)))),
      ]),
    ];
  };

  const tileBytes = (code.listed / step) * stepBytes(shape);
  return [
    ...framed.code,
    ...tileLoops(
      asm,
      {
        tiles: shape,
        source: framed.place,
        target: bound.target,
        resultBytes: code.result === 'i16' ? 2 : 4,
        constants: bound.blocks[0]!,
        constantBytes: 4,
        positions:
          window === undefined ? undefined : { geometry: window, words: bound.blocks[4]!, codeBytes },
      },
      (group, number) => [
        tableOfTile.set(m.i32.add(m.i32.const(bound.blocks[3]!), scaled(m, number(), tileBytes))),
        firstSlot.set(ownLists ? m.i32.mul(group(), m.i32.const(listBytes)) : m.i32.const(0)),
        lastSlot.set(m.i32.add(firstSlot.get(), m.i32.const(listBytes))),
      ],
      (place) => [
        ...sums.map((sum, v) => sum.set(loadVector(asm, plus(place.constants, 16 * v)))),
        ...addAll(place),
        ...storeSums(asm, code.result, sums, place),
      ],
    ),
  ];
};

/** One slot: the byte offset of its code, and that of the records of its row of knots. */
interface Member {
  readonly code: () => Expr;
  readonly records: (() => Expr) | undefined;
}

/** Adds the terms of one slot, or of two when paired. */
const terms = (asm: Asm, bound: Bound, code: BasisCode, sums: ReadonlyArray<Local>) => {
  const { m } = asm;
  const { shape } = code;
  const step = shape.paired ? 2 : 1;
  const records = Array.from({ length: step }, () => asm.i32());
  const rows = Array.from({ length: step }, () => asm.i32());
  const values = Math.ceil(shape.width / step);
  const factors = Array.from({ length: step * values + (shape.hasBase ? 1 : 0) }, () => asm.v128());
  const vectorBytes = shape.rowBytes / sums.length;
  const wordAt = (w: number): number => bound.blocks[2]! + 4 * w;
  return (codes: CodeBase, members: ReadonlyArray<Member>, table: () => Expr): ReadonlyArray<Expr> => {
    const word = (k: number, w: number): Expr => m.i32.load(wordAt(w), 1, records[k]!.get());
    const setup = members.flatMap((member, k) => {
      const inRow = scaled(m, loadSourceCode(asm, code.source, codes, member.code), shape.recordBytes);
      return [
        records[k]!.set(member.records === undefined ? inRow : m.i32.add(inRow, member.records())),
        rows[k]!.set(m.i32.add(table(), word(k, 0))),
      ];
    });
    const products = members.flatMap((_, k) =>
      Array.from({ length: values }, (_, j) => ({
        factor: factors[k * values + j]!,
        value: m.v128.load32_splat(wordAt(1 + j), 1, records[k]!.get()),
        row: rows[k]!.get,
        offset: k * shape.inputBytes + j * step * shape.rowBytes,
      })),
    );
    const baseWord = 1 + values;
    const baseValue = (): Expr =>
      step === 1
        ? word(0, baseWord)
        : m.i32.or(
            m.i32.and(word(0, baseWord), m.i32.const(0xffff)),
            m.i32.shl(word(1, baseWord), m.i32.const(16)),
          );
    const all = shape.hasBase
      ? [
          ...products,
          {
            factor: factors[step * values]!,
            value: m.i32x4.splat(baseValue()),
            row: table,
            offset: step * shape.inputBytes,
          },
        ]
      : products;
    const added = sums.map((sum, v) => {
      const total = all
        .map(({ factor, row, offset }) =>
          product(asm, shape, { pointer: row, offset: offset + v * vectorBytes }, factor.get()),
        )
        .reduce((x, y) => m.i32x4.add(x, y));
      return sum.set(m.i32x4.add(sum.get(), total));
    });
    return [...setup, ...all.map((f) => f.factor.set(f.value)), ...added];
  };
};

/** Four outputs of a row times a factor. */
const product = (asm: Asm, shape: BasisShape, a: Address, factor: Expr): Expr => {
  const { m } = asm;
  if (shape.paired) {
    const pairs = shape.entry === 1 ? m.v128.load8x8_s(a.offset, 1, a.pointer()) : loadVector(asm, a);
    return m.i32x4.dot_i16x8_s(pairs, factor);
  }
  const four = shape.entry === 2 ? m.v128.load16x4_s(a.offset, 1, a.pointer()) : loadVector(asm, a);
  return m.i32x4.mul(four, factor);
};

const storeSums = (
  asm: Asm,
  result: 'i16' | 'i32',
  sums: ReadonlyArray<Local>,
  place: TilePlace,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  if (result === 'i32') {
    return sums.flatMap((sum, v) =>
      storeBytes(asm, plus(place.target, 16 * v), sum.get(), (place.valid - 4 * v) * 4),
    );
  }
  return Array.from({ length: Math.ceil(sums.length / 2) }, (_, v) => {
    const [a, b] = [sums[2 * v]!, sums[2 * v + 1] ?? sums[2 * v]!];
    return storeBytes(
      asm,
      plus(place.target, 16 * v),
      m.i16x8.narrow_i32x4_s(a.get(), b.get()),
      (place.valid - 8 * v) * 2,
    );
  }).flat();
};
