/**
 * Lists of modules (nn.Sequential, nn.ModuleList) number their modules, and those without parameters leave no tensors:
 * an activation, a pooling, a flattening, a dropout. So a number that is left out is something that nobody knows.
 */
import { type Checked, fail, printable } from '../diagnostics/index.js';

export interface Gap {
  /** The names before the number, with their dot. */
  readonly parent: string;
  /** The first number that is left out. */
  readonly missing: number;
  /** The numbers beside the gap that have tensors; no `before` where the list does not begin with 0. */
  readonly before?: number;
  readonly after: number;
}

/** The numbers of all lists that the names go through. What has children of other names is a module, not a list. */
const listsOf = (names: ReadonlyArray<string>): ReadonlyMap<string, ReadonlySet<number>> => {
  const lists = new Map<string, Set<number> | undefined>();
  for (const name of names) {
    for (const { 0: part, index } of name.matchAll(/[^.]+/g)) {
      const parent = name.slice(0, index);
      const isNumber = /^\d{1,9}$/.test(part) && index + part.length < name.length;
      const numbers = lists.has(parent) ? lists.get(parent) : new Set<number>();
      lists.set(parent, isNumber ? numbers?.add(Number(part)) : undefined);
    }
  }
  return new Map([...lists].flatMap(([parent, n]) => (n === undefined ? [] : [[parent, n] as const])));
};

/** The first gap of every list that has one between its modules, else the one at its beginning. */
export const moduleGaps = (names: ReadonlyArray<string>): ReadonlyArray<Gap> =>
  [...listsOf(names)].flatMap(([parent, set]): ReadonlyArray<Gap> => {
    const numbers = [...set].sort((a, b) => a - b);
    const at = numbers.findIndex((n, k) => k > 0 && n > numbers[k - 1]! + 1);
    if (at > 0) {
      const before = numbers[at - 1]!;
      return [{ parent, missing: before + 1, before, after: numbers[at]! }];
    }
    const [first] = numbers;
    return first === undefined || first === 0 ? [] : [{ parent, missing: 0, after: first }];
  });

/** How a person says what a checkpoint does not. */
export const IN_A_FILE =
  'Describe the network in an architecture file, which --arch takes (docs/architecture-files.md): kanc import --draft-arch writes a first version.';

/** The modules of a gap, such as `net.1` or `net.1 to net.3`. */
export const gapName = ({ parent, missing, after }: Gap): string => {
  const name = (n: number): string => printable(`${parent}${n}`, 60);
  return missing === after - 1 ? name(missing) : `${name(missing)} to ${name(after - 1)}`;
};

/** K0212: what stands in a gap is not known. */
export const refuseGap = (gap: Gap): Checked<never> =>
  fail(
    'K0212',
    `no tensor tells what ${gapName(gap)} is, before ${printable(`${gap.parent}${gap.after}`, 60)}`,
    {
      expected: 'layers that follow each other: an activation or a pooling between them has no tensors',
      hint: `${IN_A_FILE} Write { "type": "activation", "function": "relu" } or what else stands there between the layers; nothing for a dropout.`,
    },
  );
