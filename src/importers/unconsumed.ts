/** Tensors that an importer did not ask for: a network that needs them would silently become another function. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import type { TensorFile } from './containers/tensor.js';
import type { ImportOptions } from './family.js';
import { IN_A_FILE } from './module-gaps.js';
import { dotted } from './scope.js';

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

/** Counters that training and profilers keep beside the weights: no network computes with them. */
export const isCounter = (name: string): boolean =>
  /(?:^|\.)(?:n_averaged|num_batches_tracked|total_ops|total_params)$/.test(name);

/** What training keeps beside the network: it may have weights of its own, but none that inference uses. */
const isOfTraining = (name: string): boolean => /^(?:criterion|loss|loss_fn|optimizer|metrics?)\./.test(name);

const NAMES_SHOWN = 8;

/** What was read, and the names of tensors that were left out of it. */
export interface Consumed<A> {
  readonly read: A;
  readonly left: ReadonlyArray<string>;
}

/** Fails with K0207 on tensors that `read` left alone; with `ignoreExtra` they are only told. */
export const consumingAll = <A>(
  file: TensorFile,
  { ignoreExtra, prefix }: ImportOptions,
  read: (file: TensorFile) => Checked<A>,
): Checked<Consumed<A>> => {
  const recorded = recording(file);
  const result = read(recorded.file);
  if (E.isLeft(result)) return result;
  const extra = [...file.tensors].filter(([name]) => !recorded.consumed.has(name) && !isCounter(name));
  if (extra.length === 0 || ignoreExtra === true) {
    return E.right({ read: result.right, left: extra.map(([name]) => name) });
  }
  // Names without the prefix are of a file that was read in its scope.
  const start = dotted(prefix ?? '');
  const shown = extra
    .slice(0, NAMES_SHOWN)
    .map(([name, { shape }]) => `${printable(start + name, 60)} [${shape.join(', ')}]`);
  const more = extra.length > shown.length ? ` and ${extra.length - shown.length} more` : '';
  return fail('K0207', `the network as it is read has no part for ${shown.join(', ')}${more}`, {
    hint: extra.every(([name]) => isOfTraining(name))
      ? 'By their names they are of the training and not of the network: --ignore-tensors leaves them out.'
      : `A program without them would compute something else. ${IN_A_FILE}`,
  });
};
