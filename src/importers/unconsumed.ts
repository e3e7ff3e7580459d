/** Tensors that an importer did not ask for: a network that needs them would silently become another function. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { dotted } from './containers/select.js';
import type { TensorFile } from './containers/tensor.js';
import type { ImportOptions } from './family.js';

/** A file that notes which of its tensors are asked for by name; asking whether one is there does not count. */
interface Recording {
  readonly file: TensorFile;
  readonly consumed: ReadonlySet<string>;
}

const recording = (file: TensorFile): Recording => {
  const consumed = new Set<string>();
  const tensors = new Map(file.tensors);
  const get = tensors.get.bind(tensors);
  tensors.get = (name) => {
    consumed.add(name);
    return get(name);
  };
  return { file: { ...file, tensors }, consumed };
};

/** Counters that training keeps beside the weights: no network computes with them. */
const isCounter = (name: string): boolean => /(?:^|\.)(?:n_averaged|num_batches_tracked)$/.test(name);

const NAMES_SHOWN = 8;

/** What was read, and the names of tensors that were left out of it. */
export interface Consumed<A> {
  readonly read: A;
  readonly left: ReadonlyArray<string>;
}

/**
 * Fails with K0207 on tensors that `read` left alone; with `ignoreExtra` they are only told. `own` gives the names that
 * the file has for them.
 */
export const consumingAll = <A>(
  file: TensorFile,
  { ignoreExtra, prefix }: ImportOptions,
  read: (file: TensorFile) => Checked<A>,
  own: (name: string) => string = (name) => name,
): Checked<Consumed<A>> => {
  const recorded = recording(file);
  const result = read(recorded.file);
  if (E.isLeft(result)) return result;
  const extra = [...file.tensors].filter(([name]) => !recorded.consumed.has(name) && !isCounter(name));
  if (extra.length === 0 || ignoreExtra === true) {
    return E.right({ read: result.right, left: extra.map(([name]) => own(name)) });
  }
  // Names without the prefix are of a file that was read in its scope.
  const start = dotted(prefix ?? '');
  const shown = extra
    .slice(0, NAMES_SHOWN)
    .map(([name, { shape }]) => `${printable(start + own(name), 60)} [${shape.join(', ')}]`);
  const more = extra.length > shown.length ? ` and ${extra.length - shown.length} more` : '';
  return fail('K0207', `the network as it is read has no part for ${shown.join(', ')}${more}`, {
    hint: 'A program without them computes something else if the network uses them. If it does not, --ignore-tensors leaves them out.',
  });
};
