/** Tables that are looked up: functions that are 1 at one entry and 0 elsewhere, times the entries. */
import type { FunctionId, FunctionTable } from '../functions.js';
import { inductive } from './memo.js';
import { entrySampler } from './pointwise.js';
import { boundsOf } from './range.js';
import type { Collector, Slots } from './slots.js';

/** Larger tables are refused: every entry is a function of the basis. */
export const MOST_ENTRIES = 4096;

const isWhole = (table: FunctionTable, id: FunctionId): boolean => {
  const node = table.nodeOf(id);
  if (node.kind === 'constant') return Number.isInteger(node.value);
  if (node.kind !== 'call') return false;
  if (['floor', 'ceil', 'round', 'trunc'].includes(node.fn)) return true;
  const closed = ['min', 'max', 'add', 'sub', 'mul', 'neg', 'abs', 'relu'].includes(node.fn);
  return closed && node.args.every((arg) => isWhole(table, arg));
};

/** A function that depends on its variable by tables alone: what is looked up, and its value at every entry. */
interface Entries {
  readonly arg: FunctionId;
  readonly values: ReadonlyArray<number>;
}

/** By which tables a function depends on x: none, those of one index and size, or also in other ways. */
type Dependence = 'constant' | 'other' | { readonly arg: FunctionId; readonly size: number };

const joined = (a: Dependence, b: Dependence): Dependence => {
  if (a === 'constant' || b === 'constant') return a === 'constant' ? b : a;
  return a !== 'other' && b !== 'other' && a.arg === b.arg && a.size === b.size ? a : 'other';
};

const dependences = (table: FunctionTable): ((id: FunctionId) => Dependence) =>
  inductive<Dependence>(table, (id, known) => {
    const node = table.nodeOf(id);
    switch (node.kind) {
      case 'x':
        return 'other';
      case 'constant':
        return 'constant';
      case 'call':
        return node.args.map(known).reduce(joined);
      case 'sum':
        return [...node.parts].map(known).reduce(joined, 'constant');
      case 'lookup': {
        const inner = known(node.arg);
        return inner === 'other' ? { arg: node.arg, size: node.table.length } : inner;
      }
    }
  });

/** Functions of entries: whatever stands behind a table is itself a table. Undefined where there is none. */
export const entriesOf = (table: FunctionTable): ((id: FunctionId) => Entries | undefined) => {
  const dependence = dependences(table);
  const samplers = new Map<string, (id: FunctionId) => ReadonlyArray<number>>();
  return (id) => {
    const found = dependence(id);
    if (found === 'constant' || found === 'other') return undefined;
    const { arg, size } = found;
    if (size > MOST_ENTRIES) return undefined;
    const key = `${arg} ${size}`;
    const known = samplers.get(key) ?? entrySampler(table, arg, size);
    samplers.set(key, known);
    return { arg, values: known(id) };
  };
};

/** Adds a function of entries, each times a function that is 1 where it is looked up. */
export const addEntries = (
  table: FunctionTable,
  slots: Slots,
  { arg, values }: Entries,
  to: Collector,
): void => {
  const index = isWhole(table, arg) ? arg : table.call('floor', arg);
  const ascending = boundsOf(table, arg)[0] >= 0;
  values.forEach((value, entry) => {
    const here = table.call('eq', index, table.constant(entry));
    const id = ascending
      ? here
      : table.call('or', here, table.call('eq', index, table.constant(entry - values.length)));
    to.add(slots.intern({ kind: 'other', id }), value);
  });
};
