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
      return elementRounds(asm, base, 1, (index, at) => {
        const terms = tables.map((table, k): Expr => {
          const storage = sources[k]!;
          const from = addressIn(asm, bound.sources[k]!, () => scaled(m, index(), storageBytes(storage)));
          const code = loadCode(asm, storage, from.offset, from.pointer());
          const entry =
            table.shape[0] === 1 ? code : m.i32.add(code, m.i32.mul(at(), m.i32.const(table.shape[1]!)));
          const bytes = storedBytes(table);
          const pointer = scaled(m, entry, bytes);
          return bytes === 2
            ? m.i32.load16_s(bound.blocks[1 + k]!, 1, pointer)
            : m.i32.load(bound.blocks[1 + k]!, 1, pointer);
        });
        const start = bias === undefined ? [] : [m.i32.load(bound.blocks[0]!, 1, scaled(m, at(), 4))];
        const sum = [...start, ...terms].reduce((a, b) => m.i32.add(a, b));
        const to = scaled(m, index(), storageBytes(result));
        return [
          result === 'i16' ? m.i32.store16(bound.target, 1, to, sum) : m.i32.store(bound.target, 1, to, sum),
        ];
      });
    },
    summary: { op: 'table.sum', form: `${tables.length} tables`, inputs: base.length, outputs: base.length },
  };
};

const storedBytes = (table: Constant): 2 | 4 => (table.data.BYTES_PER_ELEMENT <= 2 ? 2 : 4);
