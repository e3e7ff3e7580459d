/** Finding the state dict in what a checkpoint holds, and its plain names. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import {
  REBUILD_PARAMETER,
  REBUILD_PARAMETER_WITH_STATE,
  REBUILD_TENSOR,
  REBUILD_TENSOR_V3,
} from './pickle-globals.js';
import type { CallNode, DictNode, PickleNode } from './pickle-node.js';

/** The keys under which training scripts keep a state dict; where there are several, the first one counts. */
const WRAPPERS = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'net',
  'network',
  'params',
  'weights',
  'ema_state_dict',
  'model_ema',
  'ema',
  'module',
] as const;

/** A parameter around a parameter is legal and pointless; a limit keeps chains of shared ones cheap. */
const MAX_PARAMETER_NESTING = 8;

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

/** The tensors of a dict by name; a later assignment replaces an earlier one, as in Python. */
const tensorsOf = (dict: DictNode): ReadonlyMap<string, CallNode> => {
  const found = new Map<string, CallNode>();
  for (const [key, value] of dict.entries) {
    if (key.tag !== 'string') continue;
    const call = asTensorCall(value);
    if (call === undefined) found.delete(key.value);
    else found.set(key.value, call);
  }
  return found;
};

const dictsOf = (dict: DictNode): ReadonlyMap<string, DictNode> => {
  const found = new Map<string, DictNode>();
  for (const [key, value] of dict.entries) {
    if (key.tag === 'string' && value.tag === 'dict') found.set(key.value, value);
  }
  return found;
};

/** Depth first, wrappers before the dict itself, each dict once: dicts may be shared, cyclic and deep. */
const searchWrapped = (root: DictNode): ReadonlyMap<string, CallNode> | undefined => {
  const visited = new Set<DictNode>();
  const pending: { readonly dict: DictNode; readonly opened: boolean }[] = [{ dict: root, opened: false }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { dict, opened } = next;
    if (opened) {
      const tensors = tensorsOf(dict);
      if (tensors.size > 0) return tensors;
      continue;
    }
    if (visited.has(dict)) continue;
    visited.add(dict);
    pending.push({ dict, opened: true });
    const inner = dictsOf(dict);
    for (const key of [...WRAPPERS].reverse()) {
      const child = inner.get(key);
      if (child !== undefined) pending.push({ dict: child, opened: false });
    }
  }
  return undefined;
};

/** A single dict of tensors under a name that no convention knows. */
const searchOnlyChild = (root: DictNode): ReadonlyMap<string, ReadonlyMap<string, CallNode>> => {
  const found = new Map<string, ReadonlyMap<string, CallNode>>();
  const visited = new Set<DictNode>();
  for (const [key, dict] of dictsOf(root)) {
    if (visited.has(dict)) continue;
    visited.add(dict);
    const tensors = tensorsOf(dict);
    if (tensors.size > 0) found.set(key, tensors);
  }
  return found;
};

/**
 * The tensors of the state dict in a checkpoint: the root itself, or a dict under one of the usual keys
 * (`state_dict`, `model`, `net`, `ema`, ...), or the only dict of tensors there is. What is not a tensor is left
 * out. Fails with K0201 when there is none, or no telling which.
 */
export const findStateDict = (root: PickleNode): Checked<ReadonlyMap<string, CallNode>> => {
  if (root.tag !== 'dict') {
    const what = asTensorCall(root) === undefined ? `a ${root.tag}` : 'one tensor without a name';
    return fail('K0201', `The checkpoint holds ${what}, not a dict of named tensors`, {
      expected: 'a state dict',
      hint: 'Save it with torch.save(model.state_dict(), path).',
    });
  }
  const wrapped = searchWrapped(root);
  if (wrapped !== undefined) return E.right(wrapped);
  const children = searchOnlyChild(root);
  const [only] = children.values();
  if (children.size === 1 && only !== undefined) return E.right(only);
  const names = [...children.keys()].slice(0, 8).map((key) => printable(key, 60));
  return fail(
    'K0201',
    children.size === 0
      ? 'The checkpoint holds no named tensors'
      : `The checkpoint holds several state dicts: ${names.join(', ')}`,
    { expected: `one state dict, by itself or under ${WRAPPERS.slice(0, 5).join(', ')}` },
  );
};

/** A counter that averaged models (EMA, SWA) keep beside their `module.` names. */
const isCounter = (segments: ReadonlyArray<string>): boolean =>
  segments.length === 1 && segments[0] === 'n_averaged';

/** How many `module` segments a name begins with. */
const leadingModules = (segments: ReadonlyArray<string>): number => {
  let count = 0;
  while (count < segments.length - 1 && segments[count] === 'module') count++;
  return count;
};

/**
 * Plain names of tensors: without the `_orig_mod` segments of torch.compile wherever they stand, and without the
 * `module.` prefix of DataParallel and of averaged models where all names share it. Names stay as they are if two
 * of them would become the same.
 */
export const unwrapStateDict = <A>(tensors: ReadonlyMap<string, A>): ReadonlyMap<string, A> => {
  const names = [...tensors].map(([name, tensor]) => {
    const segments = name.split('.');
    const last = segments.length - 1;
    return { segments: segments.filter((s, i) => i === last || s !== '_orig_mod'), tensor };
  });
  let common = Number.POSITIVE_INFINITY;
  for (const { segments } of names) {
    if (!isCounter(segments)) common = Math.min(common, leadingModules(segments));
  }
  const plain = new Map<string, A>();
  for (const { segments, tensor } of names) {
    const name = (isCounter(segments) ? segments : segments.slice(common)).join('.');
    if (plain.has(name)) return tensors;
    plain.set(name, tensor);
  }
  return plain;
};
