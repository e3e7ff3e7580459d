/** Sums of tables, element by element: one look-up for every operand. */
import type { Constant } from '../../../ir/constant.js';
import type { TableSumAttrs } from '../../../ir/ops/table-sum.js';
import { addressIn, type Expr, scaled } from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { blockOf, lazyBlock, loadCode, type Storage, storageBytes } from '../storage.js';
import { elementRounds } from './elementwise.js';

/** `sources`: storage of each operand. Blocks: bias, tables. */
export const sumTables = (
  base: KernelBase,
  attrs: TableSumAttrs,
  sources: ReadonlyArray<Storage>,
  result: Storage,
): Kernel => {
  const { tables, bias } = attrs;
  return {
    ...base,
    result,
    reach: base.length,
    blocks: [
      blockOf(Int32Array.from({ length: bias === undefined ? 0 : base.channels }, (_, c) => bias!.data[c]!)),
      ...tables.map((table) =>
        lazyBlock(table.data.length, storedBytes(table), () =>
          storedBytes(table) === 2 ? Int16Array.from(table.data) : Int32Array.from(table.data),
        ),
      ),
    ],
    emit: (asm, bound) => {
      const { m } = asm;
      const lanes = base.channels % TOGETHER === 0 ? TOGETHER : 1;
      return elementRounds(asm, base, lanes, (index, at) =>
        Array.from({ length: lanes }, (_, lane) => {
          const terms = tables.map((table, k): Expr => {
            const storage = sources[k]!;
            const [rows, levels] = [table.shape[0]!, table.shape[1]!];
            const bytes = storedBytes(table);
            const from = addressIn(asm, bound.sources[k]!, () => scaled(m, index(), storageBytes(storage)));
            const code = loadCode(asm, storage, from.offset + lane * storageBytes(storage), from.pointer());
            const entry = scaled(m, code, bytes);
            const pointer = rows === 1 ? entry : m.i32.add(entry, scaled(m, at(), levels * bytes));
            const table0 = bound.blocks[1 + k]! + (rows === 1 ? 0 : lane * levels * bytes);
            return bytes === 2 ? m.i32.load16_s(table0, 1, pointer) : m.i32.load(table0, 1, pointer);
          });
          const start =
            bias === undefined ? [] : [m.i32.load(bound.blocks[0]! + 4 * lane, 1, scaled(m, at(), 4))];
          const sum = [...start, ...terms].reduce((a, b) => m.i32.add(a, b));
          const to = scaled(m, index(), storageBytes(result));
          const target = bound.target + lane * storageBytes(result);
          return result === 'i16' ? m.i32.store16(target, 1, to, sum) : m.i32.store(target, 1, to, sum);
        }),
      );
    },
    summary: { op: 'table.sum', form: `${tables.length} tables`, inputs: base.length, outputs: base.length },
  };
};

/** Elements of neighbouring channels that are done in a row: they share what finds them. */
const TOGETHER = 4;

const storedBytes = (table: Constant): 2 | 4 => (table.data.BYTES_PER_ELEMENT <= 2 ? 2 : 4);
