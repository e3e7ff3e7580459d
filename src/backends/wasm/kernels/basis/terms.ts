/** The terms of a basis-table layer: what one input, or two when paired, add to the accumulators of a tile. */
import { type Address, type Asm, type Expr, type Local, loadVector, plus, scaled } from '../../asm.js';
import { type Accumulator, accumulatorInMemory } from '../accumulators.js';
import { type CodeSource, loadSourceCode } from '../code-source.js';
import type { CodeBase } from '../tile-loops.js';
import { type BasisShape, isSplit, recordWords, UNIT } from './layout.js';

/** More accumulators than these stay in memory: beside them a tile needs five factors and five rows. */
const MOST_IN_REGISTERS = 4;

export const accumulatorBytes = (shape: BasisShape): number => (shape.tile / UNIT) * 16;

/** `memory`: where accumulators may be. */
export const accumulatorsOf = (asm: Asm, shape: BasisShape, memory: number): ReadonlyArray<Accumulator> =>
  Array.from({ length: shape.tile / UNIT }, (_, u) => {
    return shape.tile / UNIT <= MOST_IN_REGISTERS ? asm.v128() : accumulatorInMemory(asm, memory + 16 * u);
  });

/** One input: the byte offset of its code, and that of the records of its row of knots. */
export interface Member {
  readonly code: () => Expr;
  readonly records: (() => Expr) | undefined;
}

export interface BasisTerms {
  readonly clear: () => ReadonlyArray<Expr>;
  /** Adds the terms of one input, or of two when paired; `table`: where their rows are. */
  readonly add: (codes: CodeBase, members: ReadonlyArray<Member>, table: () => Expr) => ReadonlyArray<Expr>;
  /** Code that runs before `units` are read, and the sums of each unit. */
  readonly finish: () => ReadonlyArray<Expr>;
  readonly units: ReadonlyArray<() => Expr>;
}

/** `records`: their address. */
export const basisTerms = (
  asm: Asm,
  shape: BasisShape,
  source: CodeSource,
  records: number,
  sums: ReadonlyArray<Accumulator>,
): BasisTerms => {
  const { m } = asm;
  const split = isSplit(shape);
  const terms = recordTerms(asm, shape, source, records);
  /** The sum of all factors, for the 128s of split units. */
  const [total, excess] = [asm.i32(), asm.v128()];
  const counted = (members: ReadonlyArray<Member>): Expr =>
    total.set(members.map((_, k) => terms.sum(k)).reduce((a, b) => m.i32.add(a, b), total.get()));
  return {
    clear: () => [
      ...sums.map((sum) => sum.set(m.i32x4.splat(m.i32.const(0)))),
      ...(split ? [total.set(m.i32.const(0))] : []),
    ],
    add: (codes, members, table) => {
      const products = terms.products(members, table);
      return [
        ...terms.find(codes, members, table),
        ...products.map((p) => p.factor.set(p.value)),
        ...(split ? [counted(members)] : []),
        ...(split ? splitSums(asm, products, sums) : plainSums(asm, shape, products, sums)),
      ];
    },
    finish: () => (split ? [excess.set(m.i32x4.splat(m.i32.shl(total.get(), m.i32.const(7))))] : []),
    units: sums.map((sum, u) => {
      const high = sums[u + 1];
      if (!split || u % 2 === 1 || high === undefined) return sum.get;
      return () => m.i32x4.sub(m.i32x4.sub(sum.get(), m.i32x4.shl(high.get(), m.i32.const(8))), excess.get());
    }),
  };
};

/** What members read of their records, and the rows that it is multiplied with. */
const recordTerms = (asm: Asm, shape: BasisShape, source: CodeSource, records: number) => {
  const { m } = asm;
  const step = shape.paired ? 2 : 1;
  const words = recordWords(shape);
  const found = Array.from({ length: step }, () => asm.i32());
  const rows = Array.from({ length: step }, () => asm.i32());
  const factors = Array.from({ length: step * words.values + (shape.hasBase ? 1 : 0) }, () => asm.v128());
  const wordAt = (w: number): number => records + 4 * w;
  const word = (k: number, w: number): Expr => m.i32.load(wordAt(w), 1, found[k]!.get());
  const baseValue = (): Expr =>
    shape.paired ? m.i32.or(word(0, words.base), word(1, words.base + 1)) : word(0, words.base);
  const base = (table: () => Expr): Product => ({
    factor: factors[step * words.values]!,
    value: m.i32x4.splat(baseValue()),
    row: { pointer: table, offset: step * shape.inputBytes },
  });
  return {
    /** The sum of all values of a member. */
    sum: (k: number): Expr => word(k, words.sum),
    find: (codes: CodeBase, members: ReadonlyArray<Member>, table: () => Expr): ReadonlyArray<Expr> =>
      members.flatMap((member, k) => {
        const code = scaled(m, loadSourceCode(asm, source, codes, member.code), shape.recordBytes);
        return [
          found[k]!.set(member.records === undefined ? code : m.i32.add(code, member.records())),
          rows[k]!.set(m.i32.add(table(), word(k, 0))),
        ];
      }),
    products: (members: ReadonlyArray<Member>, table: () => Expr): ReadonlyArray<Product> => [
      ...members.flatMap((_, k) =>
        Array.from({ length: words.values }, (_, j) => ({
          factor: factors[k * words.values + j]!,
          value: m.v128.load32_splat(wordAt(1 + j), 1, found[k]!.get()),
          row: { pointer: rows[k]!.get, offset: k * shape.inputBytes + j * step * shape.rowBytes },
        })),
      ),
      ...(shape.hasBase ? [base(table)] : []),
    ],
  };
};

interface Product {
  readonly factor: Local;
  readonly value: Expr;
  /** The row in the first unit. */
  readonly row: Address;
}

const addAll = (asm: Asm, terms: ReadonlyArray<Expr>): Expr => terms.reduce((x, y) => asm.m.i32x4.add(x, y));

/** Two units at a time, and an odd last one. */
const splitSums = (
  asm: Asm,
  products: ReadonlyArray<Product>,
  sums: ReadonlyArray<Accumulator>,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const loaded = products.map(() => asm.v128());
  return Array.from({ length: Math.ceil(sums.length / 2) }, (_, v) => {
    const [low, high] = [sums[2 * v]!, sums[2 * v + 1]];
    const at = (p: Product): Address => plus(p.row, 16 * v);
    if (high === undefined) {
      const terms = products.map((p) =>
        m.i32x4.dot_i16x8_s(m.v128.load8x8_s(at(p).offset, 1, at(p).pointer()), p.factor.get()),
      );
      return [low.set(m.i32x4.add(low.get(), addAll(asm, terms)))];
    }
    const highOf = (row: Local): Expr => m.i16x8.shr_s(row.get(), m.i32.const(8));
    return [
      ...products.map((p, k) => loaded[k]!.set(loadVector(asm, at(p)))),
      low.set(
        m.i32x4.add(
          low.get(),
          addAll(
            asm,
            products.map((p, k) => m.i32x4.dot_i16x8_s(loaded[k]!.get(), p.factor.get())),
          ),
        ),
      ),
      high.set(
        m.i32x4.add(
          high.get(),
          addAll(
            asm,
            products.map((p, k) => m.i32x4.dot_i16x8_s(highOf(loaded[k]!), p.factor.get())),
          ),
        ),
      ),
    ];
  }).flat();
};

const plainSums = (
  asm: Asm,
  shape: BasisShape,
  products: ReadonlyArray<Product>,
  sums: ReadonlyArray<Accumulator>,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const unitBytes = shape.rowBytes / sums.length;
  return sums.map((sum, u) => {
    const terms = products.map(({ factor, row }) => {
      const at = plus(row, u * unitBytes);
      if (shape.paired) return m.i32x4.dot_i16x8_s(loadVector(asm, at), factor.get());
      const four = shape.entry === 2 ? m.v128.load16x4_s(at.offset, 1, at.pointer()) : loadVector(asm, at);
      return m.i32x4.mul(four, factor.get());
    });
    return sum.set(m.i32x4.add(sum.get(), addAll(asm, terms)));
  });
};
