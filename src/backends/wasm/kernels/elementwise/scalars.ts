/** Expressions over one element at a time: what looks up and searches. */
import { match } from 'ts-pattern';
import {
  type BinaryOp,
  type Expr as Element,
  type Numbers,
  nodesOf,
  type Rows,
} from '../../../../code/language.js';
import type { TypedArray } from '../../../../ir/element.js';
import { ceilLog2 } from '../../../../numeric/fixed-point.js';
import { floatAt } from '../../../../numeric/float-order.js';
import { type Asm, type Expr, scaled, type WasmModule } from '../../asm.js';
import type { BlockAddresses, Bound } from '../../kernel.js';
import { type Block, type IntegerStorage, lazyBlock, loadInteger, type Storage } from '../../storage.js';
import { elementAt, holder, type Round } from './rounds.js';

/** The narrowest storage of the integers of a table. */
const entryOf = (data: Numbers): IntegerStorage => {
  let [lo, hi] = [0, 0];
  for (const v of data) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  if (lo >= 0 && hi < 65536) return hi < 256 ? 'u8' : 'u16';
  if (lo >= -32768 && hi < 32768) return lo >= -128 && hi < 128 ? 'i8' : 'i16';
  return 'i32';
};

const ENTRY: Readonly<
  Record<IntegerStorage, { readonly bytes: 1 | 2 | 4; readonly make: (data: Numbers) => TypedArray }>
> = {
  u8: { bytes: 1, make: (data) => Uint8Array.from(data) },
  i8: { bytes: 1, make: (data) => Int8Array.from(data) },
  u16: { bytes: 2, make: (data) => Uint16Array.from(data) },
  i16: { bytes: 2, make: (data) => Int16Array.from(data) },
  i32: { bytes: 4, make: (data) => Int32Array.from(data) },
};

/** Where a table is, how its entries are stored, and the bytes of a row. */
interface Stored {
  readonly block: number;
  readonly entry: IntegerStorage;
  readonly row: number;
}

export interface ScalarTables {
  readonly blocks: ReadonlyArray<Block>;
  readonly of: ReadonlyMap<Rows, Stored>;
}

/** Steps of a branch-free search: lists are padded to 2^steps entries, of which the last is not looked at. */
const stepsOf = (width: number): number => ceilLog2(width + 1);

/**
 * Lists for searches: of integers, padded with what is above every key but for the largest integer; of places in the
 * order of floats as those floats, padded with NaN, which nothing is >=.
 */
const listsOf = ({ rows, width, data }: Rows, isFloat: boolean): Int32Array | Float32Array => {
  const row = 2 ** stepsOf(width);
  const lists = isFloat
    ? new Float32Array(rows * row).fill(Number.NaN)
    : new Int32Array(rows * row).fill(2 ** 31 - 1);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < width; k++) {
      const threshold = data[r * width + k]!;
      lists[r * row + k] = isFloat ? floatAt(threshold) : threshold;
    }
  }
  return lists;
};

export const scalarTables = (e: Element): ScalarTables => {
  const of = new Map<Rows, Stored>();
  const blocks: Block[] = [];
  const keep = (rows: Rows, entry: IntegerStorage, row: number, make: () => TypedArray): void => {
    if (of.has(rows)) return;
    const { bytes } = ENTRY[entry];
    of.set(rows, { block: blocks.length, entry, row: row * bytes });
    blocks.push(lazyBlock(rows.rows * row, bytes, make));
  };
  for (const part of nodesOf(e)) {
    if (part._tag === 'entry') {
      const { rows } = part;
      const entry = entryOf(rows.data);
      keep(rows, entry, rows.width, () => ENTRY[entry].make(rows.data));
    }
    if (part._tag === 'rank') {
      const { rows, of: key } = part;
      keep(rows, 'i32', 2 ** stepsOf(rows.width), () => listsOf(rows, key._tag === 'order'));
    }
  }
  return { blocks, of };
};

const loadElement = (asm: Asm, storage: Storage, offset: number, pointer: Expr): Expr =>
  storage === 'f32' ? asm.m.f32.load(offset, 1, pointer) : loadInteger(asm, storage, offset, pointer);

/** The expression for the element `lane` of a round, with what has to be computed before it. */
export const scalarOf = (
  asm: Asm,
  bound: Bound<BlockAddresses>,
  tables: ScalarTables,
  sources: ReadonlyArray<Storage>,
  round: Round,
  lane: number,
  e: Element,
): { readonly before: ReadonlyArray<Expr>; readonly value: Expr } => {
  const scope = scopeOf(asm, bound, tables, sources, round, lane);
  return { value: expressionOf(scope, e), before: scope.before };
};

/** What the expression of one element is written with. */
interface Scope {
  readonly asm: Asm;
  readonly tables: ScalarTables;
  /** Grows with what has to be computed before the expression. */
  readonly before: Expr[];
  /** A value that is computed once and read several times. */
  readonly held: (value: Expr) => () => Expr;
  readonly operand: (index: number) => Expr;
  /** Address of the row of the channel, as a constant and what is added to it. */
  readonly rowOf: (table: Rows) => { readonly at: number; readonly plus: (to: Expr) => Expr };
}

const scopeOf = (
  asm: Asm,
  bound: Bound<BlockAddresses>,
  tables: ScalarTables,
  sources: ReadonlyArray<Storage>,
  round: Round,
  lane: number,
): Scope => {
  const { m } = asm;
  const { before, held } = holder(asm.i32);
  const operand = (index: number): Expr => {
    const storage = sources[index]!;
    const from = elementAt(asm, bound.sources[index]!, storage, round, lane);
    return loadElement(asm, storage, from.offset, from.pointer());
  };
  const rowOf: Scope['rowOf'] = (table) => {
    const { block, row } = tables.of.get(table)!;
    const at = bound.blocks[block]!;
    return table.rows === 1
      ? { at, plus: (to) => to }
      : { at: at + lane * row, plus: (to) => m.i32.add(to, scaled(m, round.at(), row)) };
  };
  return { asm, tables, before, held, operand, rowOf };
};

/** A binary search without branches: each step adds half of what is left when the threshold there is <= the key. */
const search = (
  { asm, before, rowOf }: Scope,
  table: Rows,
  isMet: (threshold: Expr) => Expr,
  isFloat: boolean,
): Expr => {
  const { m } = asm;
  // 4 * code: the byte offset of the next threshold, relative to the list of the channel.
  const position = asm.i32();
  const row = rowOf(table);
  before.push(position.set(m.i32.const(0)));
  for (let k = stepsOf(table.width) - 1; k >= 0; k--) {
    const offset = row.at + 4 * 2 ** k - 4;
    const pointer = row.plus(position.get());
    const met = isMet(isFloat ? m.f32.load(offset, 1, pointer) : m.i32.load(offset, 1, pointer));
    before.push(position.set(m.i32.add(position.get(), m.i32.shl(met, m.i32.const(k + 2)))));
  }
  return m.i32.shr_u(position.get(), m.i32.const(2));
};

const chosen = ({ asm: { m }, held }: Scope, left: Expr, right: Expr, op: 'min' | 'max'): Expr => {
  const [x, y] = [held(left), held(right)];
  return m.select((op === 'min' ? m.i32.lt_s : m.i32.gt_s)(x(), y()), x(), y());
};

const expressionOf = (scope: Scope, part: Element): Expr => {
  const { asm, before, held, operand, rowOf, tables } = scope;
  const { m } = asm;
  const of = (inner: Element): Expr => expressionOf(scope, inner);
  return match(part)
    .with({ _tag: 'literal' }, ({ value }) => m.i32.const(value))
    .with({ _tag: 'element' }, (e0) => operand(e0.operand))
    .with({ _tag: 'order' }, (e0) => orderOf(m, held(m.i32.reinterpret(operand(e0.operand)))))
    .with({ _tag: 'entry' }, ({ rows, at }) => {
      const { entry } = tables.of.get(rows)!;
      const row = rowOf(rows);
      return loadInteger(asm, entry, row.at, row.plus(scaled(m, of(at), ENTRY[entry].bytes)));
    })
    .with({ _tag: 'rank', of: { _tag: 'order' } }, ({ rows, of: key }) => {
      const x = asm.f32();
      before.push(x.set(operand(key.operand)));
      return search(scope, rows, (t) => m.f32.le(t, x.get()), true);
    })
    .with({ _tag: 'rank' }, ({ rows, of: key }) => {
      const value = held(of(key));
      const code = search(scope, rows, (t) => m.i32.le_s(t, value()), false);
      // The largest integer is not below what is padded with it.
      if (rows.width === 2 ** stepsOf(rows.width) - 1) return code;
      const found = held(code);
      const most = (): Expr => m.i32.const(rows.width);
      return m.select(m.i32.gt_u(found(), most()), most(), found());
    })
    .with({ _tag: 'binary' }, ({ op, left, right }) =>
      op === 'min' || op === 'max'
        ? chosen(scope, of(left), of(right), op)
        : BINARY[op](m)(of(left), of(right)),
    )
    .with({ _tag: 'choose' }, ({ when, left, right, yes, no }) => {
      const isMet = when === 'less' ? m.i32.lt_s : m.i32.eq;
      return m.select(isMet(of(left), of(right)), of(yes), of(no));
    })
    .with({ _tag: 'scaled' }, ({ of: value, mul, most, shift, top }) => {
      const clamped = chosen(scope, chosen(scope, of(value), m.i32.const(0), 'max'), of(most), 'min');
      const product = m.i64.mul(m.i64.extend_u(clamped), m.i64.extend_u(of(mul)));
      const rounded = m.i64.add(product, i64(asm, 2 ** (shift - 1)));
      return chosen(scope, m.i32.wrap(m.i64.shr_u(rounded, i64(asm, shift))), m.i32.const(top), 'min');
    })
    .exhaustive();
};

const BINARY: Readonly<
  Record<Exclude<BinaryOp, 'min' | 'max'>, (m: WasmModule) => (left: Expr, right: Expr) => Expr>
> = {
  add: (m) => m.i32.add,
  sub: (m) => m.i32.sub,
  mul: (m) => m.i32.mul,
  and: (m) => m.i32.and,
  shl: (m) => m.i32.shl,
  shr: (m) => m.i32.shr_s,
};

/** The place of a float in the order of floats, from its bits: both zeros have -1, and a NaN the smallest i32. */
const orderOf = (m: WasmModule, bits: () => Expr): Expr => {
  const magnitude = (): Expr => m.i32.and(bits(), m.i32.const(0x7fffffff));
  const order = m.select(
    m.i32.lt_s(bits(), m.i32.const(0)),
    m.i32.sub(m.i32.const(-1), magnitude()),
    magnitude(),
  );
  const ofNumber = m.select(m.i32.eqz(magnitude()), m.i32.const(-1), order);
  return m.select(m.i32.gt_s(magnitude(), m.i32.const(0x7f800000)), m.i32.const(-(2 ** 31)), ofNumber);
};

const i64 = (asm: Asm, n: number): Expr => asm.m.i64.const(BigInt(n));
