/**
 * What a search is given, what it begins with (bits so fine that hardly anything is lost), and its plan: what every knob loses alone,
 * and the configurations that promise most for what they lose.
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { allocationPath, type Choice } from '../analyses/allocation.js';
import { addCosts, type ConfigurationCost } from '../analyses/configuration-cost.js';
import type { LayerFacts } from '../analyses/layer-facts.js';
import { type Diagnostics, diagnostic } from '../diagnostics/index.js';
import {
  affine,
  combinations,
  configurationOf,
  type Finest,
  finestChoice,
  type LayerChoice,
  type Plan,
  type Probe,
  plannedCostOf,
  probesOf,
  STARTS,
  type TableForm,
  type Tried,
} from './choices.js';
import { type Configuration, KNOBS, type LayerShape } from './configuration.js';
import { type Accepted, accepted, type Goal, OBJECTIVES, plannedCost } from './goal.js';
import { type Outcome, QUICK, THOROUGH, type TryAll } from './outcome.js';

export interface SearchInput {
  readonly goal: Goal;
  readonly layers: ReadonlyArray<LayerShape>;
  /** Sizes of the same layers. */
  readonly facts: ReadonlyArray<LayerFacts>;
  readonly tryAll: TryAll;
  /** Of the program that all calibration data give: other inputs may be pruned from it than from those of the folds. */
  readonly finalCost: (configuration: Configuration) => TE.TaskEither<Diagnostics, ConfigurationCost>;
  /** Whether cells of least squared error may be chosen: not where the user says what quantizer is wanted. */
  readonly freeCells: boolean;
  readonly onStage: (stage: string) => void;
}

/** Bytes of a layer's edge table above which a search begins with the basis form. */
const EDGE_LIMIT = 16 * 2 ** 20;

export interface Start {
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

/** A start that is not within the limit. */
interface Missed {
  readonly finest: Finest;
  readonly result: Outcome['result'];
}

/** By its bits: names of configurations are as long as networks are deep. */
const wordsOf = ({ finest, result }: Missed): string => {
  const name = KNOBS.map((knob) => `${knob}=${finest[knob]}`).join(' ');
  return result._tag === 'refused'
    ? `${name}: refused by the passes (${result.code}: ${result.message})`
    : `${name}: loses ${result.drop.toFixed(2)} % (standard error ${result.error.toFixed(2)}) on ${result.samples} samples`;
};

/** None of the starts is within the limit: what each of them loses, and what may help against that. */
const noStart = ({ goal }: SearchInput, missed: ReadonlyArray<Missed>): Diagnostics => {
  const measured = missed.some(({ result }) => result._tag === 'measured');
  return [
    diagnostic(
      'K0902',
      `none of the finest configurations is within the limit. ${missed.map(wordsOf).join('; ')}`,
      {
        place: { option: '--max-drop' },
        expected: `${goal.maxDrop} % at most, standard error included`,
        hint: measured
          ? 'Allow a larger drop, or give more data: the error shrinks with the square root of their number.'
          : 'Allow the other table form too (--form auto), if it was left out.',
      },
    ),
  ];
};

/** The first of the starts that is accepted; where none is, what they lose. */
export const startOf = (input: SearchInput): TE.TaskEither<Diagnostics, Start> => {
  const from = (
    starts: ReadonlyArray<Finest>,
    missed: ReadonlyArray<Missed>,
  ): TE.TaskEither<Diagnostics, Start> => {
    const [finest, ...others] = starts;
    if (finest === undefined) return TE.left(noStart(input, missed));
    const forms = input.layers.map((shape, k) => firstForm(input, shape, input.facts[k]!, finest));
    const choices = forms.map((form) => finestChoice(form, finest));
    return pipe(
      input.tryAll([configurationOf(input.layers, affine(choices))], THOROUGH),
      TE.flatMap(([outcome]) =>
        accepted(input.goal, outcome!)
          ? TE.right({ finest, forms, outcome })
          : from(others, [...missed, { finest, result: outcome!.result }]),
      ),
    );
  };
  return from(STARTS, []);
};

/** Coarse bits by which forms are compared before anything is tried. */
const COARSE: Finest = { act: 4, table: 4, coef: 4, basis: 3 };

/** The planned cost of the start, which other costs are relative to. */
export const unitOf = ({ facts }: SearchInput, { finest, forms }: Start): ConfigurationCost =>
  facts.map((layer, k) => plannedCostOf(layer, finestChoice(forms[k]!, finest))).reduce(addCosts);

/** One number for all layers, to compare plans by. */
export const plannedTotal = (
  { goal, facts }: SearchInput,
  choices: ReadonlyArray<LayerChoice>,
  unit: ConfigurationCost,
): number =>
  choices.reduce((sum, choice, k) => sum + plannedCost(goal, plannedCostOf(facts[k]!, choice), unit), 0);

/** What is to be small, and everything that has a budget alone: within a limit each may be what decides. */
const goalsOf = ({ goal }: SearchInput): ReadonlyArray<Goal> => [
  goal,
  ...OBJECTIVES.filter((o) => goal.budgets[o] !== undefined && o !== goal.minimize).map((minimize) => ({
    ...goal,
    minimize,
    budgets: {},
  })),
];

/** The forms of a layer that are worth trying: the one it begins with, and the other where it may cost less. */
const formsOf = (
  input: SearchInput,
  start: Start,
  unit: ConfigurationCost,
  k: number,
): ReadonlyArray<TableForm> => {
  const [mine, shape, facts] = [start.forms[k]!, input.layers[k]!, input.facts[k]!];
  if (!shape.hasBasis || input.goal.form !== 'auto') return [mine];
  if (mine === 'basis') return ['basis', 'edge'];
  // Edge tables halve with every bit of activations, basis tables do not: the latter may be the way before that.
  const saves = goalsOf(input).some((goal) => {
    const cost = (c: LayerChoice): number => plannedCost(goal, plannedCostOf(facts, c), unit);
    return cost(finestChoice('basis', COARSE)) < cost({ form: 'edge', act: 5, table: 5 });
  });
  return saves ? ['edge', 'basis'] : ['edge'];
};

export interface Sensitivity {
  /** The loss of the finest configuration. */
  readonly reference: number;
  readonly tried: ReadonlyArray<Tried>;
}

/** Tries every knob of every layer alone. */
export const sensitivityOf = (input: SearchInput, start: Start): TE.TaskEither<Diagnostics, Sensitivity> => {
  const { layers, freeCells } = input;
  const finest = start.forms.map((form) => finestChoice(form, start.finest));
  const unit = unitOf(input, start);
  const probes = layers.flatMap((_, k) =>
    formsOf(input, start, unit, k).flatMap(
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

type Choices = ReadonlyArray<ReadonlyArray<Choice<LayerChoice>>>;

/** For every layer all combinations of what was tried of it, with planned costs and summed losses. */
const choicesOf = (input: SearchInput, start: Start, { reference, tried }: Sensitivity): Choices => {
  const unit = unitOf(input, start);
  return input.facts.map((facts, k): ReadonlyArray<Choice<LayerChoice>> => {
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
};

/** The choices of one form only, in the layers that have some. */
const ofForm = (choices: Choices, form: TableForm): Choices =>
  choices.map((layer) => {
    const mine = layer.filter(({ value }) => value.form === form);
    return mine.length === 0 ? layer : mine;
  });

/**
 * From the finest configuration to the cheapest: with both forms, and with each of them alone. A form may look like a good
 * step on the way and yet end before the other one does, whose tables halve with every bit.
 */
export const plansOf = (
  input: SearchInput,
  start: Start,
  known: Sensitivity,
): ReadonlyArray<ReadonlyArray<Plan>> => {
  const paths = goalsOf(input).flatMap((goal) => {
    const choices = choicesOf({ ...input, goal }, start, known);
    return [choices, ofForm(choices, 'edge'), ofForm(choices, 'basis')].map((c) =>
      allocationPath(c).map(affine),
    );
  });
  const texts = paths.map((path) => JSON.stringify(path));
  return paths.filter((_, k) => texts.indexOf(texts[k]!) === k);
};
