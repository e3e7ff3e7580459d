/** The closed list of names that a pickle may mention, and what their calls become. */
import {
  type CallNode,
  type DictNode,
  EMPTY_TUPLE,
  type GlobalNode,
  type PickleNode,
  type TupleNode,
} from './pickle-node.js';
import type { ContainerDtype } from './tensor.js';

/** The dtypes that torch names; undefined for those that no container dtype holds. */
const TORCH_DTYPES: Readonly<Record<string, ContainerDtype | undefined>> = {
  'torch.float64': 'F64',
  'torch.double': 'F64',
  'torch.float32': 'F32',
  'torch.float': 'F32',
  'torch.float16': 'F16',
  'torch.half': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.int64': 'I64',
  'torch.long': 'I64',
  'torch.int32': 'I32',
  'torch.int': 'I32',
  'torch.int16': 'I16',
  'torch.short': 'I16',
  'torch.int8': 'I8',
  'torch.uint8': 'U8',
  'torch.uint16': 'U16',
  'torch.uint32': 'U32',
  'torch.uint64': 'U64',
  'torch.bool': 'BOOL',
  'torch.complex64': undefined,
  'torch.complex128': undefined,
};

/** The element types of typed storages. */
const STORAGE_DTYPES: Readonly<Record<string, ContainerDtype>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

export const ORDERED_DICT = 'collections.OrderedDict';
export const TORCH_SIZE = 'torch.Size';
export const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
/** For the dtypes without a typed storage of their own (the unsigned ones); has the dtype as 7th argument. */
export const REBUILD_TENSOR_V3 = 'torch._utils._rebuild_tensor_v3';
export const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
export const REBUILD_PARAMETER_WITH_STATE = 'torch._utils._rebuild_parameter_with_state';

const RECORDED_CALLS: ReadonlySet<string> = new Set([
  REBUILD_TENSOR,
  REBUILD_TENSOR_V3,
  REBUILD_PARAMETER,
  REBUILD_PARAMETER_WITH_STATE,
  'torch.device',
]);

const UNTYPED_STORAGES: ReadonlySet<string> = new Set([
  'torch.UntypedStorage',
  'torch.storage.UntypedStorage',
]);

/**
 * Any typed storage class may be mentioned, also of types that are not read (complex, quantized): the tensor
 * that has one is refused by its own name, if it is asked for at all.
 */
const STORAGE = /^torch\.[A-Z][A-Za-z0-9]{0,15}Storage$/;

export const isAllowedGlobal = (name: string): boolean =>
  name === ORDERED_DICT ||
  name === TORCH_SIZE ||
  RECORDED_CALLS.has(name) ||
  UNTYPED_STORAGES.has(name) ||
  Object.hasOwn(TORCH_DTYPES, name) ||
  (STORAGE.test(name) && name !== 'torch.TypedStorage');

export const isUntypedStorage = (name: string): boolean => UNTYPED_STORAGES.has(name);

export const storageDtype = (name: string): ContainerDtype | undefined =>
  Object.hasOwn(STORAGE_DTYPES, name) ? STORAGE_DTYPES[name] : undefined;

export const torchDtype = (name: string): ContainerDtype | undefined =>
  Object.hasOwn(TORCH_DTYPES, name) ? TORCH_DTYPES[name] : undefined;

/** OrderedDict(pairs), as Python 2 pickled it. */
const dictOfPairs = (pairs: PickleNode): DictNode | undefined => {
  if (pairs.tag !== 'list' && pairs.tag !== 'tuple') return undefined;
  const entries: (readonly [PickleNode, PickleNode])[] = [];
  for (const pair of pairs.items) {
    if ((pair.tag !== 'list' && pair.tag !== 'tuple') || pair.items.length !== 2) return undefined;
    const [key, value] = pair.items;
    if (key === undefined || value === undefined) return undefined;
    entries.push([key, value]);
  }
  return { tag: 'dict', entries };
};

/** What a call stands for; undefined when the name is not one that is called, or not with such arguments. */
export const recordCall = (
  callee: GlobalNode,
  args: TupleNode,
): CallNode | DictNode | TupleNode | undefined => {
  const [first] = args.items;
  if (callee.name === ORDERED_DICT) {
    if (args.items.length > 1) return undefined;
    return first === undefined ? { tag: 'dict', entries: [] } : dictOfPairs(first);
  }
  if (callee.name === TORCH_SIZE) {
    if (first === undefined) return EMPTY_TUPLE;
    // A tuple is shared, a list would have to be copied: torch.Size is always made of a tuple.
    return first.tag === 'tuple' ? first : undefined;
  }
  return RECORDED_CALLS.has(callee.name) ? { tag: 'call', name: callee.name, args: args.items } : undefined;
};

/** How many nodes recordCall copies: the machine charges them, or repeated calls would multiply a long list. */
export const callCost = (callee: GlobalNode, args: TupleNode): number => {
  const [first] = args.items;
  return callee.name === ORDERED_DICT && (first?.tag === 'list' || first?.tag === 'tuple')
    ? first.items.length
    : 0;
};
