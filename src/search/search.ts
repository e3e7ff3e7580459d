/**
 * Chooses bits and table form of every layer: as little as possible of what is to be small, within a limit on the drop.
 *
 * 1. Sensitivity: every knob of every layer alone, quickly, by how far outputs move from those of the float network.
 * 2. Plans: the configurations on the lower hull of planned cost against summed sensitivities (analyses/allocation.ts),
 *    with both table forms and with each alone.
 * 3. Bisection: the cheapest of each plan whose measured drop is within the limit, and the best of these.
 * 4. Refinement: single steps and trades from there, each measured (refine.ts).
 */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ConfigurationCost } from '../analyses/configuration-cost.js';
import { type Diagnostics, diagnostic } from '../diagnostics/index.js';
import { affine, configurationOf, finestChoice, type Plan, type Tried } from './choices.js';
import { type Accepted, accepted, compareRanks, type Goal, keepsBudgets, rankOf, tightened } from './goal.js';
import { type Outcome, THOROUGH } from './outcome.js';
import { plannedTotal, plansOf, type SearchInput, sensitivityOf, startOf, unitOf } from './plan.js';
import { type Candidate, refine } from './refine.js';

export interface Found {
  /** With the cost of the program that all calibration data give. */
  readonly chosen: Accepted;
  /** The finest configuration, which the search began with. */
  readonly finest: Accepted;
  /** Every knob alone. */
  readonly sensitivity: ReadonlyArray<Tried>;
  /** Configurations that were measured thoroughly. */
  readonly tried: number;
}

/** Configurations that refinement may try. */
const REFINEMENTS = 30;

/** The last configuration of the plan that is accepted, by bisection: losses grow along the plan. */
const bisect = (
  input: SearchInput,
  attempt: (list: ReadonlyArray<Plan>) => TE.TaskEither<Diagnostics, ReadonlyArray<Outcome>>,
  plans: ReadonlyArray<Plan>,
  start: Candidate,
): TE.TaskEither<Diagnostics, Candidate> => {
  const between = (lo: number, hi: number, best: Candidate): TE.TaskEither<Diagnostics, Candidate> => {
    if (hi - lo <= 1) return TE.right(best);
    // Two points at once: there are two threads at least on most machines.
    const middles = [...new Set([Math.floor((2 * lo + hi) / 3), Math.floor((lo + 2 * hi) / 3)])].filter(
      (m) => m > lo && m < hi,
    );
    return pipe(
      attempt(middles.map((m) => plans[m]!)),
      TE.flatMap((outcomes) => {
        const fits = middles.map((_, k) => accepted(input.goal, outcomes[k]!));
        const first = fits.indexOf(false);
        const last = first < 0 ? middles.length - 1 : first - 1;
        const outcome = outcomes[last];
        const next =
          last >= 0 && outcome !== undefined && accepted(input.goal, outcome)
            ? { plan: plans[middles[last]!]!, outcome }
            : best;
        return between(last < 0 ? lo : middles[last]!, first < 0 ? hi : middles[first]!, next);
      }),
    );
  };
  return between(-1, plans.length, start);
};

const isBetter = (goal: Goal, a: Candidate, b: Candidate): boolean =>
  compareRanks(rankOf(goal, a.outcome.result.cost), rankOf(goal, b.outcome.result.cost)) < 0;

const overBudget = ({ goal }: SearchInput, { outcome }: Candidate, cost: ConfigurationCost): Diagnostics => {
  const { bytes, bitOps, luts } = cost;
  return [
    diagnostic(
      'K0902',
      `the smallest configuration that was found within the limit has ${bytes} bytes of tables, ${bitOps} BitOps and about ${luts} LUTs: ${outcome.name}`,
      {
        place: { option: '--max-drop' },
        expected: `within the budgets: ${JSON.stringify(goal.budgets)}`,
        hint: 'Allow a larger drop or larger budgets.',
      },
    ),
  ];
};

/** The candidate with what its program of all data costs; while that exceeds the budgets, a smaller one. */
const settled = (
  input: SearchInput,
  smaller: (goal: Goal) => (from: Candidate) => TE.TaskEither<Diagnostics, Candidate>,
  candidate: Candidate,
  tries = 3,
): TE.TaskEither<Diagnostics, Accepted> => {
  const { goal } = input;
  const { outcome } = candidate;
  return pipe(
    input.finalCost(outcome.configuration),
    TE.flatMap((cost) => {
      if (keepsBudgets(goal, cost)) return TE.right({ ...outcome, result: { ...outcome.result, cost } });
      return pipe(
        tries > 0 ? smaller(tightened(goal, outcome.result.cost, cost))(candidate) : TE.right(candidate),
        TE.flatMap((next) =>
          next === candidate
            ? TE.left(overBudget(input, candidate, cost))
            : settled(input, smaller, next, tries - 1),
        ),
      );
    }),
  );
};

/** Fails with K0902 where nothing is within the limit, or what is exceeds the budgets. */
export const search = (input: SearchInput): TE.TaskEither<Diagnostics, Found> => {
  const { layers, tryAll, goal, onStage } = input;
  let tried = 0;
  const attempt = (list: ReadonlyArray<Plan>): TE.TaskEither<Diagnostics, ReadonlyArray<Outcome>> => {
    tried += list.length;
    return tryAll(
      list.map((plan) => configurationOf(layers, plan)),
      THOROUGH,
    );
  };
  onStage('reference');
  return pipe(
    startOf(input),
    TE.bindTo('start'),
    TE.tapIO(() => () => onStage('sensitivity')),
    TE.bind('known', ({ start }) => sensitivityOf(input, start)),
    TE.tapIO(() => () => onStage('bisection')),
    TE.let('plans', ({ start, known }) => plansOf(input, start, known)),
    TE.bind('planned', ({ start, plans }) => {
      const finest = start.forms.map((form) => finestChoice(form, start.finest));
      const begin: Candidate = { plan: affine(finest), outcome: start.outcome };
      return pipe(
        plans,
        TE.traverseSeqArray((plan) => bisect(input, attempt, plan, begin)),
        TE.map((found) => found.reduce((a, b) => (isBetter(goal, b, a) ? b : a), begin)),
      );
    }),
    TE.tapIO(() => () => onStage('refinement')),
    TE.bind('chosen', ({ start, planned }) => {
      const unit = unitOf(input, start);
      const smaller = (within: Goal) =>
        refine({
          goal: within,
          finest: start.finest,
          freeCells: input.freeCells,
          attempt,
          planned: (choices) => plannedTotal(input, choices, unit),
          left: REFINEMENTS,
        });
      return pipe(
        smaller(goal)(planned),
        TE.flatMap((last) => settled(input, smaller, last)),
      );
    }),
    TE.map(({ start, known, chosen }) => ({
      chosen,
      finest: start.outcome,
      sensitivity: known.tried,
      tried: tried + 1,
    })),
  );
};
