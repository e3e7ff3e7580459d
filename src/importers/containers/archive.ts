/** Zip archives, which several tools write checkpoints as, told by the names in them. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Checkpoint } from './checkpoint.js';
import { isNpz, openNpz } from './npz.js';
import { exportedWeights, openExported } from './torch/exported.js';
import { openTorchZip } from './torch/index.js';
import { readZip, readZipEntry } from './zip.js';

/** Opens an archive of torch.save, TorchScript, torch.export or numpy.savez; others are refused by what they are. */
export const openArchive = (bytes: Uint8Array): Checked<Checkpoint> => {
  const archive = readZip(bytes);
  if (E.isLeft(archive)) return archive;
  if (isNpz([...archive.right.entries.keys()])) return openNpz(archive.right);
  const weights = exportedWeights(archive.right);
  if (weights === undefined) return openTorchZip(archive.right);
  if ('table' in weights) return openExported(archive.right, weights.table, weights.folder);
  const inner = readZipEntry(archive.right, weights.stateDict);
  if (E.isLeft(inner)) return inner;
  const torch = readZip(inner.right);
  return E.isLeft(torch) ? torch : openTorchZip(torch.right);
};
