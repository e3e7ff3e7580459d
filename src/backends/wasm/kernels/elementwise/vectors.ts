/** Expressions over four elements at a time, in lanes of 32 bits. */
import { match } from 'ts-pattern';
import { type Expr as Element, everyPart, type Rows } from '../../../../code/expr.js';
import { InternalError } from '../../../../diagnostics/index.js';
import { SPLIT_BITS } from '../../../../numeric/fixed-point.js';
import {
  type Address,
  type Asm,
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  scaled,
  splatI32,
} from '../../asm.js';
import type { Bound, KernelBase } from '../../kernel.js';
import { type Block, blockOf, type Storage, storageBytes } from '../../storage.js';
import { channelTable, tableLength } from './rounds.js';

/** Thresholds up to which all of them are compared: about where a search takes as long. */
const COMPARED = 31;
/** Entries of tables of all comparisons up to which they stay in the cache. */
const COMPARED_ENTRIES = 2 ** 14;

/** Whether an expression has no look-up and no search, which lanes do not have. */
export const isVectorial = (e: Element, base: KernelBase, lanes: number): boolean =>
  everyPart(e).every((part) => {
    if (part.kind === 'entry' || part.kind === 'countFloats') return false;
    if (part.kind !== 'count') return true;
    const { rows, width } = part.thresholds;
    const entries = rows === 1 ? 0 : tableLength(base, lanes) * width;
    return width <= COMPARED && entries <= COMPARED_ENTRIES;
  });

/** The tables of an expression: one for each constant, and one for each threshold, in which channels stand as elements do. */
export interface VectorTables {
  readonly blocks: ReadonlyArray<Block>;
  /** The first block of a table. */
  readonly first: ReadonlyMap<Rows, number>;
}

export const vectorTables = (e: Element, base: KernelBase, lanes: number): VectorTables => {
  const first = new Map<Rows, number>();
  const blocks: Block[] = [];
  const integers = (n: number): Int32Array => new Int32Array(n);
  for (const part of everyPart(e)) {
    const table = part.kind === 'constant' ? part.table : part.kind === 'count' ? part.thresholds : undefined;
    if (table === undefined || table.rows === 1 || first.has(table)) continue;
    first.set(table, blocks.length);
    for (let k = 0; k < table.width; k++) {
      blocks.push(blockOf(channelTable(base, lanes, integers, (c) => table.data[c * table.width + k]!)));
    }
  }
  return { blocks, first };
};

/** Four integers of an operand as i32x4. */
const loadIntegers = (asm: Asm, storage: Storage, a: Address): Expr => {
  const { m } = asm;
  if (storage === 'i16') return m.v128.load16x4_s(a.offset, 1, a.pointer());
  if (storage === 'u16') return m.v128.load16x4_u(a.offset, 1, a.pointer());
  return storage === 'u8'
    ? m.i32x4.extend_low_i16x8_u(m.i16x8.extend_low_i8x16_u(m.v128.load32_zero(a.offset, 1, a.pointer())))
    : loadVector(asm, a);
};

/** Where the elements of a round are: `index` counts elements, `at` entries of tables of constants. */
export interface Round {
  readonly index: () => Expr;
  readonly at: () => Expr;
}

/**
 * The expression for the four elements from `lane` on, with what has to be computed before it. A node of binaryen has one
 * parent: what is used twice is held in a local.
 */
export const vectorOf = (
  asm: Asm,
  bound: Bound,
  tables: VectorTables,
  sources: ReadonlyArray<Storage>,
  round: Round,
  lane: number,
  e: Element,
): { readonly before: ReadonlyArray<Expr>; readonly value: Expr } => {
  const { m } = asm;
  const before: Expr[] = [];
  const held = (value: Expr): (() => Expr) => {
    const local = asm.v128();
    before.push(local.set(value));
    return local.get;
  };
  const row = (table: Rows, k: number): Expr => {
    const first = tables.first.get(table);
    if (first === undefined) return splatI32(asm, table.data[k]!);
    const block = addressIn(asm, fixed(bound.blocks[first + k]!), () => scaled(m, round.at(), 4));
    return loadVector(asm, plus(block, lane * 4));
  };
  const of = (part: Element): Expr =>
    match(part)
      .with({ kind: 'literal' }, ({ value }) => splatI32(asm, value))
      .with({ kind: 'operand' }, ({ index }) => {
        const storage = sources[index]!;
        const bytes = storageBytes(storage);
        const from = addressIn(asm, bound.sources[index]!, () => scaled(m, round.index(), bytes));
        return loadIntegers(asm, storage, plus(from, lane * bytes));
      })
      .with({ kind: 'constant' }, ({ table }) => row(table, 0))
      .with({ kind: 'count' }, ({ thresholds, key }) => {
        const value = held(of(key));
        // A comparison that holds is -1.
        let counted = splatI32(asm, 0);
        for (let k = 0; k < thresholds.width; k++) {
          counted = m.i32x4.sub(counted, m.i32x4.ge_s(value(), row(thresholds, k)));
        }
        return counted;
      })
      .with({ kind: 'add' }, ({ a, b }) => m.i32x4.add(of(a), of(b)))
      .with({ kind: 'subtract' }, ({ a, b }) => m.i32x4.sub(of(a), of(b)))
      .with({ kind: 'multiply' }, ({ a, b }) => m.i32x4.mul(of(a), of(b)))
      .with({ kind: 'least' }, ({ a, b }) => m.i32x4.min_s(of(a), of(b)))
      .with({ kind: 'greatest' }, ({ a, b }) => m.i32x4.max_s(of(a), of(b)))
      .with({ kind: 'scaled', product: 'narrow' }, ({ value, mul, shift }) =>
        m.i32x4.shr_s(
          m.i32x4.add(m.i32x4.mul(of(value), of(mul)), splatI32(asm, 2 ** (shift - 1))),
          m.i32.const(shift),
        ),
      )
      .with({ kind: 'scaled' }, ({ value, mul, shift }) => {
        const v = held(of(value));
        const bits = (): Expr => m.i32.const(SPLIT_BITS);
        const high = m.i32x4.mul(m.i32x4.shr_u(v(), bits()), of(mul));
        const low = m.i32x4.mul(m.v128.and(v(), splatI32(asm, 2 ** SPLIT_BITS - 1)), of(mul));
        return m.i32x4.shr_s(
          m.i32x4.add(
            m.i32x4.add(high, m.i32x4.shr_u(low, bits())),
            splatI32(asm, 2 ** (shift - 1 - SPLIT_BITS)),
          ),
          m.i32.const(shift - SPLIT_BITS),
        );
      })
      .with({ kind: 'entry' }, { kind: 'countFloats' }, ({ kind }) => {
        throw new InternalError(`lanes have no ${kind}`);
      })
      .exhaustive();
  return { value: of(e), before };
};
