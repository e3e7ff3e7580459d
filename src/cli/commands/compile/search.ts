/** The search of `kanc compile --max-drop`: how it is started, and what people are told of it. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Json } from '../../../backends/backend.js';
import { defined } from '../../../diagnostics/defined.js';
import type { Diagnostics } from '../../../diagnostics/index.js';
import type { Capabilities } from '../../../driver/capabilities.js';
import type { CompileOptions } from '../../../driver/compile-options.js';
import { dataFromFiles } from '../../../driver/data.js';
import {
  type Choice,
  choiceJson,
  type SearchProgress,
  searchCheckpoint,
} from '../../../driver/search/checkpoint.js';
import type { ImportOptions } from '../../../importers/family.js';
import type { Source } from '../../../importers/source.js';
import type { NamedPass } from '../../../passes/registry.js';
import { resolve } from '../../../search/configuration.js';
import type { Goal } from '../../../search/goal.js';
import { METRIC_TITLES } from '../../../search/tally.js';
import { showCount } from '../../costs/text.js';
import { type LayoutFlag, readingOf } from '../../flags/index.js';
import type { SearchFlags } from '../../flags/search.js';
import { type Progress, progressOf } from '../../progress.js';
import { showBytes } from '../../show.js';

export interface Searched {
  readonly goal: Goal;
  readonly choice: Choice;
  /** For the manifest and --json. */
  readonly told: { readonly [key: string]: Json };
}

/** Tells the stages of a search, and how far each is. */
const searchProgress = ({ stage, step }: Progress): ((progress: SearchProgress) => void) => {
  let current = '';
  return (found) => {
    const tried = found.of === 0 ? '' : `, ${found.done} of ${found.of} configurations tried`;
    const line = `kanc: ${found.stage}${tried}`;
    if (found.stage === current) step(line);
    else stage(line);
    current = found.stage;
  };
};

/** Undefined where no goal is given: then nothing is searched for. */
export const searchFor = (
  world: Capabilities,
  flags: SearchFlags & LayoutFlag,
  goal: Goal | undefined,
  request: {
    readonly source: Source;
    readonly importOptions: ImportOptions;
    readonly options: CompileOptions;
    readonly passes: ReadonlyArray<NamedPass>;
  },
): TE.TaskEither<Diagnostics, Searched | undefined> => {
  if (goal === undefined) return TE.right(undefined);
  const { quant: _, form: __, budgetMem: ___, ...options } = request.options;
  const load = dataFromFiles(world, readingOf(flags));
  const progress = progressOf(world);
  return pipe(
    load(options.calib ?? ''),
    TE.bindTo('data'),
    TE.bind('holdout', () => (flags.holdout === undefined ? TE.right(undefined) : load(flags.holdout))),
    TE.bind('labels', () =>
      flags.labels === undefined ? TE.right(undefined) : dataFromFiles(world)(flags.labels),
    ),
    TE.bind('choice', ({ data, holdout, labels }) =>
      searchCheckpoint({
        version: world.version,
        passes: request.passes,
        trials: (study) => world.trials(study, flags.jobs ?? world.threads()),
      })({
        source: request.source,
        importOptions: request.importOptions,
        options,
        data,
        goal,
        ...defined({ holdout, labels, samples: flags.samples }),
        onProgress: searchProgress(progress),
      }),
    ),
    TE.map(({ choice, holdout, labels }) => ({
      goal,
      choice,
      told: {
        ...choiceJson(choice, goal),
        ...(holdout === undefined ? {} : { holdout: holdout.sha256 }),
        ...(labels === undefined ? {} : { labels: labels.sha256 }),
      },
    })),
  );
};

/** Bits of every layer, the drop, and what the configuration takes beside the one that the search began with. */
export const searchText = ({ goal, choice }: Searched): string => {
  const { found, study } = choice;
  const { chosen, finest, tried } = found;
  const { cost, drop, error, samples } = chosen.result;
  const before = finest.result.cost;
  const layers = study.layers.map((layer) => {
    const r = resolve(chosen.configuration, layer);
    const quantizer = chosen.configuration.layers[layer.name]?.quantizer;
    const bits =
      r.form === 'basis' ? `coefficients ${r.coef}, basis values ${r.basis}` : `table entries ${r.table}`;
    return `  ${layer.name}: ${r.form} tables, activations ${r.act}${quantizer === undefined ? '' : ` (${quantizer})`}, ${bits} bits`;
  });
  const amounts = (c: typeof cost): string =>
    `${showBytes(c.bytes)} of tables (${showBytes(c.packed)} when packed), ${showCount(c.bitOps)} BitOps, about ${showCount(c.luts)} LUTs`;
  return [
    `chosen of ${tried} configurations for the least ${goal.minimize}:`,
    ...layers,
    ...(chosen.configuration.symmetry === 'symmetric'
      ? ['  activations symmetric, with one level less']
      : []),
    `  ${METRIC_TITLES[study.metric]}: ${drop.toFixed(2)} (standard error ${error.toFixed(2)}) on ${samples} held-out samples, ${goal.maxDrop} allowed`,
    `  ${amounts(cost)}`,
    `  the finest had ${amounts(before)}`,
    ...(100 / samples > goal.maxDrop && study.metric !== 'rms' && study.metric !== 'error'
      ? [`warning: one of ${samples} samples is more than the limit: give more data for a choice to rely on`]
      : []),
    '',
  ].join('\n');
};
