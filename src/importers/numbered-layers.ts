/** Networks whose tensors are named `<prefix>layers.<number>.<part>`, and single layers, which have only the parts. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { dotted } from './containers/select.js';
import type { TensorFile } from './containers/tensor.js';
import type { ImportOptions } from './family.js';

export interface NumberedLayers {
  /** What stands before `layers.` in the names. */
  readonly prefix: string;
  /** One more than the highest number of any tensor. */
  readonly count: number;
}

/** The networks of a file, in file order. The pattern's first two groups are the prefix and the number. */
export const numberedLayers = (file: TensorFile, pattern: RegExp): ReadonlyArray<NumberedLayers> => {
  const found = new Map<string, number>();
  for (const name of file.tensors.keys()) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const prefix = match[1] ?? '';
    found.set(prefix, Math.max(found.get(prefix) ?? 0, Number(match[2]) + 1));
  }
  return [...found].map(([prefix, count]) => ({ prefix, count }));
};

const FIRST = 'layers.0.';

/** A file that is one layer by itself, under the names that a network of one layer has. */
export const asOneLayer = (file: TensorFile): TensorFile => ({
  ...file,
  tensors: new Map([...file.tensors].map(([name, tensor]) => [FIRST + name, tensor])),
});

/** The own name of a tensor of `asOneLayer`. */
export const ofOneLayer = (name: string): string =>
  name.startsWith(FIRST) ? name.slice(FIRST.length) : name;

const SHOWN = 8;

/** The layers of an architecture file that runs one network after another. */
const connected = (family: string, prefixes: ReadonlyArray<string>): string =>
  prefixes.map((prefix) => JSON.stringify({ type: family, prefix: prefix.replace(/\.$/, '') })).join(', ');

/**
 * The only network of a file; with a prefix, which was taken off the names, the one that has no other. Fails with K0202
 * where there is none (`sure` is a tensor that every layer has), K0208 where nobody but the user can choose.
 */
export const onlyNetwork = (
  file: TensorFile,
  pattern: RegExp,
  { prefix }: ImportOptions,
  { name, sure }: { readonly name: string; readonly sure: string },
): Checked<NumberedLayers> => {
  const networks = numberedLayers(file, pattern);
  const [first] = networks;
  if (first === undefined) return fail('K0202', `no tensor is named layers.<number>.${sure}`);
  const chosen = prefix === undefined ? undefined : networks.find((n) => n.prefix === '');
  if (chosen !== undefined) return E.right(chosen);
  if (networks.length === 1) return E.right(first);
  const prefixes = networks.map((n) => dotted(prefix ?? '') + n.prefix);
  const list = prefixes.slice(0, SHOWN).map((p) => printable(`'${p}'`, 60));
  const more = prefixes.length > SHOWN ? ` and ${prefixes.length - SHOWN} more` : '';
  const example = prefixes.find((p) => p !== '') ?? '';
  return fail('K0208', `there are ${networks.length} networks, with the prefixes ${list.join(', ')}${more}`, {
    expected: 'one network, or the prefix of the one that is meant',
    hint:
      `--prefix ${printable(example.replace(/\.$/, ''), 60)} takes that one. Where a model runs one after another, an architecture file says so: ` +
      `--arch with {"input": [features], "layers": [${printable(connected(name, prefixes.slice(0, 2)), 300)}]}, in the order in which they run.`,
  });
};
