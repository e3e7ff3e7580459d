/** The basis-table kernel: basis values from a record per code, times integer coefficients, in 32-bit accumulators. */
import type { TableBasisAttrs } from '../../../ir/ops/table-basis.js';
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
import type { Bound, Kernel } from '../kernel.js';
import { blockOf, type Storage } from '../storage.js';
import { type BasisShape, basisShape, coefficientBlock, liveInputs, recordBlock } from './basis-layout.js';
import { type CodeSource, loadSourceCode, type SlotList, slotList } from './code-source.js';

export const basisTable = (
  base: Pick<Kernel, 'name' | 'operand' | 'length'>,
  attrs: TableBasisAttrs,
  source: CodeSource,
  result: Storage,
): Kernel => {
  const shape = basisShape(attrs);
  const slots = liveInputs(attrs);
  // The last pair of an odd number reads some code twice and multiplies it by zeros.
  const listed = shape.paired && slots.length % 2 === 1 ? [...slots, slots[0]!] : slots;
  const rows = attrs.rows?.data;
  const words =
    attrs.span.shape[0] === 1
      ? undefined
      : listed.map((i) => (rows?.[i] ?? 0) * source.levels * shape.recordBytes);
  const list = slotList(source, listed, words);
  const offsets = new Int32Array(shape.tiles * shape.tile);
  if (attrs.bias !== undefined) offsets.set(attrs.bias.data);
  return {
    ...base,
    result,
    reach: shape.tiles * shape.tile + 4,
    blocks: [
      blockOf(offsets),
      list.block,
      recordBlock(attrs, shape, source),
      coefficientBlock(attrs, shape, slots),
    ],
    emit: (asm, bound) =>
      emitBasis(asm, bound, {
        shape,
        source,
        list,
        listed: listed.length,
        result: result === 'i32' ? 'i32' : 'i16',
        severalRows: words !== undefined,
      }),
    summary: {
      op: 'table.basis',
      form: `${shape.paired ? 'dot products' : 'multiplications'}, ${shape.entry * 8}-bit rows${source.map === undefined ? '' : ', map fused'}`,
      inputs: attrs.coefficients.shape[0]!,
      outputs: base.length,
      bits: attrs.coefficients.element.kind === 'f32' ? 32 : attrs.coefficients.element.bits,
    },
  };
};

interface BasisCode {
  readonly shape: BasisShape;
  readonly source: CodeSource;
  readonly list: SlotList;
  readonly listed: number;
  readonly result: 'i16' | 'i32';
  readonly severalRows: boolean;
}

/** Blocks: bias, slot list, records, coefficients. */
const emitBasis = (asm: Asm, bound: Bound, code: BasisCode): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { shape } = code;
  const sums = Array.from({ length: shape.tile / 4 }, () => asm.v128());
  const slot = asm.i32();
  const rows = asm.i32();
  const step = shape.paired ? 2 : 1;
  const stepBytes = step * shape.inputBytes + (shape.hasBase ? shape.rowBytes : 0);
  const body = [
    ...terms(asm, bound, code, sums, slot, rows),
    rows.set(m.i32.add(rows.get(), m.i32.const(stepBytes))),
  ];
  return [
    rows.set(m.i32.const(bound.blocks[3]!)),
    ...rounds(asm, shape.tiles, 1, (tile) => {
      const bias = addressIn(asm, fixed(bound.blocks[0]!), () => scaled(m, tile(), shape.tile * 4));
      const bytes = code.result === 'i16' ? 2 : 4;
      const target = addressIn(asm, fixed(bound.target), () => scaled(m, tile(), shape.tile * bytes));
      return [
        ...sums.map((sum, v) => sum.set(loadVector(asm, plus(bias, 16 * v)))),
        slot.set(m.i32.const(0)),
        ...(code.listed === 0
          ? []
          : [
              repeat(
                asm,
                slot,
                step * code.list.entryBytes,
                () => m.i32.const(code.listed * code.list.entryBytes),
                body,
              ),
            ]),
        ...storeSums(asm, code.result, sums, target),
      ];
    }),
  ];
};

/** Adds the terms of one slot, or of two when paired. */
const terms = (
  asm: Asm,
  bound: Bound,
  code: BasisCode,
  sums: ReadonlyArray<Local>,
  slot: Local,
  rows: Local,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { shape } = code;
  const list: Address = { pointer: slot.get, offset: bound.blocks[1]! };
  const members = Array.from({ length: shape.paired ? 2 : 1 }, (_, k) => ({
    k,
    record: asm.i32(),
    row: asm.i32(),
  }));
  const word = (record: Local, w: number): Expr => m.i32.load(bound.blocks[2]! + 4 * w, 1, record.get());
  const setup = members.flatMap(({ k, record, row }) => {
    const found = loadSourceCode(asm, code.source, bound.source, code.list.codeOffset(asm, list, k));
    const inRow = scaled(m, found, shape.recordBytes);
    return [
      record.set(code.severalRows ? m.i32.add(inRow, code.list.word(asm, list, k)) : inRow),
      row.set(m.i32.add(rows.get(), word(record, 0))),
    ];
  });
  const values = Math.ceil(shape.width / (shape.paired ? 2 : 1));
  const functionsPerValue = shape.paired ? 2 : 1;
  const baseWord = 1 + values;
  const splat = (value: Expr): { readonly factor: Local; readonly set: Expr } => {
    const factor = asm.v128();
    return { factor, set: factor.set(m.i32x4.splat(value)) };
  };
  const factors = members.flatMap(({ k, record, row }) =>
    Array.from({ length: values }, (_, j) => ({
      ...splat(word(record, 1 + j)),
      row: row.get,
      offset: k * shape.inputBytes + j * functionsPerValue * shape.rowBytes,
    })),
  );
  const baseFactor = (): Expr => {
    const [a, b] = members;
    return b === undefined
      ? word(a!.record, baseWord)
      : m.i32.or(
          m.i32.and(word(a!.record, baseWord), m.i32.const(0xffff)),
          m.i32.shl(word(b.record, baseWord), m.i32.const(16)),
        );
  };
  const all = shape.hasBase
    ? [...factors, { ...splat(baseFactor()), row: rows.get, offset: members.length * shape.inputBytes }]
    : factors;
  const vectorBytes = shape.rowBytes / sums.length;
  const products = sums.flatMap((sum, v) => {
    const total = all
      .map(({ factor, row, offset }) =>
        product(asm, shape, { pointer: row, offset: offset + v * vectorBytes }, factor.get()),
      )
      .reduce((x, y) => m.i32x4.add(x, y));
    return [sum.set(m.i32x4.add(sum.get(), total))];
  });
  return [...setup, ...all.map((f) => f.set), ...products];
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
  target: Address,
): ReadonlyArray<Expr> => {
  if (result === 'i32') return sums.map((sum, v) => storeVector(asm, plus(target, 16 * v), sum.get()));
  // An odd last vector is stored twice; its second half is overwritten by the next tile or lies in the padding.
  return Array.from({ length: Math.ceil(sums.length / 2) }, (_, v) => {
    const [a, b] = [sums[2 * v]!, sums[2 * v + 1] ?? sums[2 * v]!];
    return storeVector(asm, plus(target, 16 * v), asm.m.i16x8.narrow_i32x4_s(a.get(), b.get()));
  });
};
