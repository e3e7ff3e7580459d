/**
 * Whole modules as torch.save(model) pickles them: every module is an object whose attributes hold its parameters,
 * buffers and modules by name. Their names joined by dots are those of the state dict. Nothing is executed for that;
 * what the class computes stands in its code, which no file holds.
 *
 * Programs of TorchScript have objects too, whose attributes are tensors and modules directly.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import { within } from '../checkpoint.js';
import { type ModuleFacts, type Modules, type PlainValue, WRAPPERS } from '../modules.js';
import { type DictNode, EMPTY_DICT, type ObjectNode, type PickleNode } from '../pickle/node.js';
import { attributesOf, type Budget, entriesOf, plainValue, textsOf } from '../pickle/plain.js';
import { asTensor, type TensorNode } from './tensor-node.js';

/** As deep as dicts may nest. A module that contains itself ends here. */
const MAX_DEPTH = 64;
/** A module that is shared has as many names as there are ways to it, as in a state dict. */
const MAX_MODULES = 65_536;
const MAX_PATH = 4096;
/** Tensors, modules and attributes of all modules, each as often as it has a name. */
const MAX_MEMBERS = 2 ** 20;

/** An object that stands where a tensor should be. */
export interface Hidden {
  readonly path: string;
  readonly node: PickleNode;
}

export interface ModuleTree {
  readonly tensors: ReadonlyMap<string, TensorNode>;
  readonly modules: Modules;
  readonly hidden: ReadonlyArray<Hidden>;
}

/** What a module has, in the order of a state dict. */
interface Members {
  readonly parameters: ReadonlyMap<string, PickleNode>;
  readonly buffers: ReadonlyMap<string, PickleNode>;
  readonly modules: ReadonlyMap<string, PickleNode>;
  readonly others: ReadonlyMap<string, PickleNode>;
}

const PRIVATE = /^_(?:parameters|buffers|modules|non_persistent_buffers_set|\w*_hooks\w*)$/;

const dictAt = (attributes: ReadonlyMap<string, PickleNode>, name: string): DictNode | undefined => {
  const node = attributes.get(name);
  return node?.tag === 'dict' ? node : undefined;
};

const isProgram = ({ name }: ObjectNode): boolean => name.startsWith('__torch__.');

/** Objects are asked as often as files refer to them, and looked at once. */
const KNOWN = new WeakMap<ObjectNode, { readonly members: Members | undefined }>();

const membersOf = (node: ObjectNode): Members | undefined => {
  const known = KNOWN.get(node) ?? { members: findMembers(node) };
  KNOWN.set(node, known);
  return known.members;
};

/** The members of a module; undefined for an object of another kind. */
const findMembers = (node: ObjectNode): Members | undefined => {
  const attributes = attributesOf(node);
  if (isProgram(node)) return programMembers(attributes);
  const parameters = dictAt(attributes, '_parameters');
  const modules = dictAt(attributes, '_modules');
  if (parameters === undefined || modules === undefined) return undefined;
  const left = textsOf(attributes.get('_non_persistent_buffers_set'));
  const buffers = entriesOf(dictAt(attributes, '_buffers') ?? EMPTY_DICT);
  return {
    parameters: entriesOf(parameters),
    buffers: new Map([...buffers].filter(([name]) => !left.has(name))),
    modules: entriesOf(modules),
    others: new Map([
      ...[...attributes].filter(([name]) => !PRIVATE.test(name)),
      ...[...buffers].filter(([name]) => left.has(name)),
    ]),
  };
};

/** Of a program: attributes that are tensors, and those that are objects of a program. */
const programMembers = (attributes: ReadonlyMap<string, PickleNode>): Members => {
  const tensors = new Map<string, PickleNode>();
  const modules = new Map<string, PickleNode>();
  const others = new Map<string, PickleNode>();
  for (const [name, value] of attributes) {
    if (asTensor(value) !== undefined) tensors.set(name, value);
    else if (value.tag === 'object' && isProgram(value)) modules.set(name, value);
    else others.set(name, value);
  }
  return { parameters: tensors, buffers: new Map(), modules, others };
};

/** Whether an object is a module, so that its tensors have names. */
export const isModule = (node: ObjectNode): boolean => membersOf(node) !== undefined;

/** A class that was made in the file itself (dill, cloudpickle) has its name among what it was made of. */
const MADE_CLASS = /(?:^|\.)_(?:create_type|make_skeleton_class|make_class_skel)$/;

/** The class of an object; `torch.jit` has its own beginning, and numbers for classes of equal name. */
const typeOf = (node: ObjectNode): string => {
  if (isProgram(node)) return node.name.replace(/^__torch__\./, '').replace(/___torch_mangle_\d+\./g, '');
  if (!MADE_CLASS.test(node.name)) return node.name;
  const [callee] = node.parts;
  const made = callee?.tag === 'object' ? callee.parts[0] : undefined;
  const items = made?.tag === 'tuple' ? made.items : [];
  const name = items.find((item) => item.tag === 'string');
  return name?.tag === 'string' ? name.value : node.name;
};

/** A shell around one module adds its own name to all others: DataParallel, averaged models, torch.compile. */
const isShell = ({ parameters, buffers, modules }: Members): boolean =>
  modules.size === 1 &&
  modules.has('module') &&
  parameters.size === 0 &&
  [...buffers.keys()].every((name) => name === 'n_averaged');

/** What tools of torch compute from the parts of a weight (weight norm, pruning) they keep as an attribute. */
const isFolded = (name: string, { parameters }: Members): boolean =>
  parameters.has(`${name}_g`) || parameters.has(`${name}_orig`);

const factsOf = (node: ObjectNode, members: Members, budget: Budget): ModuleFacts => {
  const { modules, others } = members;
  const attributes = new Map<string, PlainValue>();
  const loose: string[] = [];
  for (const [name, value] of others) {
    const plain = plainValue(value, budget);
    if (plain !== undefined) attributes.set(name, plain);
    else if (asTensor(value) !== undefined && !isFolded(name, members)) loose.push(name);
  }
  const children = [...modules].flatMap(([name, child]) => (child.tag === 'object' ? [name] : []));
  return { type: typeOf(node), attributes, children, loose };
};

interface Place {
  readonly node: ObjectNode;
  readonly path: string;
  readonly depth: number;
}

const tooLarge = (what: string): Checked<never> =>
  fail('K0113', `The module ${what}`, {
    hint: 'Save the state dict by itself: torch.save(model.state_dict(), path).',
  });

/**
 * The tensors of a module by the names of its state dict, and what its modules tell. Names of wrappers are left out.
 * K0113 where modules nest too deep or are too many: a module may contain itself.
 */
export const readModule = (root: ObjectNode): Checked<ModuleTree> => {
  const tensors = new Map<string, TensorNode>();
  const modules = new Map<string, ModuleFacts>();
  const hidden: Hidden[] = [];
  const pending: Place[] = [{ node: root, path: '', depth: 0 }];
  const values: Budget = { left: MAX_MEMBERS };
  let count = 0;
  let size = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, path, depth } = next;
    const members = membersOf(node);
    if (members === undefined) continue;
    if (depth > MAX_DEPTH) return tooLarge(`nests more than ${MAX_DEPTH} deep`);
    if (++count > MAX_MODULES) return tooLarge(`has more than ${MAX_MODULES} modules`);
    size += members.parameters.size + members.buffers.size + members.modules.size + members.others.size;
    if (size > MAX_MEMBERS) return tooLarge(`has more than ${MAX_MEMBERS} tensors and attributes`);
    if (path.length > MAX_PATH) return tooLarge(`has names of more than ${MAX_PATH} characters`);
    const shell = isShell(members);
    if (!shell || !modules.has(path)) modules.set(path, factsOf(node, members, values));
    for (const [name, value] of [...members.parameters, ...members.buffers]) {
      const tensor = asTensor(value);
      const at = within(path, name);
      if (tensor !== undefined) tensors.set(at, tensor);
      else if (value.tag === 'object' || value.tag === 'call') hidden.push({ path: at, node: value });
    }
    for (const [name, child] of [...members.modules].reverse()) {
      if (child.tag !== 'object') continue;
      const transparent = shell || WRAPPERS.has(name);
      pending.push({ node: child, path: transparent ? path : within(path, name), depth: depth + 1 });
    }
  }
  return E.right({ tensors, modules, hidden });
};
