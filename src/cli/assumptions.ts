/** What had to be assumed about a network, where people look: beside the result of a command. */
import { printable } from '../diagnostics/index.js';
import { assumptionsOf, type Model } from '../driver/models.js';
import { type Assumption, showAssumption } from '../importers/family.js';

const lines = (start: string, assumptions: ReadonlyArray<Assumption>): string =>
  assumptions.map((a) => `${start}: ${printable(showAssumption(a))}\n`).join('');

/** A line each, as warnings of passes are; nothing where nothing was assumed. */
export const showAssumptions = (assumptions: ReadonlyArray<Assumption>): string =>
  lines('assumed', assumptions);

/** The same of a model: the options that say otherwise are options of `kanc compile` where it is an artifact. */
export const showModelAssumptions = (model: Model): string =>
  lines(model._tag === 'artifact' ? 'assumed when it was compiled' : 'assumed', assumptionsOf(model));
