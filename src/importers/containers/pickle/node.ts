/**
 * What a pickle says, as plain data. Nodes are shared by reference exactly as the memo of the pickle shares
 * them, so a tree of nodes may be a graph, may contain itself, and may be far larger when written out than the
 * file was: walk it with a visited set and without recursion.
 */

export interface ListNode {
  readonly tag: 'list';
  readonly items: PickleNode[];
}

export interface TupleNode {
  readonly tag: 'tuple';
  readonly items: ReadonlyArray<PickleNode>;
}

/** A dict or OrderedDict, as the assignments that made it, in their order; a later one of equal key wins. */
export interface DictNode {
  readonly tag: 'dict';
  readonly entries: (readonly [PickleNode, PickleNode])[];
  /** What was hung on the object that the dict is: `_metadata` of a state dict. */
  state?: PickleNode;
}

/** The name of a class or function, not called. */
export interface GlobalNode {
  readonly tag: 'global';
  readonly name: string;
}

/** The call of a name of the closed list: recorded, never made. */
export interface CallNode {
  readonly tag: 'call';
  readonly name: string;
  readonly args: ReadonlyArray<PickleNode>;
}

/**
 * What Python would make by calling a name that is not on the closed list: nothing is known of it but the name and
 * all that lies in it (arguments, state, items).
 */
export interface ObjectNode {
  readonly tag: 'object';
  readonly name: string;
  readonly parts: PickleNode[];
  /** What BUILD gave it last, which is in `parts` too: its attributes, where it is an object of a plain class. */
  state?: PickleNode;
}

/** A reference to something beside the pickle: in torch files, a storage. */
export interface PersistentNode {
  readonly tag: 'persistent';
  readonly id: PickleNode;
}

export type PickleNode =
  | { readonly tag: 'none' }
  | { readonly tag: 'bool'; readonly value: boolean }
  | { readonly tag: 'int'; readonly value: number | bigint }
  | { readonly tag: 'float'; readonly value: number }
  | { readonly tag: 'string'; readonly value: string }
  | { readonly tag: 'bytes'; readonly value: Uint8Array }
  | ListNode
  | TupleNode
  | DictNode
  | GlobalNode
  | CallNode
  | ObjectNode
  | PersistentNode;

export const NONE: PickleNode = { tag: 'none' };
export const TRUE: PickleNode = { tag: 'bool', value: true };
export const FALSE: PickleNode = { tag: 'bool', value: false };
export const EMPTY_TUPLE: TupleNode = { tag: 'tuple', items: [] };
export const EMPTY_DICT: DictNode = { tag: 'dict', entries: [] };

/** The value of a natural number below 2^53, else undefined. */
export const asNatural = (node: PickleNode | undefined): number | undefined =>
  node?.tag === 'int' && typeof node.value === 'number' && node.value >= 0 ? node.value : undefined;

export const asText = (node: PickleNode | undefined): string | undefined =>
  node?.tag === 'string' ? node.value : undefined;

/** The naturals of a tuple or list of at most `limit` of them, else undefined. */
export const asNaturals = (
  node: PickleNode | undefined,
  limit: number,
): ReadonlyArray<number> | undefined => {
  if ((node?.tag !== 'tuple' && node?.tag !== 'list') || node.items.length > limit) return undefined;
  const numbers: number[] = [];
  for (const item of node.items) {
    const number = asNatural(item);
    if (number === undefined) return undefined;
    numbers.push(number);
  }
  return numbers;
};
