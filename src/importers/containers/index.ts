/** Checkpoint containers: bytes in, named tensors out. Families give the names a meaning elsewhere. */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { at, type Checked, fail } from '../../diagnostics/index.js';
import { readSafetensors } from './safetensors.js';
import { sniff } from './sniff.js';
import { unwrapStateDict } from './state-dict.js';
import type { TensorFile } from './tensor.js';
import { readTorchZip } from './torch.js';
import { readTorchLegacy } from './torch-legacy.js';

export { type NpyArray, type NpyDtype, readNpy, type WritableNpyArray, writeNpy } from './npy.js';
export { readSafetensors } from './safetensors.js';
export { unwrapStateDict } from './state-dict.js';
export type { ContainerDtype, FileTensor, TensorFile } from './tensor.js';
export { readTorchZip } from './torch.js';
export { readTorchLegacy } from './torch-legacy.js';

const plainNames = (file: TensorFile): TensorFile => ({ ...file, tensors: unwrapStateDict(file.tensors) });

/**
 * Reads a checkpoint of any container, told by its first bytes. `file` is only for messages. Names are without
 * the prefixes `module.` and `_orig_mod.`; a wrapped state dict is unwrapped; nothing in the file is executed.
 * Fails with K0104 for what is no checkpoint, else as the reader of the container.
 */
export const readCheckpoint = (bytes: Uint8Array, file: string): Checked<TensorFile> =>
  at({ file })(
    match(sniff(bytes))
      .with({ kind: 'safetensors' }, () => E.map(plainNames)(readSafetensors(bytes)))
      .with({ kind: 'zip' }, () => readTorchZip(bytes))
      .with({ kind: 'pickle' }, () => readTorchLegacy(bytes))
      .with({ kind: 'other' }, ({ what, hint }) =>
        fail('K0104', `The file is ${what}`, {
          expected: 'safetensors or a torch checkpoint (.pt, .pth)',
          ...(hint === undefined ? {} : { hint }),
        }),
      )
      .exhaustive(),
  );
