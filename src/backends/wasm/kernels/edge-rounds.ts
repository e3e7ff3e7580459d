/** The inputs of a layer in rounds of rows that are added at once. */
import type { EdgeGroups } from './edge-analysis.js';
import { ROUND } from './edge-rows.js';

/** Rounds of one form; the slots of all rounds stand one after the other. */
export interface Rounds {
  /** The sizes of the groups that a round adds. */
  readonly groups: ReadonlyArray<number>;
  readonly count: number;
}

export const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0);

/** Every round by itself. */
export const unrolledRounds = (rounds: ReadonlyArray<Rounds>): ReadonlyArray<Rounds> =>
  rounds.flatMap(({ groups, count }) => Array.from({ length: count }, () => ({ groups, count: 1 })));

/**
 * The groups of a layer in rounds: as many rounds of quads, pairs and singles as are whole, then rounds of what is
 * left of each. Returns the slots in that order.
 */
export const roundsOf = (
  groups: EdgeGroups,
): { readonly slots: ReadonlyArray<number>; readonly rounds: ReadonlyArray<Rounds> } => {
  const kinds = [
    { size: 4, inputs: groups.quads },
    { size: 2, inputs: groups.pairs },
    { size: 1, inputs: groups.singles },
  ].map(({ size, inputs }) => {
    const count = Math.floor(inputs.length / ROUND);
    const whole: Rounds = { groups: Array.from({ length: ROUND / size }, () => size), count };
    const rest = Array.from({ length: (inputs.length % ROUND) / size }, () => size);
    return { whole, inputs: inputs.slice(0, count * ROUND), rest, left: inputs.slice(count * ROUND) };
  });
  const last: number[][] = [];
  for (const size of kinds.flatMap((k) => k.rest)) {
    const open = last[last.length - 1];
    if (open !== undefined && sum(open) + size <= ROUND) open.push(size);
    else last.push([size]);
  }
  return {
    slots: [...kinds.flatMap((k) => k.inputs), ...kinds.flatMap((k) => k.left)],
    rounds: [...kinds.map((k) => k.whole), ...last.map((sizes) => ({ groups: sizes, count: 1 }))].filter(
      (r) => r.count > 0,
    ),
  };
};
