/** Telling containers apart by their first bytes; extensions of checkpoints mean nothing. */
import { hasAscii } from './bytes.js';
import { isNpy } from './npy.js';
import { isZip } from './zip.js';

export type Sniffed =
  | { readonly kind: 'safetensors' | 'zip' | 'pickle' }
  | { readonly kind: 'other'; readonly what: string; readonly hint?: string };

const AS_WEIGHTS = 'Save the weights as safetensors, or with torch.save(model.state_dict(), path).';

/** A header of less than 2^40 bytes, and the brace of its JSON. */
const isSafetensors = (bytes: Uint8Array): boolean =>
  bytes[8] === 0x7b && bytes[5] === 0 && bytes[6] === 0 && bytes[7] === 0;

/** Protocol 2 and later begin with PROTO; protocol 0 is text, and begins with a global if it is an attack. */
const isPickle = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0x80 && bytes[1]! <= 5) || /^c[\w.]+\n[\w.]+\n/.test(firstText(bytes));

const firstText = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 256));

/** ONNX is a bare protobuf: ir_version as the first field, then producer or opset. */
const isOnnx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x08 &&
  bytes[1]! > 0 &&
  bytes[1]! < 0x20 &&
  (bytes[2] === 0x12 || bytes[2] === 0x3a || bytes[2] === 0x42);

/** Formats that people try, with what to do instead. First match wins. */
const OTHERS: ReadonlyArray<{
  readonly matches: (bytes: Uint8Array) => boolean;
  readonly what: string;
  readonly hint?: string;
}> = [
  { matches: isNpy, what: 'an .npy array, not a checkpoint', hint: AS_WEIGHTS },
  {
    matches: (b) => hasAscii(b, 0, '\x89HDF\r\n\x1a\n'),
    what: 'an HDF5 file (Keras?)',
    hint: AS_WEIGHTS,
  },
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
    matches: isOnnx,
    what: 'an ONNX model, in which the splines are no longer visible',
    hint: 'Give the checkpoint that it was exported from (.pt or .safetensors).',
  },
  {
    matches: (b) => hasAscii(b, 0, '\x1f\x8b') || hasAscii(b, 0, 'BZh') || hasAscii(b, 0, '\xfd7zXZ'),
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
