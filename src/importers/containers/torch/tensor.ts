/** From the recorded constructor calls of a torch pickle to tensors. */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail } from '../../../diagnostics/index.js';
import { elementCount, MAX_DIMENSIONS } from '../bytes.js';
import { DTYPE_BYTES, decodeValues } from '../dtype.js';
import { arrayPlan, readArray } from '../pickle/arrays.js';
import { isUntypedStorage, REBUILD_TENSOR_V3, storageDtype, torchDtype } from '../pickle/globals.js';
import {
  asNatural,
  asNaturals,
  asText,
  type CallNode,
  type ObjectNode,
  type PickleNode,
} from '../pickle/node.js';
import { gather, viewEnd } from '../strided.js';
import type { ContainerDtype, FileTensor } from '../tensor.js';
import type { TensorNode } from './tensor-node.js';

/** A persistent id of torch: ('storage', class, key, device, elements[, view of legacy files]). */
export interface StorageId {
  /** The name of the class, which implies the element type. */
  readonly type: string;
  readonly key: string;
  readonly elements: number;
  /** Where a storage that is a view begins in the one that has the key (legacy files), in elements. */
  readonly viewOffset: number;
}

/** Parses a persistent id; K0108 when it is not a storage. */
export const readStorageId = (node: PickleNode | undefined): Checked<StorageId> => {
  const malformed = fail('K0108', 'A persistent id of the pickle is not that of a torch storage');
  if (node?.tag !== 'persistent' || node.id.tag !== 'tuple') return malformed;
  const [kind, type, key, , elements, view] = node.id.items;
  const keyText = asText(key);
  const count = asNatural(elements);
  if (asText(kind) !== 'storage' || type?.tag !== 'global' || keyText === undefined || count === undefined) {
    return malformed;
  }
  const plain = { type: type.name, key: keyText, elements: count, viewOffset: 0 };
  if (view === undefined || view.tag === 'none') return E.right(plain);
  if (view.tag !== 'tuple') return malformed;
  const viewOffset = asNatural(view.items[1]);
  const viewElements = asNatural(view.items[2]);
  return viewOffset === undefined || viewElements === undefined
    ? malformed
    : E.right({ ...plain, elements: viewElements, viewOffset });
};

/** What a torch file offers beside its pickle. */
export interface Storages {
  /** The raw bytes of a storage, or why there are none. */
  readonly bytesOf: (key: string) => Checked<Uint8Array>;
  readonly littleEndian: boolean;
  /** The size of all storages together. */
  readonly totalBytes: number;
}

/** Tensors up to this size may always be made, whatever they are made of: 64 MiB. */
const FREE_BYTES = 2 ** 26;
/** Beyond, views of shared or stride-0 storages may not multiply a file by more than this, */
const MAX_MULTIPLE = 16;
/** nor reach more than this by sharing: 1 GiB. */
const MAX_SHARED_BYTES = 2 ** 30;

const byteBudget = (storageBytes: number): number =>
  Math.max(FREE_BYTES, 2 * storageBytes, Math.min(MAX_MULTIPLE * storageBytes, MAX_SHARED_BYTES));

interface TensorPlan {
  readonly storage: StorageId;
  readonly dtype: ContainerDtype;
  readonly offset: number;
  readonly shape: ReadonlyArray<number>;
  readonly strides: ReadonlyArray<number>;
  readonly count: number;
}

const dtypeOf = (call: CallNode, storage: StorageId): Checked<ContainerDtype> => {
  const named = call.args[6];
  const name = call.name === REBUILD_TENSOR_V3 && named?.tag === 'global' ? named.name : storage.type;
  const dtype = name === storage.type ? storageDtype(name) : torchDtype(name);
  return dtype === undefined
    ? fail('K0112', `Its data type is that of ${name}`, {
        expected: 'a real floating type of 16 to 64 bits, an integer or a bool',
      })
    : E.right(dtype);
};

/** Reads the arguments of a constructor call, and checks that they are numbers that describe a tensor. */
const planTensor = (call: CallNode): Checked<TensorPlan> => {
  const storage = readStorageId(call.args[0]);
  if (E.isLeft(storage)) return storage;
  const dtype = dtypeOf(call, storage.right);
  if (E.isLeft(dtype)) return dtype;
  const offset = asNatural(call.args[1]);
  const shape = asNaturals(call.args[2], MAX_DIMENSIONS);
  const strides = asNaturals(call.args[3], MAX_DIMENSIONS);
  const count = shape === undefined ? undefined : elementCount(shape);
  if (
    offset === undefined ||
    shape === undefined ||
    strides === undefined ||
    count === undefined ||
    shape.length !== strides.length
  ) {
    return fail('K0108', 'Its offset, shape and strides are not those of a tensor', {
      expected: 'as many strides as dimensions, all of them naturals',
    });
  }
  return E.right({ storage: storage.right, dtype: dtype.right, offset, shape, strides, count });
};

/** Everything is compared with the bytes that there are before the tensor is allocated. */
const makeTensor = (plan: TensorPlan, raw: Uint8Array, littleEndian: boolean): Checked<FileTensor> => {
  const { storage, dtype, offset, shape, strides, count } = plan;
  const size = DTYPE_BYTES[dtype];
  // An untyped storage counts bytes.
  const claimed = isUntypedStorage(storage.type) ? storage.elements : storage.elements * size;
  const start = storage.viewOffset * size;
  if (start + claimed > raw.length) {
    return fail('K0109', `Its storage claims ${claimed} bytes from ${start}, but ${raw.length} are there`);
  }
  const bytes = raw.subarray(start, start + claimed);
  const end = count === 0 ? 0 : viewEnd({ offset, shape, strides });
  if (end * size > bytes.length) {
    return fail('K0109', `It reaches to element ${end} of a storage of ${Math.floor(bytes.length / size)}`);
  }
  const values = decodeValues(dtype, gather(bytes, size, { offset, shape, strides }, count), littleEndian);
  return E.map((data: FileTensor['data']): FileTensor => ({ dtype, shape, data }))(values);
};

/**
 * Makes tensors by name, contiguous. Calls that the pickle shares become shared
 * tensors. Fails with K0108 (not a tensor), K0109 (outside its storage), K0112 (data type), K0113 (views that
 * would take far more memory than the file).
 */
export const readTensors = (
  calls: ReadonlyMap<string, TensorNode>,
  storages: Storages,
): Checked<ReadonlyMap<string, FileTensor>> => {
  const made = new Map<TensorNode, FileTensor>();
  const tensors = new Map<string, FileTensor>();
  const budget = byteBudget(storages.totalBytes);
  let spent = 0;
  const pay = ({ count, dtype }: Pick<TensorPlan, 'count' | 'dtype'>): Checked<void> => {
    spent += count * DTYPE_BYTES[dtype];
    return spent > budget
      ? fail('K0113', `The tensors of the checkpoint would take more than ${budget} bytes of memory`, {
          expected: 'tensors of about the size of their storages',
        })
      : E.right(undefined);
  };
  const makeArray = (node: ObjectNode): Checked<FileTensor> => {
    const plan = arrayPlan(node);
    if (plan === undefined) return fail('K0112', 'Its data type is none of numbers');
    const paid = pay(plan);
    return E.isLeft(paid) ? paid : readArray(plan);
  };
  const make = (call: TensorNode): Checked<FileTensor> => {
    if (call.tag === 'object') return makeArray(call);
    const plan = planTensor(call);
    if (E.isLeft(plan)) return plan;
    const paid = pay(plan.right);
    if (E.isLeft(paid)) return paid;
    const raw = storages.bytesOf(plan.right.storage.key);
    return E.isLeft(raw) ? raw : makeTensor(plan.right, raw.right, storages.littleEndian);
  };
  for (const [name, call] of calls) {
    const shared = made.get(call);
    const tensor = shared === undefined ? at({ tensor: name })(make(call)) : E.right(shared);
    if (E.isLeft(tensor)) return tensor;
    made.set(call, tensor.right);
    tensors.set(name, tensor.right);
  }
  return E.right(tensors);
};
