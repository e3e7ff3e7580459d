/**
 * The closed list of names that are given a meaning, and what their calls become. All other names stay names, and what
 * is called by them an object of which nothing is known.
 */

import type { ContainerDtype } from '../tensor.js';
import {
  type CallNode,
  type DictNode,
  EMPTY_TUPLE,
  type ObjectNode,
  type PickleNode,
  type TupleNode,
} from './node.js';

/** The dtypes that torch names; undefined for those that no container dtype holds. */
const TORCH_DTYPES: Readonly<Record<string, ContainerDtype | undefined>> = {
  'torch.float64': 'F64',
  'torch.double': 'F64',
  'torch.float32': 'F32',
  'torch.float': 'F32',
  'torch.float16': 'F16',
  'torch.half': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.float8_e4m3fn': 'F8_E4M3',
  'torch.float8_e5m2': 'F8_E5M2',
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

const ORDERED_DICT = 'collections.OrderedDict';
const DEFAULT_DICT = 'collections.defaultdict';
const TORCH_SIZE = 'torch.Size';
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

/** Any typed storage class, also of types that are not read: the tensor that has one is refused by its own name. */
const STORAGE = /^torch\.[A-Z][A-Za-z0-9]{0,15}Storage$/;

/** Names that mean a class or a type to torch files and are never called in them. */
const isNeverCalled = (name: string): boolean =>
  UNTYPED_STORAGES.has(name) ||
  Object.hasOwn(TORCH_DTYPES, name) ||
  (STORAGE.test(name) && name !== 'torch.TypedStorage');

const COMMAND_MODULES: ReadonlySet<string> = new Set([
  'os',
  'posix',
  'nt',
  'subprocess',
  'pty',
  'runpy',
  'importlib',
  'ctypes',
  'socket',
  'shutil',
]);

const COMMANDS = /^(?:builtins|__builtin__)\.(?:eval|exec|execfile|compile|open|breakpoint|__import__)$/;

/**
 * Whether a name is one by which a pickle runs commands in the Python that loads it. Here it would be as harmless as
 * any other name; but no honest checkpoint has it, and who is told of it will not load the file elsewhere.
 */
export const isCommand = (name: string): boolean =>
  COMMANDS.test(name) ||
  name
    .split('.')
    .slice(0, -1)
    .some((segment) => COMMAND_MODULES.has(segment));

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

/** Functions that make an object of the class which is their first argument. */
const MAKERS: ReadonlySet<string> = new Set([
  'copyreg._reconstructor',
  'copy_reg._reconstructor',
  'copyreg.__newobj__',
  'copyreg.__newobj_ex__',
]);

/** What is said to be called: a class or function, the class of a legacy file's persistent id, or what a call gave. */
const calledName = (callee: PickleNode, args: TupleNode): string | undefined => {
  if (callee.tag === 'object') return callee.name;
  const named = callee.tag === 'persistent' && callee.id.tag === 'tuple' ? callee.id.items[1] : callee;
  if (named?.tag !== 'global') return undefined;
  const [made] = args.items;
  return MAKERS.has(named.name) && made?.tag === 'global' ? made.name : named.name;
};

/** What a call stands for; undefined when it is none that Python writes. */
export const recordCall = (
  callee: PickleNode,
  args: TupleNode,
): CallNode | DictNode | TupleNode | ObjectNode | undefined => {
  const name = calledName(callee, args);
  if (name === undefined || isNeverCalled(name)) return undefined;
  const [first] = args.items;
  if (name === ORDERED_DICT) {
    if (args.items.length > 1) return undefined;
    return first === undefined ? { tag: 'dict', entries: [] } : dictOfPairs(first);
  }
  if (name === DEFAULT_DICT) return { tag: 'dict', entries: [] };
  if (name === TORCH_SIZE) {
    if (first === undefined) return EMPTY_TUPLE;
    // A tuple is shared, a list would have to be copied: torch.Size is always made of a tuple.
    return first.tag === 'tuple' ? first : undefined;
  }
  return RECORDED_CALLS.has(name)
    ? { tag: 'call', name, args: args.items }
    : { tag: 'object', name, parts: callee.tag === 'object' ? [callee, args] : [args] };
};

/** How many nodes recordCall copies: the machine charges them, or repeated calls would multiply a long list. */
export const callCost = (callee: PickleNode, args: TupleNode): number => {
  const [first] = args.items;
  return callee.tag === 'global' &&
    callee.name === ORDERED_DICT &&
    (first?.tag === 'list' || first?.tag === 'tuple')
    ? first.items.length
    : 0;
};
