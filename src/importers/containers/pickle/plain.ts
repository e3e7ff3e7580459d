/** Values of pickles that mean the same in any language. */
import type { PlainValue } from '../modules.js';
import type { DictNode, ObjectNode, PickleNode } from './node.js';

/** Sizes of windows nest twice (a list of pairs), names of formulas of a layer as well. */
const MAX_DEPTH = 4;
/** How many values may still be copied: lists are shared in pickles, and so small files are large when written out. */
export interface Budget {
  left: number;
}

/** A number, text, name or short list; undefined for all that is no plain value, and beyond the budget. */
export const plainValue = (node: PickleNode, budget: Budget, depth = 0): PlainValue | undefined => {
  if (budget.left-- <= 0) return undefined;
  switch (node.tag) {
    case 'none':
      return null;
    case 'bool':
    case 'float':
    case 'string':
      return node.value;
    case 'int':
      return typeof node.value === 'number' ? node.value : undefined;
    case 'global':
      return { named: node.name };
    case 'list':
    case 'tuple': {
      if (depth >= MAX_DEPTH) return undefined;
      const items: PlainValue[] = [];
      for (const item of node.items) {
        const value = plainValue(item, budget, depth + 1);
        if (value === undefined) return undefined;
        items.push(value);
      }
      return items;
    }
    default:
      return undefined;
  }
};

/** The entries of a dict whose keys are texts; a later one of equal key wins, in the place of the first. */
export const entriesOf = (node: DictNode): ReadonlyMap<string, PickleNode> => {
  const entries = new Map<string, PickleNode>();
  for (const [key, value] of node.entries) if (key.tag === 'string') entries.set(key.value, value);
  return entries;
};

/** The attributes of an object of a plain class; those of slots stand in the second of two dicts. */
export const attributesOf = ({ state }: ObjectNode): ReadonlyMap<string, PickleNode> => {
  if (state?.tag === 'dict') return entriesOf(state);
  if (state?.tag !== 'tuple') return new Map();
  return new Map(state.items.flatMap((item) => (item.tag === 'dict' ? [...entriesOf(item)] : [])));
};

/** The texts in a set, however it was made: its items stand in it or in a list that it is made of. */
export const textsOf = (node: PickleNode | undefined): ReadonlySet<string> => {
  const texts = new Set<string>();
  const seen = new Set<PickleNode>();
  const pending: PickleNode[] = node === undefined ? [] : [node];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    if (one.tag === 'string') texts.add(one.value);
    else if (one.tag === 'object') for (const part of one.parts) pending.push(part);
    else if (one.tag === 'list' || one.tag === 'tuple') for (const item of one.items) pending.push(item);
  }
  return texts;
};
