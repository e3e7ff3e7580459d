/** The layers that the tensors of a checkpoint make up, in the order in which the file has them. */
import type { FileTensor, TensorFile } from '../../containers/tensor.js';
import { isCounter, suspectOf } from '../../suspects.js';
import { type FoundLayer, type FoundType, layerAt } from '../detect.js';
import { isPartOf, misfitsOf } from './parts.js';

/** Names that only one kind of layer has. */
const MARKS =
  /^(?:(.*?)\.)??(?:spline_conv\.\d+\.weight|poly_conv\.(?:\d+\.)?weight|poly_weights|cheby_coeffs|spline_weight|spline_linear\.weight)$/s;

const parentOf = (name: string): string | undefined => {
  const dot = name.lastIndexOf('.');
  return name === '' ? undefined : dot < 0 ? '' : name.slice(0, dot);
};

/** The layers that have names of their own, by prefix. */
type Marked = ReadonlyMap<string, FoundType | undefined>;

/** The prefix of the layer that a tensor belongs to: a norm within a KAN layer that has none is a layer by itself. */
const ownerOf = (name: string, marked: Marked): string => {
  for (let at = parentOf(name); at !== undefined; at = parentOf(at)) {
    const rest = at === '' ? name : name.slice(at.length + 1);
    if (isPartOf(marked.get(at), rest)) return at;
  }
  return parentOf(name) ?? '';
};

interface Tree {
  readonly children: Map<string, Tree>;
  layer: boolean;
}

const insert = (root: Tree, prefix: string): void => {
  let node = root;
  for (const segment of prefix === '' ? [] : prefix.split('.')) {
    const child = node.children.get(segment) ?? { children: new Map(), layer: false };
    node.children.set(segment, child);
    node = child;
  }
  node.layer = true;
};

/**
 * Prefixes in the order of the network, as far as names say it: the modules of a Sequential are numbered, others
 * stand in the order of the file, which is mostly that of their definition.
 */
const inOrder = (root: Tree): ReadonlyArray<string> => {
  const found: string[] = [];
  // Not recursion: names come out of files, and their depth with them.
  const stack: Array<readonly [string, Tree]> = [['', root]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [prefix, node] = next;
    if (node.layer) found.push(prefix);
    const children = [...node.children];
    if (children.every(([segment]) => /^\d{1,9}$/.test(segment))) {
      children.sort(([a], [b]) => Number(a) - Number(b));
    }
    for (const [segment, child] of children.reverse()) {
      stack.push([prefix === '' ? segment : `${prefix}.${segment}`, child]);
    }
  }
  return found;
};

/** Longest name of a tensor that a layer is looked for. */
const NAME_LIMIT = 256;

/** A tensor that is no part of a layer of ours. */
export interface Stray {
  readonly name: string;
  readonly shape: ReadonlyArray<number>;
  /** In the middle of a sentence: what it probably is. */
  readonly why: string;
  /** Whether it may be a part of a layer of ours all the same. */
  readonly unclear?: true;
}

export interface Found {
  readonly layers: ReadonlyArray<FoundLayer>;
  readonly strays: ReadonlyArray<Stray>;
  /** Tensors with which no network computes. */
  readonly idle: ReadonlyArray<string>;
}

/** Names do not tell a KAJN convolution from a KALN; golden outputs do. */
const typeOf = (file: TensorFile, prefix: string, checked: boolean): FoundType | undefined => {
  const type = layerAt(file, prefix);
  return checked && type === 'kaln-conv2d' ? 'kajn-conv2d' : type;
};

/** All layers, and the tensors that belong to none. `checked`: whether what they compute will be compared. */
export const findLayers = (file: TensorFile, checked: boolean): Found => {
  // Names come out of files: looking for the layer of one takes time that grows with the square of its length.
  const used = [...file.tensors].filter(([name, tensor]) => !isCounter(name, tensor));
  const isIdle = ([name, tensor]: readonly [string, FileTensor]): boolean =>
    suspectOf(name, tensor)?.idle === true;
  const idle = used.filter(isIdle).map(([name]) => name);
  const all = used.filter((one) => !isIdle(one));
  const names = all.map(([name]) => name).filter((name) => name.length <= NAME_LIMIT);
  const marked = new Map(
    names.flatMap((name) => {
      const match = MARKS.exec(name);
      return match === null ? [] : [[match[1] ?? '', layerAt(file, match[1] ?? '')] as const];
    }),
  );
  const root: Tree = { children: new Map(), layer: false };
  const members = new Map<string, Map<string, FileTensor>>();
  for (const name of names) {
    const owner = ownerOf(name, marked);
    const tensor = file.tensors.get(name);
    if (tensor === undefined) continue;
    if (!members.has(owner)) {
      members.set(owner, new Map());
      insert(root, owner);
    }
    members.get(owner)?.set(owner === '' ? name : name.slice(owner.length + 1), tensor);
  }
  const layers: FoundLayer[] = [];
  const strays: Stray[] = all
    .filter(([name]) => name.length > NAME_LIMIT)
    .map(([name, { shape }]) => ({ name, shape, why: 'of no layer' }));
  for (const prefix of inOrder(root)) {
    const own = members.get(prefix) ?? new Map<string, FileTensor>();
    const type = typeOf(file, prefix, checked);
    if (type === undefined) {
      strays.push(...strange(prefix, own));
      continue;
    }
    const misfits = misfitsOf(type, prefix, own);
    if (misfits.length === 0) layers.push({ prefix, type });
    for (const misfit of misfits) {
      const { name } = misfit;
      strays.push({ ...misfit, name: under(prefix, name), shape: own.get(name)?.shape ?? [] });
    }
  }
  return { layers, strays, idle };
};

const under = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

const strange = (prefix: string, own: ReadonlyMap<string, FileTensor>): ReadonlyArray<Stray> =>
  [...own].map(([rest, tensor]) => {
    const name = under(prefix, rest);
    const why = suspectOf(name, tensor)?.what ?? 'of no layer that is known';
    return { name, shape: tensor.shape, why };
  });
