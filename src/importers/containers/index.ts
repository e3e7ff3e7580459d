/** Checkpoint containers: bytes in, named tensors out. Families give the names a meaning elsewhere. */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { at, type Checked, fail } from '../../diagnostics/index.js';
import { openArchive } from './archive.js';
import { type Checkpoint, checkpointOf } from './checkpoint.js';
import { readSafetensors } from './safetensors.js';
import { type Selected, select } from './select.js';
import { isIndex, openSharded } from './sharded.js';
import { sniff } from './sniff.js';
import type { TensorFile } from './tensor.js';
import { openTorchLegacy } from './torch/legacy.js';

export { type NpyArray, type NpyDtype, readNpy, type WritableNpyArray, writeNpy } from './npy/index.js';
export { readSafetensors } from './safetensors.js';
export type { ContainerDtype, FileTensor, TensorFile } from './tensor.js';

const openFile = (bytes: Uint8Array): Checked<Checkpoint> =>
  match(sniff(bytes))
    .with({ kind: 'safetensors' }, () => E.map(checkpointOf)(readSafetensors(bytes)))
    .with({ kind: 'zip' }, () => openArchive(bytes))
    .with({ kind: 'pickle' }, () => openTorchLegacy(bytes))
    .with({ kind: 'other' }, ({ what, hint }) =>
      fail('K0104', `The file is ${what}`, {
        expected: 'safetensors or a torch checkpoint (.pt, .pth)',
        ...(hint === undefined ? {} : { hint }),
      }),
    )
    .exhaustive();

/**
 * Opens a checkpoint of any container, told by its contents, or the index of one in several files, which are `beside`.
 * `file` is only for messages. Nothing in the file is executed. Fails with K0104 for what is no checkpoint, else as the
 * reader of the container.
 */
export const openCheckpoint = (
  bytes: Uint8Array,
  file: string,
  beside: ReadonlyMap<string, Uint8Array> = new Map(),
): Checked<Checkpoint> =>
  at({ file })(isIndex(bytes) ? openSharded(bytes, beside, openFile) : openFile(bytes));

/** The tensors of the network that a file holds, as `select` takes them without a prefix. */
export const readCheckpoint = (bytes: Uint8Array, file: string): Checked<TensorFile> => {
  const opened = openCheckpoint(bytes, file);
  if (E.isLeft(opened)) return opened;
  return at({ file })(E.map((selected: Selected) => selected.file)(select(opened.right, undefined)));
};
