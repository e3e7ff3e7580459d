/** The inputs of a layer by what functions they have: whatever has the same functions is worked out once. */
import type { FunctionId } from '../functions.js';
import type { LayerTerms } from '../terms.js';
import type { Combination, SlotId } from './slots.js';

/** Inputs with the same functions, and those as sums of slots. */
export interface Share {
  readonly inputs: ReadonlyArray<number>;
  readonly combinations: ReadonlyArray<Combination>;
}

/** Inputs with equal lists of functions. */
export const sharesOf = (
  terms: LayerTerms,
  combine: (functions: ReadonlyArray<FunctionId>) => ReadonlyArray<Combination>,
): ReadonlyArray<Share> => {
  const byList = new Map<string, number[]>();
  terms.functions.forEach((list, input) => {
    const key = list.join(' ');
    const inputs = byList.get(key);
    if (inputs === undefined) byList.set(key, [input]);
    else inputs.push(input);
  });
  return [...byList.values()].map((inputs) => ({
    inputs,
    combinations: combine(terms.functions[inputs[0]!]!),
  }));
};

const known = new WeakMap<Share, ReadonlyArray<SlotId>>();

/** The slots of a share, in order of first use. */
export const slotsIn = (share: Share): ReadonlyArray<SlotId> => {
  const found = known.get(share) ?? [...new Set(share.combinations.flatMap((c) => c.slots))];
  known.set(share, found);
  return found;
};

/** Calls `add` with the row of weights of every slot of an input: times the factor to be added to what the slot has. */
export const eachWeight = (
  terms: LayerTerms,
  share: Share,
  input: number,
  add: (slot: SlotId, row: Float64Array, factor: number) => void,
): void => {
  share.combinations.forEach(({ slots, factors }, m) => {
    const row = terms.weights[input]![m]!;
    for (let j = 0; j < slots.length; j++) add(slots[j]!, row, factors[j]!);
  });
};
