/** What torch.save writes since 1.6: a zip with a pickle and one entry per storage. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import { decodeUtf8 } from '../bytes.js';
import type { Checkpoint } from '../checkpoint.js';
import { otherZip } from '../other-archives.js';
import { readPickle } from '../pickle/index.js';
import { readZipEntry, type ZipArchive } from '../zip.js';
import { torchCheckpoint } from './checkpoint.js';

/** The name of the pickle: in one folder, of any name. */
const PICKLE = /^(?:[^/]+\/)?data\.pkl$/;

/** The folder that everything lies in, with its slash; what the archive is when it is another kind of zip. */
const findFolder = (archive: ZipArchive): Checked<string> => {
  const names = [...archive.entries.keys()];
  const other = otherZip(names);
  if (other !== undefined) {
    return fail('K0104', `The file is ${other.what}`, {
      expected: 'safetensors or a torch checkpoint (.pt, .pth)',
      hint: other.hint,
    });
  }
  const pickles = names.filter((name) => PICKLE.test(name));
  const [pickle] = pickles;
  if (pickle === undefined) {
    const shown = names.slice(0, 4).map((name) => printable(name, 60));
    return fail('K0110', `The zip archive holds no data.pkl (found: ${shown.join(', ') || 'nothing'})`, {
      expected: 'an archive that torch.save wrote',
    });
  }
  return pickles.length > 1
    ? fail('K0110', 'The zip archive holds more than one data.pkl')
    : E.right(pickle.slice(0, -'data.pkl'.length));
};

/** A program of TorchScript, whose code lies beside its objects. */
const isProgram = ({ entries }: ZipArchive, folder: string): boolean => entries.has(`${folder}constants.pkl`);

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
 * Opens a checkpoint of torch 1.6 and later (.pt, .pth, pykan's `_state`), or a program of TorchScript: the dicts of
 * tensors that it is or holds.
 * Nothing in it is executed.
 */
export const openTorchZip = (archive: ZipArchive): Checked<Checkpoint> => {
  const folder = findFolder(archive);
  if (E.isLeft(folder)) return folder;
  const littleEndian = readByteOrder(archive, folder.right);
  if (E.isLeft(littleEndian)) return littleEndian;
  const entry = archive.entries.get(`${folder.right}data.pkl`);
  const source = entry === undefined ? fail('K0110', 'No data.pkl') : readZipEntry(archive, entry);
  if (E.isLeft(source)) return source;
  const pickle = readPickle(source.right);
  if (E.isLeft(pickle)) return pickle;
  const prefix = `${folder.right}data/`;
  let totalBytes = 0;
  for (const { name, size } of archive.entries.values()) {
    if (name.startsWith(prefix)) totalBytes += size;
  }
  return torchCheckpoint(isProgram(archive, folder.right) ? 'torchscript' : 'torch-zip', pickle.right.root, {
    bytesOf: storageReader(archive, folder.right),
    littleEndian: littleEndian.right,
    totalBytes,
  });
};
