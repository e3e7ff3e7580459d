/** Telling containers apart by their first bytes; extensions of checkpoints mean nothing. */
import { hasAscii } from './bytes.js';
import { isNpy } from './npy/index.js';
import { isOnnx } from './onnx/sniff.js';
import { AS_STATE_DICT, AS_WEIGHTS, NO_TORCH, type Other } from './other-archives.js';
import { isZip } from './zip.js';

export type Sniffed =
  | { readonly kind: 'safetensors' | 'zip' | 'pickle' }
  | { readonly kind: 'other'; readonly what: string; readonly hint?: string };

/** A header of less than 2^40 bytes, and the brace of its JSON. */
const isSafetensors = (bytes: Uint8Array): boolean =>
  bytes[8] === 0x7b && bytes[5] === 0 && bytes[6] === 0 && bytes[7] === 0;

/** Protocol 2 and later begin with PROTO; protocol 0 is text, and begins with a global if it is an attack. */
const isPickle = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0x80 && bytes[1]! <= 5) || /^c[\w.]+\n[\w.]+\n/.test(firstText(bytes));

const firstText = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 256));

/** A bare protobuf too: schema version 1, then the graphs, each with its length. */
const isSavedModel = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x08 && bytes[1] === 0x01 && bytes[2] === 0x12;

/** A map of texts: its size, then a short text of letters. Flax and orbax write parameters so. */
const isMessagePack = (bytes: Uint8Array): boolean => {
  const first = bytes[0]!;
  const key = first === 0xde ? 3 : first === 0xdf ? 5 : first > 0x80 && first <= 0x8f ? 1 : undefined;
  if (key === undefined) return false;
  const length = bytes[key]! === 0xd9 ? bytes[key + 1]! : bytes[key]! - 0xa0;
  const text = bytes.subarray(key + (bytes[key]! === 0xd9 ? 2 : 1)).subarray(0, length);
  return length > 0 && text.length === length && text.every((byte) => byte >= 0x20 && byte < 0x7f);
};

/** A few lines of as many numbers or words, parted by the same sign. */
const isTable = (bytes: Uint8Array): boolean => {
  const lines = firstText(bytes).split(/\r?\n/).slice(0, 3);
  const [columns, ...more] = lines.slice(0, -1).map((line) => line.split(/[,;\t]/).length);
  return columns !== undefined && columns > 1 && more.every((n) => n === columns);
};

/** Formats that people try, with what to do instead. First match wins. */
const OTHERS: ReadonlyArray<Other & { readonly matches: (bytes: Uint8Array) => boolean }> = [
  { matches: isNpy, what: 'an .npy array, not a checkpoint', hint: AS_WEIGHTS },
  { matches: (b) => hasAscii(b, 0, '\x89HDF\r\n\x1a\n'), what: 'an HDF5 file (Keras?)', hint: NO_TORCH },
  {
    matches: (b) => hasAscii(b, 0, 'GGUF'),
    what: 'a GGUF file',
    hint: 'Give the checkpoint that it was made from.',
  },
  {
    matches: (b) => hasAscii(b, 4, 'TFL3'),
    what: 'a TensorFlow Lite model',
    hint: 'Give the checkpoint that it was made from.',
  },
  {
    matches: (b) => hasAscii(b, 4, 'ET1') && b[7]! >= 0x30 && b[7]! <= 0x39,
    what: 'an ExecuTorch program',
    hint: AS_STATE_DICT,
  },
  {
    matches: isOnnx,
    what: 'an ONNX model, a graph and no dict of tensors',
    hint: 'It is read as it is: leave out options that are about checkpoints, or give the checkpoint.',
  },
  { matches: isSavedModel, what: 'a TensorFlow SavedModel', hint: NO_TORCH },
  { matches: isMessagePack, what: 'a MessagePack file (Flax?)', hint: NO_TORCH },
  {
    matches: (b) => hasAscii(b, 0, '\x1f\x8b') || hasAscii(b, 0, 'BZh') || hasAscii(b, 0, '\xfd7zXZ'),
    what: 'compressed',
    hint: 'Decompress it first.',
  },
  {
    matches: (b) => hasAscii(b, 0, '\x28\xb5\x2f\xfd') || hasAscii(b, 0, '7z\xbc\xaf\x27\x1c'),
    what: 'compressed',
    hint: 'Decompress it first.',
  },
  {
    matches: (b) => hasAscii(b, 257, 'ustar'),
    what: 'a tar archive',
    hint: 'Unpack it; a torch file of before 0.2 must be loaded and saved again with a newer torch.',
  },
  {
    matches: (b) => hasAscii(b, 0, 'version https://git-lfs'),
    what: 'a Git LFS pointer, not the file that it points to',
    hint: 'Run git lfs pull.',
  },
  {
    matches: (b) => /^\s*<(!doctype|html)/i.test(firstText(b)),
    what: 'a web page, probably the one around the download',
    hint: 'Use the link to the raw file.',
  },
  {
    matches: (b) => isText(b) && /^\s*[{[]/.test(firstText(b)),
    what: 'a text file of JSON, and neither the index of a checkpoint in several files nor the tables of KANELE',
    hint: AS_WEIGHTS,
  },
  {
    matches: (b) => isText(b) && isTable(b),
    what: 'a text file, a table of values (CSV), not a checkpoint',
    hint: AS_WEIGHTS,
  },
];

const isText = (bytes: Uint8Array): boolean =>
  bytes.subarray(0, 256).every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));

export const sniff = (bytes: Uint8Array): Sniffed => {
  if (bytes.length === 0) return { kind: 'other', what: 'empty' };
  if (isSafetensors(bytes)) return { kind: 'safetensors' };
  if (isZip(bytes)) return { kind: 'zip' };
  if (isPickle(bytes)) return { kind: 'pickle' };
  for (const { matches, ...other } of OTHERS) if (matches(bytes)) return { kind: 'other', ...other };
  if (isText(bytes)) return { kind: 'other', what: 'a text file' };
  // With a header length that no file has: its reader tells what is wrong.
  return bytes[8] === 0x7b ? { kind: 'safetensors' } : { kind: 'other', what: 'of no known kind' };
};
