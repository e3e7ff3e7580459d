/** Values of pickles that mean the same in any language. */
import type { PlainValue } from '../modules.js';
import type { DictNode, ObjectNode, PickleNode } from './node.js';

/** Sizes of windows nest twice (a list of pairs), names of formulas of a layer as well. */
const MAX_DEPTH = 4;
const MAX_ITEMS = 4096;

/** A number, text, name or short list; undefined for all that is no plain value. */
export const plainValue = (node: PickleNode, depth = 0): PlainValue | undefined => {
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
      if (depth >= MAX_DEPTH || node.items.length > MAX_ITEMS) return undefined;
      const items: PlainValue[] = [];
      for (const item of node.items) {
        const value = plainValue(item, depth + 1);
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

/** The texts in a set, however it was made. */
export const textsOf = (node: PickleNode | undefined): ReadonlySet<string> => {
  const texts = new Set<string>();
  const see = (one: PickleNode, depth: number): void => {
    if (one.tag === 'string') texts.add(one.value);
    else if (depth < 3 && one.tag === 'object') for (const part of one.parts) see(part, depth + 1);
    else if (depth < 3 && (one.tag === 'list' || one.tag === 'tuple')) {
      for (const item of one.items) see(item, depth + 1);
    }
  };
  if (node !== undefined) see(node, 0);
  return texts;
};
