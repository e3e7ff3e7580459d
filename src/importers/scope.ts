/** One network of a checkpoint that holds several: the tensors whose names begin with a prefix. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, type Diagnostic, type Diagnostics, fail, printable } from '../diagnostics/index.js';
import type { TensorFile } from './containers/tensor.js';

/** `enc` and `enc.` are the same prefix; the empty one is that of all names. */
export const dotted = (prefix: string): string =>
  prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`;

const firstParts = (file: TensorFile): ReadonlyArray<string> => [
  ...new Set([...file.tensors.keys()].map((name) => name.slice(0, name.indexOf('.') + 1))),
];

const PARTS_SHOWN = 8;

/**
 * Reads the tensors under a prefix as if they were the whole file, by the rest of their names; diagnostics have
 * whole names again. Without a prefix the file is read as it is. Fails with K0208 where nothing has the prefix.
 */
export const inScope = <A>(
  file: TensorFile,
  prefix: string | undefined,
  read: (file: TensorFile) => Checked<A>,
): Checked<A> => {
  if (prefix === undefined) return read(file);
  const start = dotted(prefix);
  if (![...file.tensors.keys()].some((name) => name.startsWith(start))) {
    const parts = firstParts(file).slice(0, PARTS_SHOWN);
    return fail('K0208', `no tensor has a name that begins with '${printable(start, 60)}'`, {
      place: { option: '--prefix' },
      expected: `the beginning of names; here they begin with ${parts.map((p) => printable(`'${p}'`, 60)).join(', ')}`,
    });
  }
  return under(file, start, read);
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
  // Asked of the file itself, which may note what is asked for.
  tensors.get = (name) => file.tensors.get(start + name);
  const whole = (d: Diagnostic): Diagnostic =>
    d.place.tensor === undefined ? d : { ...d, place: { ...d.place, tensor: start + d.place.tensor } };
  return E.mapLeft(([first, ...rest]: Diagnostics): Diagnostics => [whole(first), ...rest.map(whole)])(
    read({ ...file, tensors }),
  );
};
