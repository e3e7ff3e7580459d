/** Small things that messages are made of, and what had to be assumed about a network. */

import type { Json } from '../backends/backend.js';
import { printable, visibleJson } from '../diagnostics/index.js';
import { assumptionsOf, type Model } from '../driver/models.js';
import { type Assumption, showAssumption } from '../importers/family.js';

export const showBytes = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
};

export const showPercent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** One line of JSON, in which no name can disturb a terminal. */
export const jsonLine = (value: Json): string => `${visibleJson(JSON.stringify(value))}\n`;

const lines = (start: string, assumptions: ReadonlyArray<Assumption>): string =>
  assumptions.map((a) => `${start}: ${printable(showAssumption(a))}\n`).join('');

/** A line each, as warnings of passes are; nothing where nothing was assumed. */
export const showAssumptions = (assumptions: ReadonlyArray<Assumption>): string =>
  lines('assumed', assumptions);

/** The same of a model: the options that say otherwise are options of `kanc compile` where it is an artifact. */
export const showModelAssumptions = (model: Model): string =>
  lines(model._tag === 'artifact' ? 'assumed when it was compiled' : 'assumed', assumptionsOf(model));
