/** The last steps of a search, one at a time and each of them measured: plans are made of sums, and sums are not quite it. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../diagnostics/index.js';
import {
  type Finest,
  FREE_CELLS,
  knobsOf,
  type LayerChoice,
  ladder,
  type Plan,
  stepDown,
} from './choices.js';
import { type Accepted, accepted, compareRanks, type Goal, rankOf } from './goal.js';
import type { Outcome } from './outcome.js';

/** A plan, measured. */
export interface Candidate {
  readonly plan: Plan;
  readonly outcome: Accepted;
}

interface Step {
  /** What makes it this step, whatever else there is. */
  readonly key: string;
  readonly plan: Plan;
}

/** One knob of one layer a step lower. */
const steps = ({ choices, symmetry }: Plan, finest: Finest): ReadonlyArray<Step> =>
  choices.flatMap((choice, k) =>
    knobsOf(choice.form).flatMap((knob): ReadonlyArray<Step> => {
      const bits = stepDown(knob, choice[knob] ?? finest[knob], finest, choices.length);
      if (bits === undefined) return [];
      const key = `${k} ${choice.form} ${knob}=${bits}`;
      const lower = choices.map((c, j) => (j === k ? { ...c, [knob]: bits } : c));
      return [{ key, plan: { choices: lower, symmetry } }];
    }),
  );

/** The same with every other knob a step higher: it may pay for what the one gives up. */
const traded = (
  before: ReadonlyArray<LayerChoice>,
  after: ReadonlyArray<LayerChoice>,
  finest: Finest,
): ReadonlyArray<LayerChoice> =>
  after.map((choice, k) => {
    const raised = knobsOf(choice.form).flatMap((knob) => {
      const bits = choice[knob] ?? finest[knob];
      if (bits !== before[k]?.[knob]) return [];
      const higher = ladder(knob, finest, after.length)
        .filter((b) => b > bits)
        .at(-1);
      return higher === undefined ? [] : [[knob, higher] as const];
    });
    return { ...choice, ...Object.fromEntries(raised) };
  });

export interface Refinement {
  readonly goal: Goal;
  readonly finest: Finest;
  /** Outcomes of a list of plans, tried thoroughly. */
  readonly attempt: (list: ReadonlyArray<Plan>) => TE.TaskEither<Diagnostics, ReadonlyArray<Outcome>>;
  /** Whether cells of least squared error may be chosen. */
  readonly freeCells: boolean;
  /** What is planned to be small: a trade that would cost more is not tried. */
  readonly planned: (choices: ReadonlyArray<LayerChoice>) => number;
  /** Configurations that may still be tried. */
  readonly left: number;
}

/** How much of what is to be small a step saves: of the first rank that differs. */
const savingOf = (goal: Goal, from: Accepted, to: Accepted): number => {
  const [a, b] = [rankOf(goal, from.result.cost), rankOf(goal, to.result.cost)];
  const k = a.findIndex((v, j) => v !== b[j]);
  return k < 0 ? 0 : 1 - b[k]! / Math.max(1e-12, a[k]!);
};

/** The step that saves most for what it loses; those that save in the first rank come before those that do not. */
const best = (goal: Goal, from: Candidate, steps: ReadonlyArray<Candidate>): Candidate | undefined => {
  const worth = ({ outcome }: Candidate): readonly [number, number] => {
    const [a, b] = [rankOf(goal, from.outcome.result.cost), rankOf(goal, outcome.result.cost)];
    const rank = a.findIndex((v, j) => v !== b[j]);
    const lost = Math.max(0, outcome.result.loss - from.outcome.result.loss);
    return [rank < 0 ? a.length : rank, -savingOf(goal, from.outcome, outcome) / (lost + 1e-9)];
  };
  return [...steps].sort((a, b) => compareRanks(worth(a), worth(b)))[0];
};

/** The other kind of levels for what a layer reads: it costs other operations, and may allow fewer bits later on. */
const quantizerSteps = ({ freeCells }: Refinement, { choices, symmetry }: Plan): ReadonlyArray<Step> =>
  choices.flatMap((choice, k): ReadonlyArray<Step> => {
    if (!freeCells || choice.form !== 'edge' || choice.act > FREE_CELLS) return [];
    const quantizer: 'lloyd' | 'uniform' = choice.quantizer === 'lloyd' ? 'uniform' : 'lloyd';
    const other = choices.map((c, j) => (j === k ? { ...c, quantizer } : c));
    return [{ key: `${k} ${quantizer}`, plan: { choices: other, symmetry } }];
  });

/** One level less in all codes, where that was not done yet. */
const symmetricStep = ({ choices, symmetry }: Plan): ReadonlyArray<Step> =>
  symmetry === 'symmetric' ? [] : [{ key: 'symmetric', plan: { choices, symmetry: 'symmetric' } }];

/** The steps from a plan, alone and as trades, without those that were turned down before. */
const candidates = (
  refinement: Refinement,
  current: Plan,
  turnedDown: ReadonlySet<string>,
): ReadonlyArray<Step> => {
  const { finest, planned } = refinement;
  const now = planned(current.choices);
  const alone = steps(current, finest);
  const trades = alone
    .map(({ key, plan }): Step => {
      const choices = traded(current.choices, plan.choices, finest);
      return { key: `${key} traded`, plan: { ...plan, choices } };
    })
    .filter(({ plan }) => planned(plan.choices) < now);
  const changes = [...symmetricStep(current), ...quantizerSteps(refinement, current)];
  return [...alone, ...changes, ...trades].filter(({ key }) => !turnedDown.has(key));
};

/**
 * Goes down from an accepted configuration by single steps and by trades, always to one that is accepted and costs less,
 * until none is left or `left` configurations have been tried. A step that was turned down is not tried again: after a
 * trade, which makes some knobs finer, it might pass, but trials are worth more on steps that were never tried.
 */
export const refine =
  (refinement: Refinement) =>
  (start: Candidate): TE.TaskEither<Diagnostics, Candidate> => {
    const { goal, attempt } = refinement;
    const turnedDown = new Set<string>();
    const round = (current: Candidate, left: number): TE.TaskEither<Diagnostics, Candidate> => {
      const list = candidates(refinement, current.plan, turnedDown).slice(0, left);
      if (list.length === 0) return TE.right(current);
      return pipe(
        attempt(list.map(({ plan }) => plan)),
        TE.flatMap((outcomes) => {
          const rank = rankOf(goal, current.outcome.result.cost);
          const better = outcomes.flatMap((outcome, k): ReadonlyArray<Candidate> => {
            const { key, plan } = list[k]!;
            if (accepted(goal, outcome) && compareRanks(rankOf(goal, outcome.result.cost), rank) < 0) {
              return [{ plan, outcome }];
            }
            turnedDown.add(key);
            return [];
          });
          const next = best(goal, current, better);
          return next === undefined ? TE.right(current) : round(next, left - list.length);
        }),
      );
    };
    return round(start, refinement.left);
  };
