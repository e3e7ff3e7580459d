/** Finding the dicts of tensors in what a torch file holds. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { listed } from '../listed.js';
import { NUMPY_ARRAY, type Opaque, within } from './checkpoint.js';
import {
  REBUILD_PARAMETER,
  REBUILD_PARAMETER_WITH_STATE,
  REBUILD_TENSOR,
  REBUILD_TENSOR_V3,
} from './pickle/globals.js';
import type { CallNode, DictNode, ListNode, PickleNode, TupleNode } from './pickle/node.js';
import { classesIn, isArray, tensorsWithin } from './pickle/objects.js';

/** A parameter around a parameter is legal and pointless; a limit keeps chains of shared ones cheap. */
const MAX_PARAMETER_NESTING = 8;

/** Deeper than anyone keeps a state dict; paths are as long as they are deep. */
const MAX_DEPTH = 64;

/** The tensor constructor behind a node, through the parameters around it; undefined for all that is no tensor. */
export const asTensorCall = (node: PickleNode): CallNode | undefined => {
  let current: PickleNode | undefined = node;
  for (let depth = 0; depth <= MAX_PARAMETER_NESTING; depth++) {
    if (current?.tag !== 'call') return undefined;
    if (current.name === REBUILD_TENSOR || current.name === REBUILD_TENSOR_V3) return current;
    if (current.name !== REBUILD_PARAMETER && current.name !== REBUILD_PARAMETER_WITH_STATE) return undefined;
    current = current.args[0];
  }
  return undefined;
};

/** A dict of tensors, and the keys that lead to it. */
export interface StateDict {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, CallNode>;
}

export interface StateDicts {
  readonly dicts: ReadonlyArray<StateDict>;
  readonly opaque: ReadonlyArray<Opaque>;
}

type Collection = DictNode | ListNode | TupleNode;

const isCollection = (node: PickleNode): node is Collection =>
  node.tag === 'dict' || node.tag === 'list' || node.tag === 'tuple';

/** The items by name: keys that are texts or numbers, or places in a list. A later one of equal key wins. */
const itemsOf = (node: Collection): ReadonlyMap<string, PickleNode> => {
  if (node.tag !== 'dict') return new Map(node.items.map((item, k) => [String(k), item]));
  const items = new Map<string, PickleNode>();
  for (const [key, value] of node.entries) {
    if (key.tag === 'string' || key.tag === 'int') items.set(String(key.value), value);
  }
  return items;
};

/** What an optimizer keeps: tensors of the shapes of weights that are none. */
const isOptimizer = (items: ReadonlyMap<string, PickleNode>): boolean =>
  items.has('param_groups') && items.has('state');

interface Found {
  readonly dicts: StateDict[];
  readonly opaque: Opaque[];
  /** The nodes of `opaque`. */
  readonly objects: PickleNode[];
  readonly arrays: string[];
}

interface Place {
  readonly node: Collection;
  readonly path: string;
  readonly depth: number;
}

/** Looks at one collection; what is to be looked at next comes back. */
const visit = (
  { node, path, depth }: Place,
  found: Found,
  counted: Set<PickleNode>,
): ReadonlyArray<Place> => {
  const items = itemsOf(node);
  if (isOptimizer(items)) return [];
  const tensors = new Map<string, CallNode>();
  const inner: Place[] = [];
  const arrays: string[] = [];
  const object = (type: string, at: string, value: PickleNode): void => {
    const count = tensorsWithin(value, counted);
    if (count === 0) return;
    found.objects.push(value);
    found.opaque.push({ path: at, parent: path, type, tensors: count });
  };
  for (const [key, value] of items) {
    const call = asTensorCall(value);
    if (call !== undefined) tensors.set(key, call);
    else if (isCollection(value)) inner.push({ node: value, path: within(path, key), depth: depth + 1 });
    else if (isArray(value)) arrays.push(within(path, key));
    else if (value.tag === 'object' || value.tag === 'call' || value.tag === 'persistent') {
      object(value.tag === 'persistent' ? 'torch storage' : value.name, within(path, key), value);
    }
  }
  if (node.tag === 'dict' && node.state !== undefined) {
    object('attributes of a dict', within(path, '__dict__'), node.state);
  }
  if (tensors.size > 0) {
    found.dicts.push({ path, tensors });
    // Among tensors an array may be a weight; elsewhere it is data or the state of a generator.
    for (const at of arrays) found.opaque.push({ path: at, parent: path, type: NUMPY_ARRAY, tensors: 1 });
  }
  found.arrays.push(...arrays);
  return inner;
};

/** In file order, each collection once: they may be shared, cyclic and deep. */
const search = (root: Collection): Checked<Found> => {
  const found: Found = { dicts: [], opaque: [], objects: [], arrays: [] };
  const visited = new Set<PickleNode>();
  const counted = new Set<PickleNode>();
  const pending: Place[] = [{ node: root, path: '', depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (visited.has(next.node)) continue;
    visited.add(next.node);
    if (next.depth > MAX_DEPTH) {
      return fail('K0113', `The checkpoint nests dicts and lists more than ${MAX_DEPTH} deep`, {
        hint: 'Save the state dict by itself: torch.save(model.state_dict(), path).',
      });
    }
    for (const place of [...visit(next, found, counted)].reverse()) pending.push(place);
  }
  return E.right(found);
};

const shown = (names: ReadonlyArray<string>): string => listed(names, 6, (name) => printable(name, 80));

const SAVE =
  'In Python, with the class at hand: torch.save(model.state_dict(), path). kanc reads the weights and their names, not the objects around them.';

/** K0114: weights lie in objects that only their own code could take apart. */
const wholeObject = (objects: ReadonlyArray<PickleNode>): Checked<never> =>
  fail(
    'K0114',
    `The checkpoint holds Python objects in place of a state dict: ${shown(classesIn(objects))}`,
    {
      expected:
        'a dict of named tensors; objects are never made, and their tensors have no names of their own',
      hint: SAVE,
    },
  );

const noTensors = (root: Collection, arrays: ReadonlyArray<string>): Checked<never> =>
  arrays.length > 0
    ? fail('K0201', `The checkpoint holds numpy arrays and no tensors: ${shown(arrays)}`, {
        expected: 'a state dict of torch tensors',
        hint: 'Save them as tensors: torch.save({k: torch.from_numpy(v) for k, v in arrays.items()}, path).',
      })
    : fail(
        'K0201',
        `The checkpoint holds no named tensors (found: ${shown([...itemsOf(root).keys()]) || 'nothing'})`,
        {
          expected: 'a state dict, by itself or inside of dicts and lists',
          hint: 'Save it with torch.save(model.state_dict(), path).',
        },
      );

/**
 * All dicts of tensors in a checkpoint, wherever dicts and lists lead to them; those of optimizers are passed over.
 * Objects are not looked into: those with tensors are told. Fails with K0114 where the tensors lie in objects only,
 * K0201 where there are none, K0113 where they lie too deep.
 */
export const findStateDicts = (root: PickleNode): Checked<StateDicts> => {
  if (asTensorCall(root) !== undefined) {
    return fail('K0201', 'The checkpoint holds one tensor without a name, not a dict of named tensors', {
      expected: 'a state dict',
      hint: 'Save it with torch.save(model.state_dict(), path).',
    });
  }
  if (root.tag === 'object') return wholeObject([root]);
  if (!isCollection(root)) {
    return fail('K0201', `The checkpoint holds a ${root.tag}, not a dict of named tensors`, {
      expected: 'a state dict',
      hint: 'Save it with torch.save(model.state_dict(), path).',
    });
  }
  const found = search(root);
  if (E.isLeft(found)) return found;
  const { dicts, opaque, objects, arrays } = found.right;
  if (dicts.length > 0) return E.right({ dicts, opaque });
  return objects.length > 0 ? wholeObject(objects) : noTensors(root, arrays);
};
