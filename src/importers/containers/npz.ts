/** Archives of numpy.savez as checkpoints: every array is a tensor by the name that it was saved under. */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked } from '../../diagnostics/index.js';
import { type Checkpoint, checkpointOf } from './checkpoint.js';
import { NPY_DTYPES, readNpy } from './npy/index.js';
import type { FileTensor } from './tensor.js';
import { readZipEntry, type ZipArchive } from './zip.js';

const SUFFIX = '.npy';

/** Whether names are those of such an archive. */
export const isNpz = (names: ReadonlyArray<string>): boolean =>
  names.length > 0 && names.every((name) => name.endsWith(SUFFIX));

/** Opens an archive of arrays. Fails as the readers of archives and arrays do. */
export const openNpz = (archive: ZipArchive): Checked<Checkpoint> => {
  const tensors = new Map<string, FileTensor>();
  for (const [name, entry] of archive.entries) {
    const tensor = name.slice(0, -SUFFIX.length);
    const read = at({ tensor })(E.chain(readNpy)(readZipEntry(archive, entry)));
    if (E.isLeft(read)) return read;
    const { dtype, shape, data } = read.right;
    const wide = dtype === 'f8' ? Float32Array.from(data) : data;
    tensors.set(tensor, { dtype: NPY_DTYPES[dtype], shape, data: wide });
  }
  return E.right(checkpointOf({ container: 'npz', tensors, metadata: new Map() }));
};
