/** Looking into objects of pickles, of which nothing is known but what lies in them. */
import { asText, type PickleNode } from './node.js';

/** All that a node holds. */
const childrenOf = (node: PickleNode): ReadonlyArray<PickleNode> => {
  switch (node.tag) {
    case 'list':
    case 'tuple':
      return node.items;
    case 'dict':
      return node.state === undefined ? node.entries.flat() : [...node.entries.flat(), node.state];
    case 'call':
      return node.args;
    case 'object':
      return node.parts;
    case 'persistent':
      return [node.id];
    default:
      return [];
  }
};

/** The persistent id of a storage: whatever rebuilds a tensor of any kind has one. Classes of modules have others. */
const isStorage = (node: PickleNode): boolean =>
  node.tag === 'persistent' && node.id.tag === 'tuple' && asText(node.id.items[0]) === 'storage';

/** Visits a node and what it holds that was not visited before, itself first. */
const walk = (root: PickleNode, visited: Set<PickleNode>, see: (node: PickleNode) => void): void => {
  const pending: PickleNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (visited.has(node)) continue;
    visited.add(node);
    see(node);
    for (const child of childrenOf(node)) pending.push(child);
  }
};

/** How many storages of tensors lie in a node and were not counted before. */
export const tensorsWithin = (root: PickleNode, counted: Set<PickleNode>): number => {
  let count = 0;
  walk(root, counted, (node) => {
    if (isStorage(node)) count++;
  });
  return count;
};

/** A name that stands for nothing to the one who reads it: helpers of the pickle format, plain Python values. */
const isHelper = (name: string): boolean =>
  /^(?:copyreg|copy_reg|_codecs|builtins|__builtin__|numpy)\./.test(name);

/** The classes of the objects in nodes, outermost first, those of torch and of Python last. */
export const classesIn = (roots: ReadonlyArray<PickleNode>): ReadonlyArray<string> => {
  const names = new Set<string>();
  const visited = new Set<PickleNode>();
  const see = (node: PickleNode): void => {
    if (node.tag === 'object' && !isHelper(node.name)) names.add(node.name);
  };
  for (const root of roots) walk(root, visited, see);
  const ofLibraries = [...names].filter((name) => /^(?:torch|collections|pathlib|datetime)\./.test(name));
  for (const name of ofLibraries) names.delete(name);
  return [...names, ...ofLibraries];
};

/** A numpy array. */
export const isArray = (node: PickleNode): boolean =>
  node.tag === 'object' &&
  /^numpy\.(?:_?core\.)?(?:multiarray\._reconstruct|numeric\._frombuffer)$/.test(node.name);
