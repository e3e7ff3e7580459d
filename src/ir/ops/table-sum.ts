/**
 * Sums of tables, element by element: residual additions, and univariate functions of codes where a value is
 * needed and not a layer (before a normalisation, a product, a pooling, or as a result).
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { element, elements, entry, perChannel, sum, tableRows } from '../../code/language.js';
import type { Rule } from '../../diagnostics/index.js';
import type { Interval } from '../../numeric/ranges.js';
import { constantOf, record } from '../codec.js';
import type { Constant } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, levelsOf, sizeOf, type ValueType, valueType } from '../types.js';
import { ACCUMULATION, type Accumulation, accumulatorType, checkRange, entriesFit } from './layers.js';

export interface TableSumAttrs extends Accumulation {
  /** For each operand int[R, levels], R = 1 or the number of channels. */
  readonly tables: ReadonlyArray<Constant>;
}

/** The smallest and the largest entry of each row. */
const rowBounds = (table: Constant): ReadonlyArray<Interval> => {
  const [rows, levels] = [table.shape[0]!, table.shape[1]!];
  return Array.from({ length: rows }, (_, row) => {
    let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let e = row * levels; e < (row + 1) * levels; e++) {
      lo = Math.min(lo, table.data[e]!);
      hi = Math.max(hi, table.data[e]!);
    }
    return { lo, hi };
  });
};

/** The proven interval of all partial sums, starting at the bias, in the order of the operands. */
export const sumRange = (a: Pick<TableSumAttrs, 'tables' | 'bias'>, channels: number): Interval => {
  const bounds = a.tables.map(rowBounds);
  // One look suffices where all channels are alike; a shape alone must not cost time.
  const alike = a.bias === undefined && bounds.every((rows) => rows.length === 1);
  let [lo, hi] = [0, 0];
  for (let c = 0; c < (alike ? 1 : channels); c++) {
    let [low, high] = [a.bias?.data[c] ?? 0, a.bias?.data[c] ?? 0];
    [lo, hi] = [Math.min(lo, low), Math.max(hi, high)];
    for (const rows of bounds) {
      const row = rows[rows.length === 1 ? 0 : c]!;
      [low, high] = [low + row.lo, high + row.hi];
      [lo, hi] = [Math.min(lo, low), Math.max(hi, high)];
    }
  }
  return { lo, hi };
};

const inferSum = (a: TableSumAttrs, operands: ReadonlyArray<ValueType>): Rule<ValueType> => {
  const [first] = operands;
  if (first === undefined || operands.length !== a.tables.length) {
    return E.left(`${a.tables.length} tables for ${operands.length} operands`);
  }
  const channels = channelsOf(first);
  for (const [k, x] of operands.entries()) {
    if (x.element.kind !== 'uint' || x.shape.join() !== first.shape.join()) {
      return E.left('takes codes of one shape');
    }
    const [rows, levels] = a.tables[k]!.shape;
    if ((rows !== 1 && rows !== channels) || levels !== levelsOf(x)) {
      return E.left(`table ${k} is [${rows}, ${levels}], expected [1 or ${channels}, ${levelsOf(x)}]`);
    }
  }
  const acc = accumulatorType(a, channels);
  return E.isLeft(acc) ? acc : E.right(valueType(acc.right.element, first.shape, acc.right.meaning));
};

export const tableSum = defineOp<'table.sum', TableSumAttrs, 'table'>({
  kind: 'table.sum',
  role: { _tag: 'table' },
  summary:
    'acc[c] = bias[c] + sum over operands k of tables[k][c, code_k[c]], for every element of channel c',
  doc: {
    does: 'a sum of univariate tables, element by element',
    text: [
      '`acc[e] = bias[c] + sum over operands k of tables[k][r, code_k[e]]`, r = c or 0, exact in integers, in the order of k: codes of one shape to i{acc}<scaled> of that shape. It stands for residual additions, and for univariate functions where a value is needed and not a layer.',
      '',
      '- `tables`: for each operand int[R, levels], R = 1 or C.',
      '- `bias?`: int[C]. `acc`, `lo`, `hi`, `scale`: as for table.edge.',
    ],
  },
  levels: ['table'],
  operands: 'several',
  attrs: record(
    { tables: t.readonlyArray(constantOf('int', 2)), ...ACCUMULATION.required },
    ACCUMULATION.optional,
  ),
  infer: inferSum,
  check: (a) => entriesFit(a.tables),
  prove: (a, [x]) => checkRange(a, sumRange(a, channelsOf(x!))),
  evaluate: (a, operands, type) => {
    const result = emptyTensor(type, operands[0]!.batch);
    const channelOf = channelIndex(type);
    for (let j = 0; j < result.data.length; j++) {
      const c = channelOf(j);
      let sum = a.bias?.data[c] ?? 0;
      for (let k = 0; k < a.tables.length; k++) {
        const table = a.tables[k]!;
        sum += table.data[(table.shape[0] === 1 ? 0 : c * table.shape[1]!) + operands[k]!.data[j]!]!;
      }
      result.data[j] = sum;
    }
    return result;
  },
  lower: ({ tables, bias }, _, type) =>
    elements(
      `${tables.length} tables`,
      sum(
        perChannel('bias', channelsOf(type), (c) => bias?.data[c] ?? 0),
        ...tables.map((table, k) => entry(tableRows(`t${k}`, table), element(k))),
      ),
    ),
  cost: (a, operands, type) => ({
    ...NO_COST,
    adds: sizeOf(type) * (operands.length - 1),
    addBits: a.acc,
    reads: sizeOf(type) * operands.length,
    bytes: a.tables.reduce((n, c) => n + c.data.byteLength, a.bias?.data.byteLength ?? 0),
  }),
});
