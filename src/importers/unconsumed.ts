/** Tensors that an importer did not use: a network that needs them would silently become another function. */

import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { dotted } from './containers/select.js';
import type { FileTensor, TensorFile } from './containers/tensor.js';
import type { ImportOptions } from './family.js';
import { listed } from './listed.js';
import { isCounter, type Suspect, suspectOf } from './suspects.js';

/**
 * A file that notes which of its tensors are used. Used is one whose data are read: looking for a name, iterating
 * over all of them, asking for a shape, or taking tensors over into a file of one layer does not count, and tensors
 * keep noting in whatever file they are.
 */
interface Recording {
  readonly file: TensorFile;
  readonly used: ReadonlySet<string>;
}

const recording = (file: TensorFile): Recording => {
  const used = new Set<string>();
  const watched = ([name, tensor]: readonly [string, FileTensor]): readonly [string, FileTensor] => {
    const { dtype, shape, data } = tensor;
    let first = true;
    return [
      name,
      {
        dtype,
        shape,
        // Loops read it for every element.
        get data() {
          if (first) {
            first = false;
            used.add(name);
          }
          return data;
        },
      },
    ];
  };
  return { file: { ...file, tensors: new Map([...file.tensors].map(watched)) }, used };
};

const NAMES_SHOWN = 8;

/** What was read, and the names of tensors that were left out of it. */
export interface Consumed<A> {
  readonly read: A;
  readonly left: ReadonlyArray<string>;
}

/** What messages say of the file: its own names for tensors, and whether an architecture file could have the family. */
interface Told {
  readonly own?: (name: string) => string;
  readonly lone?: boolean;
}

/** Fails with K0207 on tensors that `read` left alone; with `ignoreExtra` they are only told. */
export const consumingAll = <A>(
  file: TensorFile,
  { ignoreExtra, prefix }: ImportOptions,
  read: (file: TensorFile) => Checked<A>,
  { own = (name) => name, lone = false }: Told = {},
): Checked<Consumed<A>> => {
  const recorded = recording(file);
  const result = read(recorded.file);
  if (E.isLeft(result)) return result;
  const extra = [...file.tensors].filter(
    ([name, tensor]) => !recorded.used.has(name) && !isCounter(name, tensor),
  );
  if (extra.length === 0 || ignoreExtra === true) {
    return E.right({ read: result.right, left: extra.map(([name]) => own(name)) });
  }
  // Names without the prefix are of a file that was read in its scope.
  const start = dotted(prefix ?? '');
  const shown = listed(
    extra,
    NAMES_SHOWN,
    ([name, { shape }]) => `${printable(start + own(name), 60)} [${shape.join(', ')}]`,
  );
  return fail('K0207', `the network as it is read has no part for ${shown}`, {
    hint: hintFor(
      extra.map(([name, tensor]) => [start + own(name), tensor] as const),
      lone,
    ),
  });
};

/** `--ignore-tensors` only where nothing is lost by it; otherwise what the tensors probably are. By whole names. */
const hintFor = (extra: ReadonlyArray<readonly [string, FileTensor]>, lone: boolean): string => {
  const suspects = extra.map(([name, tensor]) => [name, suspectOf(name, tensor)] as const);
  if (suspects.every(([, suspect]) => suspect?.idle === true)) {
    const kinds = new Set(suspects.map(([, suspect]) => suspect?.what ?? ''));
    return `By their names they are ${[...kinds].join(' or ')}, which no network computes with: --ignore-tensors leaves them out.`;
  }
  const used = suspects.filter(([, suspect]) => suspect?.idle !== true);
  return [
    'A program without them would compute another function.',
    ...told(used),
    ...(lone
      ? [LONE]
      : [waysFor(used), 'A whole network beside the one that was read is chosen with --prefix.']),
  ].join(' ');
};

const LONE =
  'An architecture file has no layers of this family, so that it cannot stand among others; --prefix reads what stands under a name alone.';

/** One example for each kind that the names tell. */
const told = (suspects: ReadonlyArray<readonly [string, Suspect | undefined]>): ReadonlyArray<string> => {
  const kinds = new Map<string, string>();
  for (const [name, suspect] of suspects) {
    if (suspect !== undefined && !kinds.has(suspect.what)) kinds.set(suspect.what, name);
  }
  if (kinds.size === 0) return [];
  const list = [...kinds].slice(0, 3).map(([what, name]) => `${printable(name, 60)} is ${what}`);
  return [`By its name, ${list.join(', ')}.`];
};

const waysFor = (suspects: ReadonlyArray<readonly [string, Suspect | undefined]>): string => {
  const ways = new Set(suspects.flatMap(([, suspect]) => suspect?.way ?? []));
  const complete = suspects.every(([, suspect]) => suspect?.way !== undefined);
  const known = [...ways].map((way) => `${way[0]?.toUpperCase()}${way.slice(1)}.`);
  return [
    ...known,
    ...(complete
      ? []
      : ['Layers that docs/architecture-files.md lists can be said with --arch; no file can say others.']),
  ].join(' ');
};
