/** The code of the basis-table kernel. */
import { type Address, type Asm, type Expr, loadVector, plus, repeat, scaled } from '../../asm.js';
import type { Addresses, Bound } from '../../kernel.js';
import { storageBytes } from '../../storage.js';
import type { CodeSource, SlotList } from '../code-source.js';
import { storeBytes } from '../store-lanes.js';
import { type TilePlace, tileLoops } from '../tile-loops.js';
import { emitFrame, type WindowGeometry } from '../window.js';
import { type BasisShape, stepBytes } from './layout.js';
import { accumulatorsOf, basisTerms, type Member } from './terms.js';

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
  /** Bytes of the framed image in the kernel's own memory; accumulators follow. */
  readonly frame: number;
}

export type BasisBlock = 'constants' | 'list' | 'records' | 'coefficients' | 'positions';

export const emitBasis = (
  asm: Asm,
  bound: Bound<Addresses<BasisBlock>>,
  code: BasisCode,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { shape, window, list } = code;
  const [slot, rows, tableOfTile] = [asm.i32(), asm.i32(), asm.i32()];
  const [firstSlot, lastSlot] = [asm.i32(), asm.i32()];
  const codeBytes = storageBytes(code.source.storage);
  const framed = emitFrame(asm, window, codeBytes, bound.source, bound.scratch);
  const step = shape.paired ? 2 : 1;
  const ownLists = code.severalRows && shape.groups > 1;
  const sums = accumulatorsOf(asm, shape, bound.scratch + code.frame);
  const terms = basisTerms(asm, shape, code.source, bound.blocks.records, sums);
  const listBytes = code.listed * list.entryBytes;

  const addAll = (place: TilePlace): ReadonlyArray<Expr> => {
    if (code.listed === 0) return [];
    const entries: Address = { pointer: slot.get, offset: bound.blocks.list };
    const members = membersAt(asm, code, step, entries);
    return [
      rows.set(tableOfTile.get()),
      slot.set(firstSlot.get()),
      repeat(asm, slot, step * list.entryBytes, lastSlot.get, [
        ...terms.add(place.codes, members, rows.get),
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
        constants: bound.blocks.constants,
        constantBytes: 4,
        positions: window && { geometry: window, words: bound.blocks.positions, codeBytes },
      },
      (group, number) => [
        tableOfTile.set(m.i32.add(m.i32.const(bound.blocks.coefficients), scaled(m, number(), tileBytes))),
        firstSlot.set(ownLists ? m.i32.mul(group(), m.i32.const(listBytes)) : m.i32.const(0)),
        lastSlot.set(m.i32.add(firstSlot.get(), m.i32.const(listBytes))),
      ],
      (place) => [
        ...terms.clear(),
        ...addAll(place),
        ...terms.finish(),
        ...storeSums(asm, code.result, terms.units, place),
      ],
    ),
  ];
};

/** The next inputs of a list. */
const membersAt = (
  asm: Asm,
  { list, severalRows }: BasisCode,
  count: number,
  entries: Address,
): ReadonlyArray<Member> =>
  Array.from({ length: count }, (_, k) => ({
    code: () => list.codeOffset(asm, entries, k),
    records: severalRows ? () => list.word(asm, entries, k) : undefined,
  }));

/** Writes constants plus sums. */
const storeSums = (
  asm: Asm,
  result: 'i16' | 'i32',
  units: ReadonlyArray<() => Expr>,
  place: TilePlace,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const sums = units.map(
    (unit, u) => (): Expr => m.i32x4.add(unit(), loadVector(asm, plus(place.constants, 16 * u))),
  );
  if (result === 'i32') {
    return sums.flatMap((sum, v) =>
      storeBytes(asm, plus(place.target, 16 * v), sum(), (place.valid - 4 * v) * 4),
    );
  }
  return Array.from({ length: Math.ceil(sums.length / 2) }, (_, v) => {
    const [a, b] = [sums[2 * v]!, sums[2 * v + 1] ?? sums[2 * v]!];
    return storeBytes(
      asm,
      plus(place.target, 16 * v),
      m.i16x8.narrow_i32x4_s(a(), b()),
      (place.valid - 8 * v) * 2,
    );
  }).flat();
};
