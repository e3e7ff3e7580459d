/**
 * What torch.save wrote before 1.6: five pickles in a row (a magic number, the version of the protocol, facts about
 * the machine, the object, the keys of the storages), then for each key a u64 count of elements and the elements,
 * little endian whatever the machine was.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import { readU64, viewOf } from '../bytes.js';
import type { Checkpoint } from '../checkpoint.js';
import { DTYPE_BYTES } from '../dtype.js';
import { DISTRIBUTED } from '../other-archives.js';
import { isUntypedStorage, storageDtype } from '../pickle/globals.js';
import { type Pickle, readPickle } from '../pickle/index.js';
import { asText, type PersistentNode, type PickleNode } from '../pickle/node.js';
import { classesIn } from '../pickle/objects.js';
import { torchCheckpoint } from './checkpoint.js';
import { readStorageId } from './tensor.js';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

interface Head {
  readonly object: Pickle;
  readonly keys: PickleNode;
  /** Where the storages begin. */
  readonly end: number;
}

const isInt = (node: PickleNode, value: number | bigint): boolean =>
  node.tag === 'int' && node.value === value;

/** A pickle of something else, told by the classes in it. */
const otherPickle = (root: PickleNode): Checked<never> => {
  const classes = classesIn([root]);
  if (classes.some((name) => name.startsWith('torch.distributed.checkpoint.'))) {
    return fail('K0104', 'The file is the index of a torch.distributed.checkpoint folder', {
      expected: 'one file of torch.save',
      hint: DISTRIBUTED,
    });
  }
  const what = classes.length === 0 ? '' : ` (it holds ${printable(classes.slice(0, 4).join(', '), 200)})`;
  return fail('K0104', `The file is a pickle, but not one that torch.save wrote${what}`, {
    hint: 'Save the weights with torch.save(model.state_dict(), path), or as safetensors.',
  });
};

const readHead = (bytes: Uint8Array): Checked<Head> => {
  const magic = readPickle(bytes);
  if (E.isLeft(magic)) return magic;
  if (!isInt(magic.right.root, MAGIC)) return otherPickle(magic.right.root);
  const protocol = readPickle(bytes, magic.right.end);
  if (E.isLeft(protocol)) return protocol;
  if (!isInt(protocol.right.root, PROTOCOL)) {
    return fail('K0108', 'The torch file has a protocol version that is not known', {
      expected: `${PROTOCOL}`,
    });
  }
  const system = readPickle(bytes, protocol.right.end);
  if (E.isLeft(system)) return system;
  const object = readPickle(bytes, system.right.end);
  if (E.isLeft(object)) return object;
  const keys = readPickle(bytes, object.right.end);
  if (E.isLeft(keys)) return keys;
  return E.right({ object: object.right, keys: keys.right.root, end: keys.right.end });
};

/** Of a whole module the sources of its classes are told by persistent ids too. */
const isModuleClass = ({ id }: PersistentNode): boolean =>
  id.tag === 'tuple' && asText(id.items[0]) === 'module';

/** The bytes of an element by storage key: only the persistent ids tell the types of the storages. */
const elementSizes = (ids: ReadonlyArray<PersistentNode>): Checked<ReadonlyMap<string, number>> => {
  const sizes = new Map<string, number>();
  for (const node of ids) {
    if (isModuleClass(node)) continue;
    const id = readStorageId(node);
    if (E.isLeft(id)) return id;
    const { key, type } = id.right;
    const dtype = isUntypedStorage(type) ? 'U8' : storageDtype(type);
    if (dtype === undefined) {
      return fail('K0112', `The file holds a ${type}`, { expected: 'storages of real numbers' });
    }
    const size = DTYPE_BYTES[dtype];
    if (sizes.has(key) && sizes.get(key) !== size) {
      return fail('K0108', 'The pickle gives two types to one storage');
    }
    sizes.set(key, size);
  }
  return E.right(sizes);
};

const readStorages = (bytes: Uint8Array, head: Head): Checked<ReadonlyMap<string, Uint8Array>> => {
  const sizes = elementSizes(head.object.persistent);
  if (E.isLeft(sizes)) return sizes;
  if (head.keys.tag !== 'list') return fail('K0108', 'The torch file has no list of storage keys');
  const view = viewOf(bytes);
  const storages = new Map<string, Uint8Array>();
  let position = head.end;
  for (const node of head.keys.items) {
    const key = asText(node);
    const size = key === undefined ? undefined : sizes.right.get(key);
    if (key === undefined || size === undefined || storages.has(key)) {
      return fail('K0108', 'The list of storage keys does not match the pickle');
    }
    if (bytes.length - position < 8) return fail('K0103', 'The torch file ends before its last storage');
    const length = readU64(view, position) * size;
    position += 8;
    if (length > bytes.length - position) {
      return fail(
        'K0103',
        `A storage of the torch file claims ${length} bytes, but ${bytes.length - position} follow`,
      );
    }
    storages.set(key, bytes.subarray(position, position + length));
    position += length;
  }
  return E.right(storages);
};

/** Opens a checkpoint that torch wrote before 1.6, or with `_use_new_zipfile_serialization=False`. As openTorchZip. */
export const openTorchLegacy = (bytes: Uint8Array): Checked<Checkpoint> => {
  const head = readHead(bytes);
  if (E.isLeft(head)) return head;
  const { object, end } = head.right;
  // A whole module is told as such, before the storages are looked at that only it refers to.
  let storages: Checked<ReadonlyMap<string, Uint8Array>> | undefined;
  return torchCheckpoint('torch-legacy', object.root, {
    bytesOf: (key) => {
      storages ??= readStorages(bytes, head.right);
      if (E.isLeft(storages)) return storages;
      const storage = storages.right.get(key);
      return storage === undefined ? fail('K0109', 'Its storage is not in the file') : E.right(storage);
    },
    littleEndian: true,
    totalBytes: bytes.length - end,
  });
};
