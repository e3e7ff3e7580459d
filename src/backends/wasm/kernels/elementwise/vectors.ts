/** Expressions over four elements at a time, in lanes of 32 bits. */
import { match, P } from 'ts-pattern';
import {
  type BinaryOp,
  type Expr as Element,
  nodesOf,
  type Rows,
  rowsOf,
  type Scaled,
} from '../../../../code/language.js';
import { InternalError } from '../../../../diagnostics/index.js';
import { SPLIT_BITS } from '../../../../numeric/fixed-point.js';
import {
  type Asm,
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  scaled,
  splatI32,
  type WasmModule,
} from '../../asm.js';
import type { BlockAddresses, Bound, KernelBase } from '../../kernel.js';
import { type Block, blockOf, type Storage } from '../../storage.js';
import { loadIntegers } from '../accumulators.js';
import { channelTable, elementAt, holder, type Round, tableLength } from './rounds.js';

/** Thresholds up to which all of them are compared: about where a search takes as long. */
const COMPARED = 31;
/** Entries of tables of all comparisons up to which they stay in the cache. */
const COMPARED_ENTRIES = 2 ** 14;

type Binary = Extract<Element, { readonly _tag: 'binary' }>;

/** A number for each channel: what is read at a fixed entry of its row. */
const isConstant = (part: Element): boolean => part._tag === 'entry' && part.at._tag === 'literal';

/** Shifts are by as many bits in all lanes. */
const isShift = (part: Binary): boolean => part.op === 'shl' || part.op === 'shr';

/** Whether an expression has no look-up, no search and no shift by what differs, which lanes do not have. */
export const isVectorial = (e: Element, base: KernelBase, lanes: number): boolean =>
  nodesOf(e).every((part) => {
    if (part._tag === 'order' || part._tag === 'float') return false;
    if (part._tag === 'entry') return isConstant(part);
    if (part._tag === 'binary') return !isShift(part) || part.right._tag === 'literal';
    if (part._tag !== 'rank') return true;
    const { rows, width } = part.rows;
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
  for (const table of rowsOf(e)) {
    if (table.rows === 1) continue;
    first.set(table, blocks.length);
    for (let k = 0; k < table.width; k++) {
      blocks.push(blockOf(channelTable(base, lanes, integers, (c) => table.data[c * table.width + k]!)));
    }
  }
  return { blocks, first };
};

/** The expression for the four elements from `lane` on, with what has to be computed before it. */
export const vectorOf = (
  asm: Asm,
  bound: Bound<BlockAddresses>,
  tables: VectorTables,
  sources: ReadonlyArray<Storage>,
  round: Round,
  lane: number,
  e: Element,
): { readonly before: ReadonlyArray<Expr>; readonly value: Expr } => {
  const { m } = asm;
  const { before, held } = holder(asm.v128);
  const row = (table: Rows, k: number): Expr => {
    const first = tables.first.get(table);
    if (first === undefined) return splatI32(asm, table.data[k]!);
    const block = addressIn(asm, fixed(bound.blocks[first + k]!), () => scaled(m, round.at(), 4));
    return loadVector(asm, plus(block, lane * 4));
  };
  const of = (part: Element): Expr =>
    match(part)
      .with({ _tag: 'literal' }, ({ value }) => splatI32(asm, value))
      .with({ _tag: 'element' }, ({ operand }) => {
        const storage = sources[operand]!;
        return loadIntegers(asm, storage, elementAt(asm, bound.sources[operand]!, storage, round, lane));
      })
      .with({ _tag: 'entry', at: { _tag: 'literal' } }, ({ rows, at }) => row(rows, at.value))
      .with({ _tag: 'rank' }, ({ rows, of: key }) => {
        const value = held(of(key));
        // A comparison that holds is -1.
        let counted = splatI32(asm, 0);
        for (let k = 0; k < rows.width; k++) {
          counted = m.i32x4.sub(counted, m.i32x4.ge_s(value(), row(rows, k)));
        }
        return counted;
      })
      .with(
        { _tag: 'binary', op: P.union('shl', 'shr'), right: { _tag: 'literal' } },
        ({ op, left, right }) => m.i32x4[op === 'shl' ? 'shl' : 'shr_s'](of(left), m.i32.const(right.value)),
      )
      .with({ _tag: 'binary', op: P.not(P.union('shl', 'shr')) }, ({ op, left, right }) =>
        BINARY[op](m)(of(left), of(right)),
      )
      .with({ _tag: 'choose' }, ({ when, left, right, yes, no }) => {
        const isMet = when === 'less' ? m.i32x4.lt_s : m.i32x4.eq;
        return m.v128.bitselect(of(yes), of(no), isMet(of(left), of(right)));
      })
      .with({ _tag: 'scaled' }, (part) => scaledBack(asm, part, of, held))
      .with({ _tag: P.union('entry', 'order', 'binary') }, ({ _tag }) => {
        throw new InternalError(`lanes have no ${_tag}`);
      })
      .exhaustive();
  return { value: of(e), before };
};

const BINARY: Readonly<
  Record<Exclude<BinaryOp, 'shl' | 'shr'>, (m: WasmModule) => (left: Expr, right: Expr) => Expr>
> = {
  add: (m) => m.i32x4.add,
  sub: (m) => m.i32x4.sub,
  mul: (m) => m.i32x4.mul,
  min: (m) => m.i32x4.min_s,
  max: (m) => m.i32x4.max_s,
  and: (m) => m.v128.and,
};

const scaledBack = (
  asm: Asm,
  { of: value, mul, most, shift, top, form }: Scaled,
  of: (part: Element) => Expr,
  held: (value: Expr) => () => Expr,
): Expr => {
  const { m } = asm;
  const clamped = m.i32x4.min_s(m.i32x4.max_s(of(value), splatI32(asm, 0)), of(most));
  // A value at its bound may lie more than one code above the top when mul > 2^shift.
  const code = (rounded: Expr, bits: number): Expr =>
    m.i32x4.min_s(m.i32x4.shr_s(rounded, m.i32.const(bits)), splatI32(asm, top));
  if (form === 'narrow') {
    const product = m.i32x4.mul(clamped, of(mul));
    return code(m.i32x4.add(product, splatI32(asm, 2 ** (shift - 1))), shift);
  }
  const v = held(clamped);
  const bits = (): Expr => m.i32.const(SPLIT_BITS);
  const high = m.i32x4.mul(m.i32x4.shr_u(v(), bits()), of(mul));
  const low = m.i32x4.mul(m.v128.and(v(), splatI32(asm, 2 ** SPLIT_BITS - 1)), of(mul));
  const sum = m.i32x4.add(high, m.i32x4.shr_u(low, bits()));
  const half = splatI32(asm, 2 ** (shift - 1 - SPLIT_BITS));
  return code(m.i32x4.add(sum, half), shift - SPLIT_BITS);
};
