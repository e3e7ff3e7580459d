/** What a search is for: the drop that is allowed, what is to be small, and what must not be exceeded. */
import type { ConfigurationCost } from '../analyses/configuration-cost.js';
import type { Form } from './configuration.js';
import type { Measured, Outcome } from './outcome.js';

export const OBJECTIVES = ['memory', 'bitops', 'luts'] as const;
export type Objective = (typeof OBJECTIVES)[number];

export interface Goal {
  /** In percent. */
  readonly maxDrop: number;
  readonly minimize: Objective;
  /** Most bytes of all constants, BitOps, LUTs. */
  readonly budgets: Readonly<Partial<Record<Objective, number>>>;
  /** The table forms that layers may have; `auto` is both. */
  readonly form: Form;
}

/** What is compared first, and what decides between configurations that are equal in it. */
const MEASURES = {
  memory: ['bytes', 'packed'],
  bitops: ['bitOps', 'bytes'],
  luts: ['luts', 'packed'],
} as const satisfies Readonly<Record<Objective, readonly [keyof ConfigurationCost, keyof ConfigurationCost]>>;

const amountOf = (objective: Objective, cost: ConfigurationCost): number => cost[MEASURES[objective][0]];

/** Shares by which budgets are exceeded, summed; 0 within all of them. */
const excess = ({ budgets }: Goal, cost: ConfigurationCost): number =>
  OBJECTIVES.reduce((sum, objective) => {
    const most = budgets[objective];
    return most === undefined ? sum : sum + Math.max(0, amountOf(objective, cost) / most - 1);
  }, 0);

export const keepsBudgets = (goal: Goal, cost: ConfigurationCost): boolean => excess(goal, cost) === 0;

/**
 * The goal for programs of a fold, where the program of all data has `whole` and that of the fold `part`: budgets that are
 * exceeded are as much smaller as the part is.
 */
export const tightened = (goal: Goal, part: ConfigurationCost, whole: ConfigurationCost): Goal => {
  const budgets = Object.entries(goal.budgets).map(([key, most]) => {
    const objective = OBJECTIVES.find((o) => o === key);
    if (objective === undefined || amountOf(objective, whole) <= most) return [key, most];
    return [key, Math.floor((most * amountOf(objective, part)) / amountOf(objective, whole))];
  });
  return { ...goal, budgets: Object.fromEntries(budgets) };
};

/** What to compare in order: budgets first, then what is to be small. */
export const rankOf = (goal: Goal, cost: ConfigurationCost): readonly [number, number, number] => {
  const [first, second] = MEASURES[goal.minimize];
  return [excess(goal, cost), cost[first], cost[second]];
};

export const compareRanks = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return a[k]! - b[k]!;
  return 0;
};

/** What decides between equals counts so much beside what is compared first. */
const SECOND = 1 / 4;

/**
 * One number to plan with, relative to a cost that all have in common: what is to be small, for memory also what decides
 * between equals (or a plan would never touch bits of entries, which memory of bytes does not show), and what has a budget.
 */
export const plannedCost = (goal: Goal, cost: ConfigurationCost, unit: ConfigurationCost): number => {
  const share = (key: keyof ConfigurationCost): number => cost[key] / Math.max(1, unit[key]);
  const [first, second] = MEASURES[goal.minimize];
  const budgeted = OBJECTIVES.filter((o) => goal.budgets[o] !== undefined && o !== goal.minimize);
  return (
    share(first) +
    (goal.minimize === 'memory' ? SECOND * share(second) : 0) +
    budgeted.reduce((sum, o) => sum + share(MEASURES[o][0]), 0)
  );
};

export interface Accepted extends Outcome {
  readonly result: Measured;
}

/** Whether the drop is within the limit with a margin: the measured drop and one standard error together. */
export const accepted = ({ maxDrop }: Pick<Goal, 'maxDrop'>, outcome: Outcome): outcome is Accepted =>
  outcome.result._tag === 'measured' && outcome.result.drop + outcome.result.error <= maxDrop;
