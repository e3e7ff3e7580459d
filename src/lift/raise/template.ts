/**
 * The shape of a function apart from its constants: functions of one shape are one expression, and the constants in
 * which they differ its parameters.
 */
import type { ScalarFunction } from '../../numeric/scalar.js';
import type { FunctionId, FunctionTable } from '../functions.js';

/** A node of a shape; `args` are indices of nodes before it, `slot` the index of a constant. */
export type TemplateNode =
  | { readonly kind: 'x' }
  | { readonly kind: 'constant'; readonly slot: number }
  | { readonly kind: 'call'; readonly fn: ScalarFunction; readonly args: ReadonlyArray<number> }
  /** The sum of the arguments, each times a constant: those from `slot` on. */
  | { readonly kind: 'sum'; readonly args: ReadonlyArray<number>; readonly slot: number };

export interface Template {
  /** Equal for functions of one shape. */
  readonly key: string;
  /** Parts before wholes; the last is the function. */
  readonly nodes: ReadonlyArray<TemplateNode>;
}

/** A function as a shape and its constants, in the order of their slots. */
export interface Instance {
  readonly template: Template;
  readonly constants: ReadonlyArray<number>;
}

/** What keeps a function from being an expression. */
export type Unfit = { readonly reason: 'lookup'; readonly entries: number } | { readonly reason: 'size' };

/** More nodes are no text that anyone reads, and no function that is evaluated millions of times. */
export const MOST_NODES = 2000;

export const isUnfit = (a: Instance | Unfit): a is Unfit => 'reason' in a;

/** The shape of a function. Each constant has a slot of its own wherever it stands; other parts are shared. */
export const instanceOf = (table: FunctionTable, id: FunctionId): Instance | Unfit => {
  const nodes: TemplateNode[] = [];
  const keys: string[] = [];
  const constants: number[] = [];
  const places = new Map<FunctionId, number>();
  const add = (node: TemplateNode, key: string): number => {
    keys.push(key);
    return nodes.push(node) - 1;
  };
  /** Where a part stands; constants anew each time. */
  const placeOf = (part: FunctionId): number => {
    const value = table.constantOf(part);
    if (value === undefined) return places.get(part)!;
    return add({ kind: 'constant', slot: constants.push(value) - 1 }, 'c');
  };
  const open: FunctionId[] = [id];
  while (open.length > 0) {
    const top = open[open.length - 1]!;
    if (places.has(top)) {
      open.pop();
      continue;
    }
    const node = table.nodeOf(top);
    if (node.kind === 'lookup') return { reason: 'lookup', entries: node.table.length };
    if (nodes.length > MOST_NODES || open.length > 2 * MOST_NODES) return { reason: 'size' };
    const parts = node.kind === 'call' ? node.args : node.kind === 'sum' ? [...node.parts] : [];
    const missing = parts.filter((p) => !places.has(p) && table.constantOf(p) === undefined);
    if (missing.length > 0) {
      open.push(...missing.reverse());
      continue;
    }
    open.pop();
    if (node.kind === 'x') places.set(top, add({ kind: 'x' }, 'x'));
    else if (node.kind === 'constant') places.set(top, placeOf(top));
    else {
      const args = parts.map(placeOf);
      if (node.kind === 'call') {
        places.set(top, add({ kind: 'call', fn: node.fn, args }, `${node.fn} ${args.join(' ')}`));
      } else {
        const slot = constants.length;
        constants.push(...node.factors);
        places.set(top, add({ kind: 'sum', args, slot }, `+ ${args.join(' ')}`));
      }
    }
  }
  if (nodes.length > MOST_NODES) return { reason: 'size' };
  return { template: { key: keys.join(','), nodes }, constants };
};

/** What each constant of a shape is: a number that all functions have, or one of the parameters. */
export type Assignment =
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'parameter'; readonly index: number };

export interface Parametrised {
  /** Of each slot. */
  readonly assignments: ReadonlyArray<Assignment>;
  readonly parameters: number;
  /** Parameters of a function. */
  readonly valuesOf: (constants: ReadonlyArray<number>) => ReadonlyArray<number>;
}

/** Constants in which functions of a shape differ become parameters; those that differ in the same way are one. */
export const parametrised = (instances: ReadonlyArray<ReadonlyArray<number>>): Parametrised => {
  const first = instances[0]!;
  const known = new Map<string, number>();
  const slots: number[] = [];
  const assignments = first.map((value, slot): Assignment => {
    if (instances.every((c) => Object.is(c[slot], value))) return { kind: 'literal', value };
    const key = instances.map((c) => c[slot]).join(' ');
    const index = known.get(key) ?? slots.push(slot) - 1;
    known.set(key, index);
    return { kind: 'parameter', index };
  });
  return {
    assignments,
    parameters: slots.length,
    valuesOf: (constants) => slots.map((slot) => constants[slot]!),
  };
};
