/** What a layer may have, and what each of these choices costs and loses: the sensitivity of the network to it. */
import { choiceCost } from '../analyses/choice-cost.js';
import type { ConfigurationCost } from '../analyses/configuration-cost.js';
import type { LayerFacts } from '../analyses/layer-facts.js';
import type { Configuration, Knob, LayerShape, OwnSettings } from './configuration.js';
import type { Outcome } from './outcome.js';

export type TableForm = 'edge' | 'basis';

/** Bits of everything, the finest that a search begins with. */
export type Finest = Readonly<Record<Knob, number>>;

/** 8 bits everywhere: what single knobs of a sweep are compared with. */
export const FINE: Finest = { act: 8, table: 8, coef: 8, basis: 8 };

/**
 * What a search begins with, the first that is accepted: enough for most classes, for the others, and for the values of a
 * function. Edge tables of 6 bits are a quarter of those of 8, and so is the time that they take.
 */
export const STARTS: readonly [Finest, ...Finest[]] = [
  { ...FINE, act: 6 },
  FINE,
  { act: 12, table: 16, coef: 16, basis: 12 },
];

/** Bits that are tried, from fine to coarse; fewer of them in deep networks, whose every layer has to be tried. */
const LADDERS: Readonly<Record<Knob, ReadonlyArray<number>>> = {
  act: [12, 10, 8, 7, 6, 5, 4, 3, 2],
  table: [16, 12, 10, 8, 6, 5, 4, 3, 2],
  coef: [16, 12, 10, 8, 6, 5, 4, 3],
  basis: [12, 10, 8, 6, 4, 3, 2],
};
const SHORT_LADDERS: Readonly<Record<Knob, ReadonlyArray<number>>> = {
  act: [12, 8, 6, 5, 4, 3],
  table: [16, 8, 6, 4, 3],
  coef: [16, 8, 6, 4],
  basis: [12, 8, 4, 3, 2],
};
/** Layers up to which the ladders are long. */
const FEW_LAYERS = 4;

/** Bits of activations from which on cells of least squared error are tried in place of equal ones. */
export const FREE_CELLS = 4;

export const ladder = (knob: Knob, finest: Finest, layers: number): ReadonlyArray<number> =>
  (layers <= FEW_LAYERS ? LADDERS : SHORT_LADDERS)[knob].filter((bits) => bits <= finest[knob]);

/** The next fewer bits of a ladder; undefined at its end. */
export const stepDown = (knob: Knob, bits: number, finest: Finest, layers: number): number | undefined =>
  ladder(knob, finest, layers).find((b) => b < bits);

const KNOBS_OF: Readonly<Record<TableForm, ReadonlyArray<Knob>>> = {
  edge: ['act', 'table'],
  basis: ['act', 'coef', 'basis'],
};

export const knobsOf = (form: TableForm): ReadonlyArray<Knob> => KNOBS_OF[form];

/** All settings of one layer in full: nothing is left to what holds for all layers. */
export type LayerChoice = OwnSettings & { readonly form: TableForm; readonly act: number };

export const finestChoice = (form: TableForm, finest: Finest): LayerChoice =>
  form === 'edge'
    ? { form, act: finest.act, table: finest.table }
    : { form, act: finest.act, coef: finest.coef, basis: finest.basis };

/** What a search decides: a choice for each layer, and what holds for all of them. */
export interface Plan {
  readonly choices: ReadonlyArray<LayerChoice>;
  readonly symmetry: Configuration['symmetry'];
}

export const affine = (choices: ReadonlyArray<LayerChoice>): Plan => ({ choices, symmetry: 'affine' });

/** The configuration of a plan. Values that no layer reads keep the bits that `quantize` finds best for them. */
export const configurationOf = (
  shapes: ReadonlyArray<LayerShape>,
  { choices, symmetry }: Plan,
): Configuration => ({
  form: 'edge',
  act: 'auto',
  hidden: 'auto',
  table: 8,
  coef: 8,
  basis: 8,
  symmetry,
  layers: Object.fromEntries(shapes.map(({ name }, k) => [name, choices[k]!])),
});

export const plannedCostOf = (facts: LayerFacts, c: LayerChoice): ConfigurationCost =>
  choiceCost(facts, c.form, {
    act: c.act,
    table: c.table ?? 8,
    coef: c.coef ?? 8,
    basis: c.basis ?? 8,
  });

/** One setting of a layer that differs from the finest choice of its form; none in the choice of the form itself. */
export interface Probe {
  readonly layer: number;
  readonly form: TableForm;
  readonly choice: LayerChoice;
  readonly knob?: Knob;
}

/** What has to be tried to know a layer in one form: each knob down its ladder, the others at their finest. */
export const probesOf = (
  layer: number,
  form: TableForm,
  finest: Finest,
  layers: number,
  freeCells: boolean,
): ReadonlyArray<Probe> => {
  const start = finestChoice(form, finest);
  const steps = knobsOf(form).flatMap((knob) =>
    ladder(knob, finest, layers)
      .filter((bits) => bits < finest[knob])
      .flatMap((bits): ReadonlyArray<Probe> => {
        const probe: Probe = { layer, form, knob, choice: { ...start, [knob]: bits } };
        // Codes that are aligned to knots are uniform.
        return knob === 'act' && form === 'edge' && freeCells && bits <= FREE_CELLS
          ? [probe, { ...probe, choice: { ...probe.choice, quantizer: 'lloyd' } }]
          : [probe];
      }),
  );
  return [{ layer, form, choice: start }, ...steps];
};

export interface Tried extends Probe {
  readonly outcome: Outcome;
}

interface WeighedChoice {
  readonly choice: LayerChoice;
  /** Squared relative difference of the outputs that it adds to that of the finest configuration. */
  readonly loss: number;
}

/**
 * All combinations of what was tried of a layer in a form. Errors of different origin are taken to be independent, so
 * that their squares add up. What was refused is in none.
 */
export const combinations = (
  tried: ReadonlyArray<Tried>,
  form: TableForm,
  reference: number,
): ReadonlyArray<WeighedChoice> => {
  const mine = tried.filter((p) => p.form === form);
  const lossAbove = (p: Tried | undefined, base: number): number =>
    p?.outcome.result._tag === 'measured' ? Math.max(0, p.outcome.result.loss - base) : Number.NaN;
  const start = mine.find((p) => p.knob === undefined);
  const ofForm = lossAbove(start, reference);
  if (start === undefined || Number.isNaN(ofForm)) return [];
  const base = reference + ofForm;
  return knobsOf(form).reduce<ReadonlyArray<WeighedChoice>>(
    (sofar, knob) => {
      const steps = mine
        .filter((p) => p.knob === knob)
        .map((p) => ({ p, loss: lossAbove(p, base) }))
        .filter(({ loss }) => !Number.isNaN(loss));
      return sofar.flatMap((s) => [
        s,
        ...steps.map(({ p, loss }) => ({
          choice: {
            ...s.choice,
            [knob]: p.choice[knob],
            ...(p.choice.quantizer === undefined ? {} : { quantizer: p.choice.quantizer }),
          },
          loss: s.loss + loss,
        })),
      ]);
    },
    [{ choice: start.choice, loss: ofForm }],
  );
};
