/**
 * Choosing the tensors of one network out of a checkpoint. A prefix is the one way to choose: it is the beginning of
 * whole names, which are the keys that lead to a dict of tensors and the names in it, joined by dots. Without one, the
 * dict that scripts keep the network under is taken, and the others are told.
 */

import * as E from 'fp-ts/lib/Either.js';
import { type Checked, type Diagnostic, type Diagnostics, fail, printable } from '../../diagnostics/index.js';
import { listed } from '../listed.js';
import { type Checkpoint, type Opaque, type Part, type Wanted, within } from './checkpoint.js';
import { type Modules, modulesBehind, modulesUnder } from './modules.js';
import { plainNames, plainPrefix } from './plain-names.js';
import type { TensorFile } from './tensor.js';

/** `enc` and `enc.` are the same prefix; the empty one is that of all names. */
export const dotted = (prefix: string): string =>
  prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`;

/** The keys under which training scripts keep the network itself, and not a copy or another one. */
const USUAL: ReadonlySet<string> = new Set([
  'state_dict',
  'model_state_dict',
  'model_state',
  'state',
  'model',
  'net',
  'network',
  'params',
  'weights',
  'module',
]);

const isUsual = ({ path }: { readonly path: string }): boolean =>
  path === '' || path.split('.').every((key) => USUAL.has(key));

/** Tensors of one network, by the names that it gives them. */
export interface Selected {
  readonly file: TensorFile;
  /** What stands before these names in the whole ones, where the user has said it. */
  readonly start: string;
  /** The dict that was taken among several. */
  readonly taken?: string;
  /** The dicts that could have been taken, and the objects with tensors that were left out. */
  readonly others: ReadonlyArray<Part>;
  readonly opaque: ReadonlyArray<Opaque>;
}

const SHOWN = 8;

const quoted = (texts: ReadonlyArray<string>): string =>
  listed(texts, SHOWN, (text) => printable(`'${text}'`, 80));

/** Those that may be a network: dicts without a matrix are losses, counters or states of generators. */
const networksOf = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const networks = parts.filter((part) => part.matrices);
  return networks.length > 0 ? networks : parts;
};

/** Tensors at the top of a file that are named as data are: names in a state dict have dots. */
const isLoose = ({ path, names }: Part): boolean => path === '' && !names.some((name) => name.includes('.'));

/** The part that is meant without a prefix; undefined where nobody but the user can say. */
const usualPart = ({ parts, opaque }: Checkpoint): Part | undefined => {
  const networks = networksOf(parts);
  const usual = networks.length > 1 ? networks.filter((p) => isUsual(p) && !isLoose(p)) : networks;
  // Beside the dict of the network, tensors at the top are something else.
  const inner = usual.length > 1 ? usual.filter(({ path }) => path !== '') : usual;
  const [part, ...more] = inner;
  if (part === undefined || more.length > 0) return undefined;
  // The network itself may be there as an object, so that what can be read is another one.
  return isUsual(part) || !opaque.some(isUsual) ? part : undefined;
};

const nameOf = ({ path }: Part): string => (path === '' ? 'the file itself' : path);

/** A part under plain names, with what stands before them. */
interface Named {
  readonly part: Part;
  readonly original: string;
  readonly name: string;
}

const namesOf = (part: Part): Checked<ReadonlyArray<Named>> =>
  E.map((plain: ReadonlyMap<string, string>) =>
    [...plain].map(([original, name]): Named => ({ part, original, name })),
  )(plainNames(part.names));

const allNames = (parts: ReadonlyArray<Part>): Checked<ReadonlyArray<Named>> => {
  const all: Named[] = [];
  for (const part of parts) {
    const names = namesOf(part);
    if (E.isLeft(names)) return names;
    for (const named of names.right) all.push({ ...named, name: within(part.path, named.name) });
  }
  return E.right(all);
};

const under = (names: ReadonlyArray<Named>, start: string): ReadonlyArray<Named> =>
  names.flatMap((n) => (n.name.startsWith(start) ? [{ ...n, name: n.name.slice(start.length) }] : []));

/** Objects that stand among the tensors that were chosen, where a weight should be. */
const hiddenIn = (checkpoint: Checkpoint, chosen: ReadonlyArray<Named>): ReadonlyArray<Opaque> => {
  const paths = new Set(chosen.map(({ part }) => part.path));
  return checkpoint.opaque.filter(({ parent }) => paths.has(parent));
};

/** Diagnostics of tensors that were read under other names, with their own. */
export const renaming =
  (own: (name: string) => string) =>
  <A>(result: Checked<A>): Checked<A> => {
    const one = (d: Diagnostic): Diagnostic =>
      d.place.tensor === undefined ? d : { ...d, place: { ...d.place, tensor: own(d.place.tensor) } };
    return E.mapLeft(([first, ...rest]: Diagnostics): Diagnostics => [one(first), ...rest.map(one)])(result);
  };

const readNamed = (
  checkpoint: Checkpoint,
  names: ReadonlyArray<Named>,
  start: string,
): Checked<TensorFile> => {
  const wanted = new Map<string, Wanted>();
  for (const { part, original, name } of names) {
    if (wanted.has(name)) {
      return fail('K0116', `two tensors are named ${printable(start + name, 80)}`, {
        expected:
          'one tensor of each name: keys with dots in them lead to the same name as dicts in dicts do',
      });
    }
    wanted.set(name, { part, name: original, as: name });
  }
  const tensors = renaming((name) => start + name)(checkpoint.read([...wanted.values()]));
  return E.map(
    (read: TensorFile['tensors']): TensorFile => ({
      container: checkpoint.container,
      tensors: read,
      metadata: checkpoint.metadata,
    }),
  )(tensors);
};

/** K0208: several dicts, each of which may be the network. */
const several = ({ parts, opaque }: Checkpoint): Checked<never> => {
  const networks = networksOf(parts);
  const counts = listed(networks, SHOWN, (p) => `${printable(nameOf(p), 80)} (${p.names.length} tensors)`);
  const objects = opaque.filter(isUsual).map((o) => printable(`${o.path} (an object of ${o.type})`, 160));
  const beside = objects.length === 0 ? '' : `, and ${objects.slice(0, 3).join(', ')}, which is not read`;
  const example = networks.find(({ path }) => path !== '')?.path ?? '';
  return fail('K0208', `the checkpoint holds several dicts of tensors: ${counts}${beside}`, {
    expected: 'one network, or the prefix of the one that is meant',
    hint: `--prefix ${printable(example, 80)} takes that one. Where several are parts of one network, an architecture file names the layers of all, each with its dict before its name (docs/architecture-files.md, "Several networks").`,
  });
};

const noPrefix = (checkpoint: Checkpoint, all: ReadonlyArray<Named>, start: string): Checked<never> => {
  const paths = checkpoint.parts.map(({ path }) => path).filter((path) => path !== '');
  const begins = all.map(({ name }) => name.slice(0, name.indexOf('.') + 1)).filter((part) => part !== '');
  return fail('K0208', `no tensor has a name that begins with '${printable(start, 60)}'`, {
    place: { option: '--prefix' },
    expected: `the beginning of names; here they begin with ${quoted([...new Set([...paths.map(dotted), ...begins])]) || 'nothing that ends in a dot'}`,
  });
};

/** A beginning as it is written, and without the names of wrappers, which are off the names too. */
const startsOf = (prefix: string): ReadonlyArray<string> => {
  const plain = plainPrefix(prefix);
  const bare = plain.split('.').filter((segment) => segment !== 'module');
  return [dotted(plain), ...(bare.length === 0 ? [] : [dotted(bare.join('.'))])];
};

/** The tensors under a prefix: of whole names, else of those in the dict that is taken without one. */
const byPrefix = (checkpoint: Checkpoint, prefix: string): Checked<Selected> => {
  const all = allNames(checkpoint.parts);
  if (E.isLeft(all)) return all;
  const part = usualPart(checkpoint);
  const inPart = part === undefined ? E.right([]) : namesOf(part);
  if (E.isLeft(inPart)) return inPart;
  for (const start of startsOf(prefix)) {
    for (const names of [all.right, inPart.right]) {
      const chosen = under(names, start);
      if (chosen.length > 0) return finished(checkpoint, chosen, start, names === all.right);
    }
  }
  return noPrefix(checkpoint, all.right, dotted(prefix));
};

/** What rebuilds tensors of other kinds, and why none is read. */
const KINDS: ReadonlyArray<{ readonly type: RegExp; readonly what: string; readonly hint: string }> = [
  {
    type: /_rebuild_qtensor$/,
    what: 'a quantized tensor',
    hint: 'Save the network before it is quantized, or tensor.dequantize(): kanc quantizes by itself.',
  },
  {
    type: /_rebuild_(?:sparse|sparse_csr|sparse_compressed)\w*$/,
    what: 'a sparse tensor',
    hint: 'Save it as a dense one: tensor.to_dense().',
  },
  {
    type: /_rebuild_(?:nested_tensor|wrapper_subclass|from_type(?:_v2)?)$|\.DTensor$/,
    what: 'a tensor of a class of its own',
    hint: 'Save it as a plain tensor (tensor.data, or full_tensor() of a distributed one).',
  },
  {
    type: /^numpy\.ndarray$/,
    what: 'a numpy array, and none of plain numbers',
    hint: 'Make a tensor of it (torch.from_numpy), or take it out of the state dict, and save that again.',
  },
  {
    type: /_rebuild_meta_tensor_no_storage$/,
    what: 'a tensor of the meta device, which has no values',
    hint: 'Save the network after its weights were loaded.',
  },
];

/** K0114: what stands among the tensors may be a weight. */
const refuseHidden = ({ path, type, tensors }: Opaque): Checked<never> => {
  const kind = KINDS.find((one) => one.type.test(type));
  const what = kind?.what ?? `an object of ${printable(type, 100)} with ${tensors} tensors in it`;
  return fail('K0114', `${printable(path, 80)} is ${what}`, {
    expected: 'a tensor',
    hint: kind?.hint ?? 'Convert it where its class is at hand, and save the state dict again.',
  });
};

/** The modules of the parts that were chosen, by the rest of their paths behind a prefix. */
const modulesOf = (parts: ReadonlySet<Part>, start: string, whole: boolean): Modules | undefined => {
  const all = [...parts].flatMap(({ path, modules }) =>
    modules === undefined ? [] : [...(whole && path !== '' ? modulesBehind(modules, dotted(path)) : modules)],
  );
  return all.length === 0 ? undefined : modulesUnder(new Map(all), start);
};

/** `whole`: whether names have the paths of their dicts before them. */
const finished = (
  checkpoint: Checkpoint,
  chosen: ReadonlyArray<Named>,
  start: string,
  whole: boolean,
): Checked<Selected> => {
  const [hidden] = hiddenIn(checkpoint, chosen);
  if (hidden !== undefined) return refuseHidden(hidden);
  const parts = new Set(chosen.map(({ part }) => part));
  const modules = modulesOf(parts, start, whole);
  return E.map(
    (file: TensorFile): Selected => ({
      file: modules === undefined ? file : { ...file, modules },
      start,
      others: networksOf(checkpoint.parts).filter((p) => !parts.has(p)),
      opaque: checkpoint.opaque,
    }),
  )(readNamed(checkpoint, chosen, start));
};

/**
 * Reads the tensors of one network: those under a prefix, or those of the dict that is meant without one. `whole` reads
 * all dicts under whole names where none is meant: for networks of several dicts. Fails with K0208 where nobody but the
 * user can say which, K0114 where a weight is hidden in an object, K0116 where names coincide.
 */
export const select = (
  checkpoint: Checkpoint,
  prefix: string | undefined,
  whole = false,
): Checked<Selected> => {
  if (prefix !== undefined) return byPrefix(checkpoint, prefix);
  const part = usualPart(checkpoint);
  if (part === undefined) return whole ? byPrefix(checkpoint, '') : several(checkpoint);
  const names = namesOf(part);
  if (E.isLeft(names)) return names;
  const selected = finished(checkpoint, names.right, '', false);
  return E.map((s: Selected): Selected => ({ ...s, taken: nameOf(part) }))(selected);
};
