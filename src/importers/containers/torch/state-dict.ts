/** Finding the dicts of tensors in what a torch file holds: state dicts, and modules, which have one each. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import { listed } from '../../listed.js';
import { type Opaque, within } from '../checkpoint.js';
import type { Modules } from '../modules.js';
import { arrayPlan } from '../pickle/arrays.js';
import type { DictNode, ListNode, ObjectNode, PickleNode, TupleNode } from '../pickle/node.js';
import { classesIn, isArray, tensorsWithin } from '../pickle/objects.js';
import { isModule, type ModuleTree, readModule } from './modules.js';
import { asTensor, type TensorNode } from './tensor-node.js';

/** Deeper than anyone keeps a state dict; paths are as long as they are deep. */
const MAX_DEPTH = 64;

/** A dict of tensors, and the keys that lead to it. */
export interface StateDict {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorNode>;
  /** Of a whole module. */
  readonly modules?: Modules;
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
  /** Dicts of arrays alone: data mostly, and the network where there is no other. */
  readonly arrays: StateDict[];
  readonly modules: Place<ObjectNode>[];
}

interface Place<N> {
  readonly node: N;
  readonly path: string;
  readonly depth: number;
}

/** The class of numpy's arrays. */
const ARRAY = 'numpy.ndarray';

/** Looks at one collection; what is to be looked at next comes back. */
const visit = (
  { node, path, depth }: Place<Collection>,
  found: Found,
  counted: Set<PickleNode>,
): ReadonlyArray<Place<Collection>> => {
  const items = itemsOf(node);
  if (isOptimizer(items)) return [];
  const tensors = new Map<string, TensorNode>();
  const inner: Place<Collection>[] = [];
  const unread: string[] = [];
  let torch = false;
  const object = (type: string, at: string, value: PickleNode): void => {
    const count = tensorsWithin(value, counted);
    if (count === 0) return;
    found.objects.push(value);
    found.opaque.push({ path: at, parent: path, type, tensors: count });
  };
  for (const [key, value] of items) {
    const at = within(path, key);
    const call = asTensor(value);
    torch ||= call !== undefined;
    if (call !== undefined) tensors.set(key, call);
    else if (isCollection(value)) inner.push({ node: value, path: at, depth: depth + 1 });
    else if (value.tag === 'object' && isArray(value)) {
      if (arrayPlan(value) === undefined) unread.push(at);
      else tensors.set(key, value);
    } else if (value.tag === 'object' && isModule(value))
      found.modules.push({ node: value, path: at, depth: depth + 1 });
    else if (value.tag === 'object' || value.tag === 'call' || value.tag === 'persistent') {
      object(value.tag === 'persistent' ? 'torch storage' : value.name, at, value);
    }
  }
  if (node.tag === 'dict' && node.state !== undefined) {
    object('attributes of a dict', within(path, '__dict__'), node.state);
  }
  // Among tensors an array of another kind may be a weight; elsewhere it is data or the state of a generator.
  if (torch) for (const at of unread) found.opaque.push({ path: at, parent: path, type: ARRAY, tensors: 1 });
  if (tensors.size > 0) (torch ? found.dicts : found.arrays).push({ path, tensors });
  return inner;
};

/** A module is the dict of its tensors; what stands in the place of a tensor in it is told as among tensors. */
const addModule = (
  { node, path }: Place<ObjectNode>,
  found: Found,
  counted: Set<PickleNode>,
): Checked<void> => {
  const tree = readModule(node);
  if (E.isLeft(tree)) return tree;
  const { tensors, modules, hidden } = tree.right;
  if (tensors.size > 0) found.dicts.push({ path, tensors, modules });
  for (const one of hidden) {
    if (one.node.tag !== 'object' && one.node.tag !== 'call') continue;
    const count = Math.max(1, tensorsWithin(one.node, counted));
    found.opaque.push({ path: within(path, one.path), parent: path, type: one.node.name, tensors: count });
    found.objects.push(one.node);
  }
  for (const loose of looseOf(tree.right)) {
    found.opaque.push({
      path: within(path, loose),
      parent: NOWHERE,
      type: 'attribute of a module',
      tensors: 1,
    });
  }
  return E.right(undefined);
};

/** Attributes of modules are no tensors of a state dict, so that they are told and not refused. */
const NOWHERE = '\u0000';

const looseOf = ({ modules }: ModuleTree): ReadonlyArray<string> =>
  [...modules].flatMap(([path, { loose }]) => loose.map((name) => within(path, name)));

/** In file order, each collection once: they may be shared, cyclic and deep. */
const search = (root: Collection): Checked<Found> => {
  const found: Found = { dicts: [], opaque: [], objects: [], arrays: [], modules: [] };
  const visited = new Set<PickleNode>();
  const counted = new Set<PickleNode>();
  const pending: Place<Collection>[] = [{ node: root, path: '', depth: 0 }];
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
  for (const module of found.modules) {
    if (visited.has(module.node)) continue;
    visited.add(module.node);
    const added = addModule(module, found, counted);
    if (E.isLeft(added)) return added;
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

const noTensors = (root: Collection): Checked<never> =>
  fail(
    'K0201',
    `The checkpoint holds no named tensors (found: ${shown([...itemsOf(root).keys()]) || 'nothing'})`,
    {
      expected: 'a state dict, by itself or inside of dicts and lists',
      hint: 'Save it with torch.save(model.state_dict(), path).',
    },
  );

const ofModule = (root: ObjectNode): Checked<StateDicts> => {
  const found: Found = { dicts: [], opaque: [], objects: [], arrays: [], modules: [] };
  const added = addModule({ node: root, path: '', depth: 0 }, found, new Set());
  if (E.isLeft(added)) return added;
  return found.dicts.length > 0
    ? E.right(found)
    : fail('K0201', `The checkpoint holds a module without tensors: ${shown(classesIn([root]))}`, {
        expected: 'a module with weights',
        hint: 'A frozen TorchScript program keeps its weights in its code: save model.state_dict() before it is frozen.',
      });
};

/**
 * All dicts of tensors in a checkpoint, wherever dicts and lists lead to them; those of optimizers are passed over.
 * Modules are the dicts of their tensors. Other objects are not looked into: those with tensors are told. Fails with K0114 where the tensors lie in objects only,
 * K0201 where there are none, K0113 where they lie too deep.
 */
export const findStateDicts = (root: PickleNode): Checked<StateDicts> => {
  if (asTensor(root) !== undefined) {
    return fail('K0201', 'The checkpoint holds one tensor without a name, not a dict of named tensors', {
      expected: 'a state dict',
      hint: 'Save it with torch.save(model.state_dict(), path).',
    });
  }
  if (root.tag === 'object') return isModule(root) ? ofModule(root) : wholeObject([root]);
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
  if (objects.length > 0) return wholeObject(objects);
  return arrays.length > 0 ? E.right({ dicts: arrays, opaque }) : noTensors(root);
};
