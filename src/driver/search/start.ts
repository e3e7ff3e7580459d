/** What a search is given, and what it begins with: bits so fine that hardly anything is lost. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { LayerFacts } from '../../analyses/layer-facts.js';
import { type Diagnostics, diagnostic } from '../../diagnostics/index.js';
import {
  affine,
  configurationOf,
  type Finest,
  finestChoice,
  plannedCostOf,
  STARTS,
  type TableForm,
} from './choices.js';
import type { LayerShape } from './configuration.js';
import { type Accepted, accepted, type Goal } from './goal.js';
import { type Outcome, THOROUGH, type TryAll } from './outcome.js';

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

/** The first of the starts that is accepted; where none is, what the finest one loses. */
export const startOf = (input: SearchInput): TE.TaskEither<Diagnostics, Start> => {
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
  const [first, ...others] = STARTS;
  return others.reduce(
    (sofar, finest) =>
      pipe(
        sofar,
        TE.orElse(() => attempt(finest)),
      ),
    attempt(first),
  );
};
