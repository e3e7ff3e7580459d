/** The weights of branches. */
import { type Constant, constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { LayerTerms } from '../terms.js';
import { eachWeight, type Share } from './shares.js';
import type { SlotId, Slots } from './slots.js';

/** A layer as shares of its inputs. */
export interface Layer {
  readonly terms: LayerTerms;
  readonly shares: ReadonlyArray<Share>;
  readonly slots: Slots;
}

/**
 * Weights f32[I, K, O] of a branch whose function `columnOf(share, slot)` is the slot. Added in doubles and rounded
 * once. Undefined where all of them are 0.
 */
export const weightsOf = (
  { terms, shares }: Layer,
  functions: number,
  columnOf: (share: number, slot: SlotId) => number | undefined,
): Constant | undefined => {
  const { outputs } = terms;
  const inputs = terms.functions.length;
  const acc = new Float64Array(inputs * functions * outputs);
  shares.forEach((share, s) => {
    const columns = new Map<SlotId, number | undefined>();
    const column = (slot: SlotId): number | undefined => {
      if (!columns.has(slot)) columns.set(slot, columnOf(s, slot));
      return columns.get(slot);
    };
    for (const input of share.inputs) {
      eachWeight(terms, share, input, (slot, row, factor) => {
        const k = column(slot);
        if (k === undefined) return;
        const at = (input * functions + k) * outputs;
        for (let o = 0; o < outputs; o++) acc[at + o]! += factor * row[o]!;
      });
    }
  });
  const data = Float32Array.from(acc);
  return data.some((w) => w !== 0) ? constant(F32, [inputs, functions, outputs], data) : undefined;
};

/** The bias with what the constants of functions add to it. */
export const biasOf = ({ terms, shares }: Layer): Float64Array => {
  const bias = Float64Array.from(terms.bias);
  for (const { inputs, combinations } of shares) {
    combinations.forEach(({ constant: value }, m) => {
      if (value === 0) return;
      for (const input of inputs) {
        const row = terms.weights[input]![m]!;
        for (let o = 0; o < bias.length; o++) bias[o]! += value * row[o]!;
      }
    });
  }
  return bias;
};
