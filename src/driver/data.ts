/** Data files as datasets, and the context that passes see. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { at, type Diagnostics } from '../diagnostics/index.js';
import { readNpy } from '../importers/containers/npy.js';
import type { Dataset } from '../passes/dataset.js';
import type { PassContext } from '../passes/pass.js';
import type { PassCall } from '../passes/pipeline-text.js';
import type { Capabilities } from './capabilities.js';
import type { Sha256 } from './hash.js';

/** A dataset with the hash of the file, which stands for its name in manifests. */
export interface HashedDataset extends Dataset {
  readonly sha256: string;
}

/** Gives the data behind a name in a pipeline. */
export type DataSource = (name: string) => TE.TaskEither<Diagnostics, HashedDataset>;

export const datasetOf =
  (sha256: Sha256) =>
  (path: string, bytes: Uint8Array): E.Either<Diagnostics, HashedDataset> =>
    pipe(
      readNpy(bytes),
      at({ file: path }),
      E.map((array) => ({ path, array, sha256: sha256(bytes) })),
    );

/** Names are paths of .npy files. */
export const dataFromFiles =
  ({ files, sha256 }: Pick<Capabilities, 'files' | 'sha256'>): DataSource =>
  (path) =>
    pipe(
      files.read(path),
      TE.flatMapEither((bytes) => datasetOf(sha256)(path, bytes)),
    );

/** Loads every name once. */
export const loadAll =
  (source: DataSource) =>
  (names: ReadonlyArray<string>): TE.TaskEither<Diagnostics, ReadonlyMap<string, HashedDataset>> =>
    pipe(
      names,
      TE.traverseSeqArray(source),
      TE.map((datasets) => new Map(datasets.map((data, k) => [names[k]!, data]))),
    );

/** Passes with data by their hashes in place of their names: the same wherever the files lie. */
export const anonymousCalls = (
  calls: ReadonlyArray<PassCall>,
  data: ReadonlyMap<string, Pick<HashedDataset, 'sha256'>>,
): ReadonlyArray<PassCall> =>
  calls.map(({ name, options }) => ({
    name,
    options: Object.fromEntries(
      Object.entries(options).map(([key, value]) => {
        const known = data.get(value);
        return [key, known === undefined ? value : `sha256-${known.sha256}`];
      }),
    ),
  }));

export const contextOf = (data: ReadonlyMap<string, Dataset>): PassContext => ({
  dataset: (path) => data.get(path),
});
