/** Expressions over one element at a time: what looks up and searches. */
import { match } from 'ts-pattern';
import { type Expr as Element, everyPart, type FloatRows, type Rows } from '../../../../code/expr.js';
import type { TypedArray } from '../../../../ir/element.js';
import { ceilLog2 } from '../../../../numeric/fixed-point.js';
import { type Asm, addressIn, type Expr, scaled } from '../../asm.js';
import type { Bound } from '../../kernel.js';
import { type Block, lazyBlock, type Storage, storageBytes } from '../../storage.js';
import type { Round } from './vectors.js';

/** How the integers of a table are stored: as narrow as they are. */
type Entry = 'u8' | 'i8' | 'u16' | 'i16' | 'i32';

const entryOf = (data: Int32Array): Entry => {
  let [lo, hi] = [0, 0];
  for (const v of data) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  if (lo >= 0 && hi < 65536) return hi < 256 ? 'u8' : 'u16';
  if (lo >= -32768 && hi < 32768) return lo >= -128 && hi < 128 ? 'i8' : 'i16';
  return 'i32';
};

const ENTRY: Readonly<
  Record<Entry, { readonly bytes: 1 | 2 | 4; readonly make: (data: Int32Array) => TypedArray }>
> = {
  u8: { bytes: 1, make: (data) => Uint8Array.from(data) },
  i8: { bytes: 1, make: (data) => Int8Array.from(data) },
  u16: { bytes: 2, make: (data) => Uint16Array.from(data) },
  i16: { bytes: 2, make: (data) => Int16Array.from(data) },
  i32: { bytes: 4, make: (data) => data },
};

const loadAs = (asm: Asm, entry: Entry, offset: number, pointer: Expr): Expr => {
  const { i32 } = asm.m;
  return match(entry)
    .with('u8', () => i32.load8_u(offset, 1, pointer))
    .with('i8', () => i32.load8_s(offset, 1, pointer))
    .with('u16', () => i32.load16_u(offset, 1, pointer))
    .with('i16', () => i32.load16_s(offset, 1, pointer))
    .with('i32', () => i32.load(offset, 1, pointer))
    .exhaustive();
};

/** Where a table is, how its entries are stored, and the bytes of a row. */
interface Stored {
  readonly block: number;
  readonly entry: Entry;
  readonly row: number;
}

export interface ScalarTables {
  readonly blocks: ReadonlyArray<Block>;
  readonly of: ReadonlyMap<Rows | FloatRows, Stored>;
}

/** Steps of a branch-free search: lists are padded to 2^steps entries, of which the last is not looked at. */
const stepsOf = (width: number): number => ceilLog2(width + 1);

/** Lists of thresholds for searches. What is padded is above every key, but for the largest integer; nothing is >= NaN. */
const padded = <A extends Int32Array | Float32Array>(
  { rows, width, data }: { readonly rows: number; readonly width: number; readonly data: A },
  to: A,
): A => {
  const row = to.length / rows;
  for (let r = 0; r < rows; r++) to.set(data.subarray(r * width, (r + 1) * width), r * row);
  return to;
};

export const scalarTables = (e: Element): ScalarTables => {
  const of = new Map<Rows | FloatRows, Stored>();
  const blocks: Block[] = [];
  const keep = (
    table: Rows | FloatRows,
    entry: Entry,
    elements: number,
    width: number,
    make: () => TypedArray,
  ): void => {
    if (of.has(table)) return;
    const { bytes } = ENTRY[entry];
    of.set(table, { block: blocks.length, entry, row: width * bytes });
    blocks.push(lazyBlock(elements, bytes, make));
  };
  for (const part of everyPart(e)) {
    if (part.kind === 'constant' || part.kind === 'entry') {
      const { table } = part;
      const entry = entryOf(table.data);
      keep(table, entry, table.data.length, table.width, () => ENTRY[entry].make(table.data));
    }
    if (part.kind === 'count' || part.kind === 'countFloats') {
      const { rows, width } = part.thresholds;
      const row = 2 ** stepsOf(width);
      keep(part.thresholds, 'i32', rows * row, row, () =>
        part.kind === 'count'
          ? padded(part.thresholds, new Int32Array(rows * row).fill(2 ** 31 - 1))
          : padded(part.thresholds, new Float32Array(rows * row).fill(Number.NaN)),
      );
    }
  }
  return { blocks, of };
};

const loadElement = (asm: Asm, storage: Storage, offset: number, pointer: Expr): Expr =>
  storage === 'f32' ? asm.m.f32.load(offset, 1, pointer) : loadAs(asm, storage, offset, pointer);

/** The expression for the element `lane` of a round, with what has to be computed before it. */
export const scalarOf = (
  asm: Asm,
  bound: Bound,
  tables: ScalarTables,
  sources: ReadonlyArray<Storage>,
  round: Round,
  lane: number,
  e: Element,
): { readonly before: ReadonlyArray<Expr>; readonly value: Expr } => {
  const { m } = asm;
  const before: Expr[] = [];
  const held = (value: Expr): (() => Expr) => {
    const local = asm.i32();
    before.push(local.set(value));
    return local.get;
  };
  const operand = (index: number): Expr => {
    const storage = sources[index]!;
    const bytes = storageBytes(storage);
    const from = addressIn(asm, bound.sources[index]!, () => scaled(m, round.index(), bytes));
    return loadElement(asm, storage, from.offset + lane * bytes, from.pointer());
  };
  /** Address of the row of the channel, as a constant and what is added to it. */
  const rowOf = (table: Rows | FloatRows): { readonly at: number; readonly plus: (to: Expr) => Expr } => {
    const { block, row } = tables.of.get(table)!;
    const at = bound.blocks[block]!;
    return table.rows === 1
      ? { at, plus: (to) => to }
      : { at: at + lane * row, plus: (to) => m.i32.add(to, scaled(m, round.at(), row)) };
  };
  /** A binary search without branches: each step adds half of what is left when the threshold there is <= the key. */
  const search = (table: Rows | FloatRows, isMet: (threshold: Expr) => Expr, isFloat: boolean): Expr => {
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
  const choice = (a: Element, b: Element, isFirst: (x: Expr, y: Expr) => Expr): Expr => {
    const [x, y] = [held(of(a)), held(of(b))];
    return m.select(isFirst(x(), y()), x(), y());
  };
  const of = (part: Element): Expr =>
    match(part)
      .with({ kind: 'literal' }, ({ value }) => m.i32.const(value))
      .with({ kind: 'operand' }, ({ index }) => operand(index))
      .with({ kind: 'constant' }, ({ table }) => {
        const { entry, row } = tables.of.get(table)!;
        return loadAs(asm, entry, rowOf(table).at, scaled(m, round.at(), row));
      })
      .with({ kind: 'entry' }, ({ table, at }) => {
        const { entry } = tables.of.get(table)!;
        const row = rowOf(table);
        return loadAs(asm, entry, row.at, row.plus(scaled(m, of(at), ENTRY[entry].bytes)));
      })
      .with({ kind: 'count' }, ({ thresholds, key }) => {
        const value = held(of(key));
        const code = search(thresholds, (t) => m.i32.le_s(t, value()), false);
        // The largest integer is not below what is padded with it.
        if (thresholds.width === 2 ** stepsOf(thresholds.width) - 1) return code;
        const found = held(code);
        const most = (): Expr => m.i32.const(thresholds.width);
        return m.select(m.i32.gt_u(found(), most()), most(), found());
      })
      .with({ kind: 'countFloats' }, ({ thresholds, index }) => {
        const x = asm.f32();
        before.push(x.set(operand(index)));
        return search(thresholds, (t) => m.f32.le(t, x.get()), true);
      })
      .with({ kind: 'add' }, ({ a, b }) => m.i32.add(of(a), of(b)))
      .with({ kind: 'subtract' }, ({ a, b }) => m.i32.sub(of(a), of(b)))
      .with({ kind: 'multiply' }, ({ a, b }) => m.i32.mul(of(a), of(b)))
      .with({ kind: 'least' }, ({ a, b }) => choice(a, b, m.i32.lt_s))
      .with({ kind: 'greatest' }, ({ a, b }) => choice(a, b, m.i32.gt_s))
      .with({ kind: 'scaled' }, ({ value, mul, shift }) => {
        const product = m.i64.mul(m.i64.extend_u(of(value)), m.i64.extend_u(of(mul)));
        const rounded = m.i64.add(product, i64(asm, 2 ** (shift - 1)));
        return m.i32.wrap(m.i64.shr_u(rounded, i64(asm, shift)));
      })
      .exhaustive();
  return { value: of(e), before };
};

const i64 = (asm: Asm, n: number): Expr => asm.m.i64.const(BigInt(n));
