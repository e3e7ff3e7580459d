/** One network of a checkpoint that may hold several, and what there is to say about the choice. */

import * as E from 'fp-ts/lib/Either.js';
import { type Checked, printable } from '../diagnostics/index.js';
import type { Checkpoint } from './containers/checkpoint.js';
import { modulesUnder } from './containers/modules.js';
import { renaming, type Selected, select } from './containers/select.js';
import type { TensorFile } from './containers/tensor.js';
import type { Assumption } from './family.js';
import { listed } from './listed.js';

const SHOWN = 6;

const shortList = (items: ReadonlyArray<string>): string => listed(items, SHOWN, (item) => item);

/** What else could have been read, and the objects that were not looked into. */
const notesOf = ({ taken, others, opaque }: Selected): ReadonlyArray<Assumption> => {
  const prefixes = others.map(({ path }) => printable(path === '' ? 'the file itself' : path, 80));
  const objects = opaque.map(
    ({ path, type, tensors }) =>
      `${printable(path, 80)} (${printable(type, 80)}, ${tensors} tensor${tensors === 1 ? '' : 's'})`,
  );
  return [
    ...(taken === undefined || others.length === 0
      ? []
      : [
          {
            what: `the file has tensors in ${taken} and in ${shortList(prefixes)}`,
            assumed: `the network is ${taken}`,
            option: `--prefix ${printable(others[0]?.path || '""', 80)}`,
          },
        ]),
    ...(objects.length === 0
      ? []
      : [{ what: `Python objects with tensors: ${shortList(objects)}`, assumed: 'no part of the network' }]),
  ];
};

export interface Choice {
  /** What the whole names of the tensors begin with. */
  readonly prefix?: string | undefined;
  /** All dicts of tensors, where nobody but the user can say which is meant: for networks of several. */
  readonly whole: boolean;
}

/** Assumptions about the choice stand before those of the reading. */
interface Scoped<A> {
  readonly read: A;
  readonly notes: ReadonlyArray<Assumption>;
}

/**
 * Reads the tensors that a prefix chooses, or those that are meant without one, as if they were the whole file, by the
 * rest of their names; diagnostics have whole names again. Fails as `select`.
 */
export const inScope = <A>(
  checkpoint: Checkpoint,
  { prefix, whole }: Choice,
  read: (file: TensorFile) => Checked<A>,
): Checked<Scoped<A>> => {
  const selected = select(checkpoint, prefix, whole);
  if (E.isLeft(selected)) return selected;
  const { start, file } = selected.right;
  const result = renaming((name) => start + name)(read(file));
  return E.map((value: A): Scoped<A> => ({ read: value, notes: notesOf(selected.right) }))(result);
};

/** Reads the tensors whose names begin with `start` by the rest of their names; diagnostics have whole names again. */
export const under = <A>(
  file: TensorFile,
  start: string,
  read: (file: TensorFile) => Checked<A>,
): Checked<A> => {
  if (start === '') return read(file);
  const tensors = new Map(
    [...file.tensors].flatMap(([name, tensor]) =>
      name.startsWith(start) ? [[name.slice(start.length), tensor] as const] : [],
    ),
  );
  const modules = file.modules === undefined ? {} : { modules: modulesUnder(file.modules, start) };
  return renaming((name) => start + name)(read({ ...file, tensors, ...modules }));
};
