/**
 * From functions of one variable to the bases that the IR names: what a tensor program computes of every input is
 * recognised as B-splines, Gaussians, polynomials, activations, or kept as expressions.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Branch } from '../../ir/basis.js';
import { firstUnfit } from '../../ir/constant.js';
import type { FunctionTable } from '../functions.js';
import type { LayerTerms } from '../terms.js';
import { branchOf } from './branch-plan.js';
import { expressionBranches } from './expression-branches.js';
import { combinationsOf } from './linear.js';
import { activationPlans, outerPlans, polynomialPlans, radialPlans } from './named-branches.js';
import { recogniserOf } from './recognise.js';
import { settled } from './settle.js';
import { sharesOf } from './shares.js';
import { splinePlans } from './spline-branches.js';
import { biasOf, type Layer } from './weights.js';

/** A layer as branches. */
export interface Raised {
  readonly branches: ReadonlyArray<Branch>;
  /** Of each output. */
  readonly bias: Float64Array;
  /** What every branch is, in words. */
  readonly found: ReadonlyArray<string>;
}

/**
 * The branches whose sum, with the bias, is what the terms add up to, up to the roundings of f32. Weights are
 * f32[I, K, O].
 */
export const branchesOf = (table: FunctionTable, terms: LayerTerms): Checked<Raised> => {
  const known = recogniserOf(table);
  const shares = sharesOf(terms, (functions) => combinationsOf(known, functions));
  const layer: Layer = settled({ terms, shares, slots: known.slots });
  const plans = [
    ...activationPlans(layer),
    ...splinePlans(layer),
    ...radialPlans(layer),
    ...polynomialPlans(layer),
    ...outerPlans(layer),
  ];
  const kept = expressionBranches(table, layer);
  if (E.isLeft(kept)) return kept;
  const raised = [...plans.flatMap((plan) => branchOf(layer, plan)), ...kept.right];
  const bias = biasOf(layer);
  const wrong = !bias.every(Number.isFinite) || raised.some(({ branch }) => firstUnfit(branch.weights) >= 0);
  if (wrong) {
    return fail(
      'K0204',
      'a weight, a bias or a constant function of the layer is NaN, infinite or beyond f32',
      {
        expected: 'finite numbers',
      },
    );
  }
  return E.right({
    branches: raised.map((r) => r.branch),
    bias,
    found: raised.map((r) => r.found),
  });
};
