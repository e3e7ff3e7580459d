/**
 * Linear parts. A program may sum over functions before it sums over inputs, so that every edge has a function of its
 * own that is a sum of shared ones. Sums are taken apart where that leaves fewer functions that are not known by name.
 */
import type { FunctionId, FunctionTable } from '../functions.js';
import { byDegrees } from './powers.js';
import type { Recogniser } from './recognise.js';
import { type Combination, collector } from './slots.js';

/** constant + sum of factors times functions. */
interface Linear {
  constant: number;
  readonly parts: Map<FunctionId, number>;
}

/** Deeper sums of sums are left together. */
const MOST_DEPTH = 8;

/** Adds a function; one without a name without the constants that it is multiplied by and that are added to it. */
const addTo = (sum: Linear, recogniser: Recogniser, id: FunctionId, factor: number): void => {
  const add = (part: FunctionId, slope: number): void => {
    sum.parts.set(part, (sum.parts.get(part) ?? 0) + slope);
  };
  const { generator, coefficients } = recogniser.forms(id);
  if (generator === undefined) sum.constant += factor * coefficients[0]!;
  else if (coefficients.length > 2 || recogniser.named(id) !== undefined) add(id, factor);
  else {
    sum.constant += factor * coefficients[0]!;
    add(generator, factor * coefficients[1]!);
  }
};

/** The functions that a node is a sum of, with their factors; undefined where it is no sum. */
const addendsOf = (
  table: FunctionTable,
  id: FunctionId,
): ReadonlyArray<readonly [FunctionId, number]> | undefined => {
  const node = table.nodeOf(id);
  if (node.kind === 'sum') return [...node.parts].map((part, j) => [part, node.factors[j]!] as const);
  if (node.kind !== 'call') return undefined;
  const [a, b] = [node.args[0]!, node.args[1] ?? 0];
  if (node.fn === 'add') return [[a, 1] as const, [b, 1] as const];
  if (node.fn === 'sub') return [[a, 1] as const, [b, -1] as const];
  if (node.fn === 'neg') return [[a, -1] as const];
  const [ca, cb] = [table.constantOf(a), table.constantOf(b)];
  if (node.fn === 'mul' && cb !== undefined) return [[a, cb] as const];
  if (node.fn === 'mul' && ca !== undefined) return [[b, ca] as const];
  return node.fn === 'div' && cb !== undefined ? [[a, 1 / cb] as const] : undefined;
};

/**
 * One level of sums taken apart; undefined where there is nothing to take apart. A polynomial without a name stays: its
 * powers would be put together again.
 */
const opened = (recogniser: Recogniser, sum: Linear): Linear | undefined => {
  const next: Linear = { constant: sum.constant, parts: new Map() };
  let changed = false;
  for (const [id, factor] of sum.parts) {
    const kept = recogniser.named(id) !== undefined || recogniser.forms(id).generator === recogniser.table.x;
    const addends = kept ? undefined : addendsOf(recogniser.table, id);
    if (addends === undefined) {
      next.parts.set(id, (next.parts.get(id) ?? 0) + factor);
      continue;
    }
    changed = true;
    for (const [part, own] of addends) addTo(next, recogniser, part, factor * own);
  }
  return changed ? next : undefined;
};

/** The functions in sums that have no name. */
const unnamed = (recogniser: Recogniser, sums: ReadonlyArray<Linear>): number => {
  const found = new Set<FunctionId>();
  for (const { parts } of sums) {
    for (const id of parts.keys()) if (recogniser.named(id) === undefined) found.add(id);
  }
  return found.size;
};

const combinationOf = (
  recogniser: Recogniser,
  sum: Linear,
  replaced: ReadonlyMap<FunctionId, Combination>,
): Combination => {
  const to = collector();
  to.addConstant(sum.constant);
  for (const [id, factor] of sum.parts) {
    const named = replaced.get(id) ?? recogniser.named(id);
    if (named === undefined) {
      to.add(recogniser.slots.intern({ kind: 'other', id }), factor);
      continue;
    }
    to.addConstant(factor * named.constant);
    named.slots.forEach((slot, j) => {
      to.add(slot, factor * named.factors[j]!);
    });
  }
  return to.combination();
};

/** The functions of one input as sums of slots. */
export const combinationsOf = (
  recogniser: Recogniser,
  functions: ReadonlyArray<FunctionId>,
): ReadonlyArray<Combination> => {
  let sums: ReadonlyArray<Linear> = functions.map((id) => {
    const sum: Linear = { constant: 0, parts: new Map() };
    addTo(sum, recogniser, id, 1);
    return sum;
  });
  let best = sums;
  let fewest = unnamed(recogniser, sums);
  for (let depth = 0; depth < MOST_DEPTH && fewest > 0; depth++) {
    const next = sums.map((sum) => opened(recogniser, sum));
    if (next.every((sum) => sum === undefined)) break;
    sums = sums.map((sum, j) => next[j] ?? sum);
    const count = unnamed(recogniser, sums);
    // Of equally many the smaller functions: what is known by name has left them.
    if (count > fewest) continue;
    [best, fewest] = [sums, count];
  }
  const replaced = byDegrees(recogniser, [...new Set(best.flatMap((sum) => [...sum.parts.keys()]))]);
  return best.map((sum) => combinationOf(recogniser, sum, replaced));
};
