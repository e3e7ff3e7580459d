/** Tables that are looked up: functions that are 1 at one entry and 0 elsewhere, times the entries. */
import type { FunctionId, FunctionNode, FunctionTable } from '../functions.js';
import type { Collector, Slots } from './slots.js';

/** Larger tables are refused: every entry is a function of the basis. */
export const MOST_ENTRIES = 4096;

/** Whether a function has no negative values, as far as its making tells. */
const isNonNegative = (table: FunctionTable, id: FunctionId): boolean => {
  const node = table.nodeOf(id);
  if (node.kind === 'constant') return node.value >= 0;
  if (node.kind !== 'call') return false;
  const is = (k: number): boolean => isNonNegative(table, node.args[k]!);
  switch (node.fn) {
    case 'relu':
    case 'abs':
    case 'sigmoid':
    case 'exp':
      return true;
    case 'max':
      return is(0) || is(1);
    case 'min':
    case 'add':
    case 'mul':
      return is(0) && is(1);
    case 'floor':
    case 'ceil':
    case 'round':
    case 'trunc':
      return is(0);
    default:
      return false;
  }
};

const isWhole = (table: FunctionTable, id: FunctionId): boolean => {
  const node = table.nodeOf(id);
  if (node.kind === 'constant') return Number.isInteger(node.value);
  if (node.kind !== 'call') return false;
  if (['floor', 'ceil', 'round', 'trunc'].includes(node.fn)) return true;
  const closed = ['min', 'max', 'add', 'sub', 'mul', 'neg', 'abs', 'relu'].includes(node.fn);
  return closed && node.args.every((arg) => isWhole(table, arg));
};

/** Adds a table's entries, each times a function that is 1 where it is looked up; false where it has too many. */
export const addEntries = (
  table: FunctionTable,
  slots: Slots,
  node: FunctionNode & { kind: 'lookup' },
  to: Collector,
): boolean => {
  const { table: entries, arg } = node;
  if (entries.length > MOST_ENTRIES) return false;
  const index = isWhole(table, arg) ? arg : table.call('floor', arg);
  const ascending = isNonNegative(table, arg);
  entries.forEach((value, entry) => {
    const here = table.call('eq', index, table.constant(entry));
    const id = ascending
      ? here
      : table.call('or', here, table.call('eq', index, table.constant(entry - entries.length)));
    to.add(slots.intern({ kind: 'other', id }), value);
  });
  return true;
};
