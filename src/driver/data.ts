/** Data files as datasets, and the context that passes see. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { at, type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { readArrayFile } from '../importers/containers/array-file.js';
import { allocate, showElement } from '../ir/element.js';
import type { Tensor } from '../ir/tensor.js';
import { levelsOf, type ValueType } from '../ir/types.js';
import { type Dataset, toTensor } from '../passes/dataset.js';
import type { PassContext } from '../passes/pass.js';
import type { PassCall } from '../passes/pipeline-text.js';
import type { Capabilities } from './capabilities.js';
import type { Sha256 } from './hash.js';
import { type InputLayout, inLayout } from './input-layout.js';

/** A dataset with the hash of the file, which stands for its name in manifests. */
export interface HashedDataset extends Dataset {
  readonly sha256: string;
}

/** Gives the data behind a name in a pipeline. */
export type DataSource = (name: string) => TE.TaskEither<Diagnostics, HashedDataset>;

export interface DataReading {
  /** The order of the axes of images; that of networks when absent. Not for labels. */
  readonly layout?: InputLayout | undefined;
  /** The array of an .npz archive that is meant. */
  readonly member?: string | undefined;
}

/** The array in the bytes of a file. `path` is for messages. */
export const dataOf = (
  path: string,
  bytes: Uint8Array,
  { layout = 'nchw', member }: DataReading = {},
): Checked<Dataset> =>
  pipe(
    readArrayFile(bytes, member),
    E.flatMap(inLayout(layout)),
    at({ file: path }),
    E.map((array) => ({ path, array })),
  );

export const datasetOf =
  (sha256: Sha256) =>
  (path: string, bytes: Uint8Array, reading: DataReading = {}): Checked<HashedDataset> =>
    pipe(
      dataOf(path, bytes, reading),
      E.map((data) => ({ ...data, sha256: hashOf(sha256, bytes, reading) })),
    );

/** That of the file. What is read of it in another way are other data. */
const hashOf = (sha256: Sha256, bytes: Uint8Array, { layout = 'nchw', member }: DataReading): string => {
  const whole = sha256(bytes);
  const how = [
    ...(member === undefined ? [] : [`:${member}`]),
    ...(layout === 'nchw' ? [] : [`(${layout})`]),
  ];
  return how.length === 0 ? whole : sha256(whole + how.join(''));
};

/** FILE.npz:NAME is an array of an archive. */
const MEMBER = /^(.*\.npz):([^/\\]+)$/i;

/** Names are paths of .npy files, of .npz archives, or of an array in one, as FILE.npz:NAME. */
export const dataFromFiles =
  (
    { files, sha256 }: Pick<Capabilities, 'files' | 'sha256'>,
    reading: Pick<DataReading, 'layout'> = {},
  ): DataSource =>
  (name) => {
    const [, file = name, member] = MEMBER.exec(name) ?? [];
    return pipe(
      files.read(file),
      TE.flatMapEither((bytes) => datasetOf(sha256)(name, bytes, { ...reading, member })),
    );
  };

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

/**
 * The first `limit` samples as a tensor of `type`. Codes come as integers of any width, and must be codes that there
 * are: no table has a row for others (K0701).
 */
export const samplesFor = (dataset: Dataset, type: ValueType, limit?: number): Checked<Tensor> => {
  const { dtype, data, shape } = dataset.array;
  if (type.element.kind !== 'uint' || dtype.startsWith('f')) return toTensor(dataset, type, limit);
  const levels = levelsOf(type);
  const codes = new Uint8Array(0);
  const fitting = toTensor({ ...dataset, array: { shape, dtype: 'u1', data: codes } }, type, limit);
  if (E.isLeft(fitting)) return fitting;
  const { batch } = fitting.right;
  const features = data.length / shape[0]!;
  const length = features * batch;
  const converted = allocate(type.element, length);
  for (let j = 0; j < length; j++) {
    const code = data[j]!;
    if (!(code >= 0 && code < levels)) {
      const where = `element ${j % features} of sample ${Math.floor(j / features)}`;
      return fail('K0701', `${where} is ${code}, which is no code of the input`, {
        place: { file: dataset.path },
        expected: `integers from 0 to ${levels - 1}, for an input of type ${showElement(type.element)}`,
      });
    }
    converted[j] = code;
  }
  return E.right({ type, batch, data: converted });
};
