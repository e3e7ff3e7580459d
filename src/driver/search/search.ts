/**
 * Chooses bits and table form of every layer: as little as possible of what is to be small, within a limit on the drop.
 *
 * 1. Sensitivity: every knob of every layer alone, quickly, by how far outputs move from those of the float network.
 * 2. A plan: the configurations on the lower hull of planned cost against summed sensitivities (analyses/allocation.ts).
 * 3. Bisection: the cheapest of the plan whose measured drop is within the limit.
 * 4. Refinement: single steps and trades from there, each measured (refine.ts).
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { allocationPath, type Choice } from '../../analyses/allocation.js';
import type { ConfigurationCost } from '../../analyses/configuration-cost.js';
import type { LayerFacts } from '../../analyses/layer-facts.js';
import { type Diagnostics, diagnostic } from '../../diagnostics/index.js';
import {
  affine,
  combinations,
  configurationOf,
  FINE,
  FINEST,
  type Finest,
  finestChoice,
  type LayerChoice,
  type Probe,
  plannedCostOf,
  probesOf,
  type TableForm,
  type Tried,
} from './choices.js';
import type { LayerShape } from './configuration.js';
import { type Accepted, accepted, type Goal, keepsBudgets, plannedCost } from './goal.js';
import { type Outcome, QUICK, THOROUGH, type TryAll } from './outcome.js';
import { type Candidate, refine } from './refine.js';

export interface SearchInput {
  readonly goal: Goal;
  readonly layers: ReadonlyArray<LayerShape>;
  /** Sizes of the same layers. */
  readonly facts: ReadonlyArray<LayerFacts>;
  readonly tryAll: TryAll;
  /** Whether cells of least squared error may be chosen: not where the user says what quantizer is wanted. */
  readonly freeCells: boolean;
  readonly onStage: (stage: string) => void;
}

export interface Found {
  readonly chosen: Accepted;
  /** The finest configuration, which the search began with. */
  readonly finest: Accepted;
  /** Every knob alone. */
  readonly sensitivity: ReadonlyArray<Tried>;
  /** Configurations that were measured thoroughly. */
  readonly tried: number;
}

/** Bytes of a layer's edge table above which a search begins with the basis form. */
const EDGE_LIMIT = 16 * 2 ** 20;

/** Configurations that refinement may try. */
const REFINEMENTS = 40;

/** Coarse bits by which forms are compared before anything is tried. */
const COARSE: Finest = { act: 4, table: 4, coef: 4, basis: 3 };

interface Start {
  readonly finest: Finest;
  readonly forms: ReadonlyArray<TableForm>;
  readonly outcome: Accepted;
}

/** The form that a layer begins with. */
const firstForm = (
  { goal }: SearchInput,
  shape: LayerShape,
  facts: LayerFacts,
  finest: Finest,
): TableForm => {
  if (!shape.hasBasis || goal.form === 'edge') return 'edge';
  if (goal.form === 'basis') return 'basis';
  return plannedCostOf(facts, finestChoice('edge', finest)).bytes > EDGE_LIMIT ? 'basis' : 'edge';
};

const noStart = ({ goal }: SearchInput, outcome: Outcome): Diagnostics => {
  const { result } = outcome;
  return [
    diagnostic(
      'K0902',
      result._tag === 'refused'
        ? `the finest configuration is refused: ${result.code}: ${result.message}`
        : `the finest configuration loses ${result.drop.toFixed(2)} % (standard error ${result.error.toFixed(2)}) on ${result.samples} samples`,
      {
        place: { option: '--max-drop' },
        expected: `${goal.maxDrop} % at most, standard error included`,
        hint: 'Allow a larger drop, or give more calibration data: the error shrinks with the square root of their number.',
      },
    ),
  ];
};

/** Begins with 8 bits, and where these lose too much with the finest there are. */
const startOf = (input: SearchInput): TE.TaskEither<Diagnostics, Start> => {
  const attempt = (finest: Finest): TE.TaskEither<Diagnostics, Start> => {
    const forms = input.layers.map((shape, k) => firstForm(input, shape, input.facts[k]!, finest));
    const choices = forms.map((form) => finestChoice(form, finest));
    return pipe(
      input.tryAll([configurationOf(input.layers, affine(choices))], THOROUGH),
      TE.flatMap(([outcome]) =>
        outcome !== undefined && accepted(input.goal, outcome)
          ? TE.right({ finest, forms, outcome })
          : TE.left(noStart(input, outcome!)),
      ),
    );
  };
  return pipe(
    attempt(FINE),
    TE.orElse(() => attempt(FINEST)),
  );
};

const unitOf = ({ facts }: SearchInput, { finest, forms }: Start): ConfigurationCost =>
  facts
    .map((layer, k) => plannedCostOf(layer, finestChoice(forms[k]!, finest)))
    .reduce((a, b) => ({
      bytes: a.bytes + b.bytes,
      packed: a.packed + b.packed,
      bitOps: a.bitOps + b.bitOps,
      luts: a.luts + b.luts,
      reads: a.reads + b.reads,
    }));

const plannedTotal = (
  { goal, facts }: SearchInput,
  choices: ReadonlyArray<LayerChoice>,
  unit: ConfigurationCost,
): number =>
  choices.reduce((sum, choice, k) => sum + plannedCost(goal, plannedCostOf(facts[k]!, choice), unit), 0);

/** The forms of a layer that are worth trying: the one it begins with, and the other where it may cost less. */
const formsOf = (input: SearchInput, start: Start, k: number): ReadonlyArray<TableForm> => {
  const [mine, shape, facts] = [start.forms[k]!, input.layers[k]!, input.facts[k]!];
  if (!shape.hasBasis || input.goal.form !== 'auto') return [mine];
  const unit = unitOf(input, start);
  const cost = (form: TableForm): number =>
    plannedCost(input.goal, plannedCostOf(facts, finestChoice(form, COARSE)), unit);
  const other: TableForm = mine === 'edge' ? 'basis' : 'edge';
  // Edge tables halve with every bit of activations, basis tables do not: the latter may be the way before that.
  const edge = plannedCost(input.goal, plannedCostOf(facts, { form: 'edge', act: 5, table: 5 }), unit);
  return mine === 'edge' && cost('basis') >= edge ? [mine] : [mine, other];
};

/** Tries every knob of every layer alone. */
const sensitivityOf = (
  input: SearchInput,
  start: Start,
): TE.TaskEither<Diagnostics, { readonly reference: number; readonly tried: ReadonlyArray<Tried> }> => {
  const { layers, freeCells } = input;
  const finest = start.forms.map((form) => finestChoice(form, start.finest));
  const probes = layers.flatMap((_, k) =>
    formsOf(input, start, k).flatMap(
      (form): ReadonlyArray<Probe> => probesOf(k, form, start.finest, layers.length, freeCells),
    ),
  );
  const configurations = probes.map(({ layer, choice }) =>
    configurationOf(layers, affine(finest.map((c, k) => (k === layer ? choice : c)))),
  );
  return pipe(
    input.tryAll(configurations, QUICK),
    TE.map((outcomes) => {
      const tried = probes.map((probe, k) => ({ ...probe, outcome: outcomes[k]! }));
      const begun = tried.find((p) => p.knob === undefined && p.form === start.forms[p.layer]);
      const reference = begun?.outcome.result._tag === 'measured' ? begun.outcome.result.loss : 0;
      return { reference, tried };
    }),
  );
};

/** From the finest configuration to the cheapest, by planned costs and summed losses. */
const planOf = (
  input: SearchInput,
  start: Start,
  reference: number,
  tried: ReadonlyArray<Tried>,
): ReadonlyArray<Plan> => {
  const unit = unitOf(input, start);
  const choices = input.facts.map((facts, k): ReadonlyArray<Choice<LayerChoice>> => {
    const mine = tried.filter((p) => p.layer === k);
    const weighed = (['edge', 'basis'] as const).flatMap((form) => combinations(mine, form, reference));
    const listed = weighed.map(({ choice, loss }) => ({
      value: choice,
      loss,
      cost: plannedCost(input.goal, plannedCostOf(facts, choice), unit),
    }));
    // Refused alone on one fold, yet accepted with all: then there is nothing to choose.
    const only = { value: finestChoice(start.forms[k]!, start.finest), loss: 0, cost: 1 };
    return listed.length === 0 ? [only] : listed;
  });
  return allocationPath(choices).map(affine);
};

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

const overBudget = ({ goal }: SearchInput, { outcome }: Candidate): Diagnostics => {
  const { bytes, bitOps, luts } = outcome.result.cost;
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
    TE.bind('planned', ({ start, known }) => {
      const choices = start.forms.map((form) => finestChoice(form, start.finest));
      const plans = planOf(input, start, known.reference, known.tried);
      return bisect(input, attempt, plans, { plan: affine(choices), outcome: start.outcome });
    }),
    TE.tapIO(() => () => onStage('refinement')),
    TE.bind('last', ({ start, planned }) =>
      refine({
        goal,
        finest: start.finest,
        attempt,
        planned: (choices) => plannedTotal(input, choices, unitOf(input, start)),
        left: REFINEMENTS,
      })(planned),
    ),
    TE.flatMap(
      ({ start, known, last }): TE.TaskEither<Diagnostics, Found> =>
        keepsBudgets(goal, last.outcome.result.cost)
          ? TE.right({
              chosen: last.outcome,
              finest: start.outcome,
              sensitivity: known.tried,
              tried: tried + 1,
            })
          : TE.left(overBudget(input, last)),
    ),
  );
};
