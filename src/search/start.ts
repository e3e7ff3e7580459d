/** What a search is given, and what it begins with: bits so fine that hardly anything is lost. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ConfigurationCost } from '../analyses/configuration-cost.js';
import type { LayerFacts } from '../analyses/layer-facts.js';
import { type Diagnostics, diagnostic } from '../diagnostics/index.js';
import {
  affine,
  configurationOf,
  type Finest,
  finestChoice,
  plannedCostOf,
  STARTS,
  type TableForm,
} from './choices.js';
import { type Configuration, KNOBS, type LayerShape } from './configuration.js';
import { type Accepted, accepted, type Goal } from './goal.js';
import { type Outcome, THOROUGH, type TryAll } from './outcome.js';

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
