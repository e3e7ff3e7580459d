/** Networks whose tensors are named `<prefix>layers.<number>.<part>`, and single layers, which have only the parts. */

import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { modulesBehind } from './containers/modules.js';
import { dotted } from './containers/select.js';
import type { TensorFile } from './containers/tensor.js';
import type { ImportOptions } from './family.js';
import { listed } from './listed.js';
import { IN_A_FILE, moduleGaps, refuseGap } from './module-gaps.js';
import { isCounter } from './suspects.js';

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

/** What tells a family of numbered layers. */
export interface Marks {
  /** The name of the family. */
  readonly family: string;
  /** The names of all tensors that its layers may have; see `numberedLayers`. */
  readonly key: RegExp;
  /** Tensors that each of its layers has, with their ranks. */
  readonly parts: Readonly<Record<string, number>>;
}

const FIRST = 'layers.0.';

/** A file that is one layer by itself, under the names that a network of one layer has. */
export const asOneLayer = (file: TensorFile): TensorFile => ({
  ...file,
  tensors: new Map([...file.tensors].map(([name, tensor]) => [FIRST + name, tensor])),
  ...(file.modules === undefined ? {} : { modules: modulesBehind(file.modules, FIRST) }),
});

/** The own name of a tensor of `asOneLayer`. */
export const ofOneLayer = (name: string): string =>
  name.startsWith(FIRST) ? name.slice(FIRST.length) : name;

const isComplete = (file: TensorFile, at: string, { parts }: Marks): boolean =>
  Object.entries(parts).every(([part, rank]) => file.tensors.get(at + part)?.shape.length === rank);

/**
 * Whether the networks of a file are of the family: the first layers have all that tells one. Where something is
 * missing or has another rank, the file is the family's only if there is nothing else in it; then the fault is told by
 * its name. Layers of other libraries share names with ours, and would be called broken ones of ours.
 */
export const hasMarks = (file: TensorFile, marks: Marks): boolean => {
  const firsts = numberedLayers(file, marks.key).map(({ prefix }) => `${prefix}layers.0.`);
  if (firsts.length > 0 && firsts.every((at) => isComplete(file, at, marks))) return true;
  const parts = Object.keys(marks.parts);
  return (
    [...file.tensors].every(([name, tensor]) => marks.key.test(name) || isCounter(name, tensor)) &&
    firsts.some(
      (at) => parts.filter((part) => file.tensors.has(at + part)).length >= Math.max(1, parts.length - 1),
    )
  );
};

/** Every number has a layer: a list in which one is left out has something else there. */
const checkNumbers = (file: TensorFile, { prefix }: NumberedLayers, key: RegExp): Checked<void> => {
  const list = `${prefix}layers.`;
  const within = [...file.tensors.keys()].filter((name) => name.startsWith(list));
  const [gap] = moduleGaps(within.filter((name) => key.test(name))).filter(({ parent }) => parent === list);
  if (gap === undefined) return E.right(undefined);
  const at = `${list}${gap.missing}.`;
  const other = within.find((name) => name.startsWith(at));
  if (other === undefined) return refuseGap(gap);
  return fail(
    'K0201',
    `the tensor stands where layer ${gap.missing} is expected, and is of no layer of this kind`,
    {
      place: { tensor: printable(other, 60) },
      expected: 'layers of one kind, numbered without gaps',
      hint: IN_A_FILE,
    },
  );
};

const SHOWN = 8;

/** The layers of an architecture file that runs one network after another. */
const connected = (family: string, prefixes: ReadonlyArray<string>): string =>
  prefixes.map((prefix) => JSON.stringify({ type: family, prefix: prefix.replace(/\.$/, '') })).join(', ');

/**
 * The only network of the file; with a prefix, which was taken off the names, the one that has no other. K0202 where
 * there is none, K0208 where there is no telling which, K0201 and K0212 where something else stands between its layers.
 */
export const onlyNetwork = (
  file: TensorFile,
  { prefix }: ImportOptions,
  { family, key, parts }: Marks,
): Checked<NumberedLayers> => {
  const networks = numberedLayers(file, key);
  const [first] = networks;
  if (first === undefined) {
    return fail('K0202', `no tensor is named layers.<number>.${Object.keys(parts).at(-1)}`);
  }
  const whole = prefix === undefined ? undefined : networks.find((n) => n.prefix === '');
  const chosen = whole ?? (networks.length === 1 ? first : undefined);
  if (chosen !== undefined) {
    const numbers = checkNumbers(file, chosen, key);
    return E.isLeft(numbers) ? numbers : E.right(chosen);
  }
  const prefixes = networks.map((n) => dotted(prefix ?? '') + n.prefix);
  const list = listed(prefixes, SHOWN, (p) => printable(`'${p}'`, 60));
  const example = prefixes.find((p) => p !== '') ?? '';
  return fail('K0208', `there are ${networks.length} networks, with the prefixes ${list}`, {
    expected: 'one network, or the prefix of the one that is meant',
    hint:
      `--prefix ${printable(example.replace(/\.$/, ''), 60)} takes that one. Where a model runs one after another, an architecture file says so: ` +
      `--arch with {"input": [features], "layers": [${printable(connected(family, prefixes.slice(0, 2)), 300)}]}, in the order in which they run, with the activations between and behind them, which leave no tensors; kanc eval tells whether the outputs are those of the library.`,
  });
};
