/** A branch before its weights are known. */
import type { Basis, Branch } from '../../ir/basis.js';
import type { SlotId } from './slots.js';
import { type Layer, weightsOf } from './weights.js';

export interface BranchPlan {
  readonly basis: Basis;
  /** Number of its functions. */
  readonly functions: number;
  /** What it is, for people. */
  readonly found: string;
  /** The function of the basis that a slot is for the inputs of a share. */
  readonly columnOf: (share: number, slot: SlotId) => number | undefined;
}

/** A branch, and what it is in words. */
export interface RaisedBranch {
  readonly branch: Branch;
  readonly found: string;
}

/** The branch of a plan; none where nothing is left of its weights. */
export const branchOf = (layer: Layer, plan: BranchPlan): ReadonlyArray<RaisedBranch> => {
  const weights = weightsOf(layer, plan.functions, plan.columnOf);
  return weights === undefined ? [] : [{ branch: { basis: plan.basis, weights }, found: plan.found }];
};
