/**
 * The circuit with the fewest LUTs by estimate among those that take what did not occur on the samples for what cannot: codes,
 * sums beyond the range that was seen, both, or neither. Less that can occur is not always smaller: a sum that is moved
 * so that its range begins at 0 brings a constant, and tables that were alike no longer are.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Seen } from '../../analyses/seen-codes.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Graph } from '../../ir/graph.js';
import type { LowerOptions } from './element.js';
import { estimateLuts } from './estimate.js';
import { type Circuit, lower } from './lower.js';
import { scheduleOf } from './schedule.js';

export interface Chosen {
  readonly circuit: Circuit;
  /** Whether the circuit relies on what was seen; otherwise it is exact for every input. */
  readonly assumes: boolean;
}

const NONE: Seen = { codes: new Map(), ranges: new Map() };

/** Those that assume less come first, and stay where others are no smaller. */
const assumptionsOf = (seen: Seen | undefined): ReadonlyArray<Seen | undefined> =>
  seen === undefined
    ? [undefined]
    : [undefined, { ...NONE, codes: seen.codes }, { ...NONE, ranges: seen.ranges }, seen];

/** `pipeline`: as `scheduleOf` takes it. */
export const smallest = (
  graph: Graph<'table'>,
  options: Pick<LowerOptions, 'chain'>,
  seen: Seen | undefined,
  pipeline: number,
): Checked<Chosen> =>
  pipe(
    assumptionsOf(seen),
    E.traverseArray((assumed) =>
      pipe(
        lower(graph, { ...options, ...(assumed === undefined ? {} : { seen: assumed }) }),
        E.map((circuit) => ({
          circuit,
          assumes: assumed !== undefined,
          luts: estimateLuts(circuit, scheduleOf(circuit, pipeline)).luts,
        })),
      ),
    ),
    E.map((tried) => tried.reduce((best, next) => (next.luts < best.luts ? next : best))),
  );
