/** What torch.save writes since 1.6: a zip with a pickle and one entry per storage. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import { decodeUtf8 } from './bytes.js';
import { readPickle } from './pickle.js';
import { findStateDict } from './state-dict.js';
import type { TensorFile } from './tensor.js';
import { readTensors } from './torch-tensor.js';
import { readZip, readZipEntry, type ZipArchive } from './zip.js';

/** The name of the pickle: in one folder, of any name. */
const PICKLE = /^(?:[^/]+\/)?data\.pkl$/;

/** The folder that everything lies in, with its slash; the reason when this is another kind of zip. */
const findFolder = (archive: ZipArchive): Checked<string> => {
  const names = [...archive.entries.keys()];
  const pickles = names.filter((name) => PICKLE.test(name));
  const [pickle] = pickles;
  if (pickle === undefined) {
    return names.length > 0 && names.every((name) => name.endsWith('.npy'))
      ? fail('K0104', 'The file is an .npz archive of arrays, not a checkpoint', {
          hint: 'Save the weights as safetensors, or with torch.save(model.state_dict(), path).',
        })
      : fail('K0110', 'The zip archive holds no data.pkl', { expected: 'an archive that torch.save wrote' });
  }
  if (pickles.length > 1) return fail('K0110', 'The zip archive holds more than one data.pkl');
  const folder = pickle.slice(0, -'data.pkl'.length);
  return archive.entries.has(`${folder}constants.pkl`)
    ? fail('K0110', 'The zip archive is a TorchScript program, not a checkpoint', {
        hint: 'Save only the weights: torch.save(model.state_dict(), path).',
      })
    : E.right(folder);
};

/** Older torch wrote no `byteorder`, and ran on little endian machines. */
const readByteOrder = (archive: ZipArchive, folder: string): Checked<boolean> => {
  const entry = archive.entries.get(`${folder}byteorder`);
  if (entry === undefined) return E.right(true);
  const bytes = readZipEntry(archive, entry);
  if (E.isLeft(bytes)) return bytes;
  const order = bytes.right.length <= 16 ? decodeUtf8(bytes.right)?.trim() : undefined;
  return order === 'little' || order === 'big'
    ? E.right(order === 'little')
    : fail('K0110', 'The byteorder entry of the zip archive is neither "little" nor "big"');
};

/** Storages by key; each is checked (and inflated, if need be) once, when the first tensor asks for it. */
const storageReader = (archive: ZipArchive, folder: string): ((key: string) => Checked<Uint8Array>) => {
  const known = new Map<string, Checked<Uint8Array>>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const entry = archive.entries.get(`${folder}data/${key}`);
    const bytes =
      entry === undefined
        ? fail('K0109', 'Its storage is not in the archive', {
            expected: `an entry data/${key.slice(0, 40)}`,
          })
        : readZipEntry(archive, entry);
    known.set(key, bytes);
    return bytes;
  };
};

/**
 * Reads a checkpoint of torch 1.6 and later (.pt, .pth, pykan's `_state`): the tensors of the state dict that it
 * is or wraps, contiguous, names without `module.` and `_orig_mod.`. Nothing in it is executed.
 */
export const readTorchZip = (bytes: Uint8Array): Checked<TensorFile> => {
  const archive = readZip(bytes);
  if (E.isLeft(archive)) return archive;
  const folder = findFolder(archive.right);
  if (E.isLeft(folder)) return folder;
  const littleEndian = readByteOrder(archive.right, folder.right);
  if (E.isLeft(littleEndian)) return littleEndian;
  const entry = archive.right.entries.get(`${folder.right}data.pkl`);
  const source = entry === undefined ? fail('K0110', 'No data.pkl') : readZipEntry(archive.right, entry);
  if (E.isLeft(source)) return source;
  const pickle = readPickle(source.right);
  if (E.isLeft(pickle)) return pickle;
  const calls = findStateDict(pickle.right.root);
  if (E.isLeft(calls)) return calls;
  const prefix = `${folder.right}data/`;
  let totalBytes = 0;
  for (const { name, size } of archive.right.entries.values()) {
    if (name.startsWith(prefix)) totalBytes += size;
  }
  const tensors = readTensors(calls.right, {
    bytesOf: storageReader(archive.right, folder.right),
    littleEndian: littleEndian.right,
    totalBytes,
  });
  return E.isLeft(tensors)
    ? tensors
    : E.right({ container: 'torch-zip', tensors: tensors.right, metadata: new Map() });
};
