/** A branch before its weights are known. */
import type { Basis, Branch } from '../../ir/basis.js';
import type { Constant } from '../../ir/constant.js';
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

/**
 * Functions written out: `function` over x and the parameters p0, p1, ... of f32[R, K, P] (R = 1 or I), or with
 * `edges` f32[R, K, O, P].
 */
export interface Expression {
  readonly _tag: 'expression';
  readonly function: string;
  readonly parameters: Constant;
  readonly edges?: true;
}

/** A branch, and what it is in words. */
export interface RaisedBranch {
  readonly branch: Branch | { readonly basis: Expression; readonly weights: Constant };
  readonly found: string;
}

/** The branch of a plan; none where nothing is left of its weights. */
export const branchOf = (layer: Layer, plan: BranchPlan): ReadonlyArray<RaisedBranch> => {
  const weights = weightsOf(layer, plan.functions, plan.columnOf);
  return weights === undefined ? [] : [{ branch: { basis: plan.basis, weights }, found: plan.found }];
};
