/** `kanc view`. */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { defined } from '../../diagnostics/defined.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { type DataSource, dataFromFiles } from '../../driver/data.js';
import { checkFile } from '../../driver/destination.js';
import { loadModel } from '../../driver/models.js';
import { loadPlugins } from '../../driver/plugins.js';
import { viewHistory } from '../../driver/view.js';
import type { NamedPass } from '../../passes/registry.js';
import { viewPage } from '../../view/page.js';
import { viewModel } from '../../view/view-model.js';
import {
  addImportFlags,
  addPluginFlag,
  checkLayoutUsed,
  type ImportFlags,
  parseCount,
  readImportOptions,
  readingOf,
} from '../flags/index.js';
import { addShapeFlags, type ShapeFlags, shapeOptions } from '../flags/shape.js';
import { showRemarks } from '../observe-passes.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';
import { jsonLine, showBytes, showModelAssumptions } from '../show.js';

export interface ViewFlags extends ShapeFlags, ImportFlags {
  readonly out: string;
  readonly data?: string;
  readonly labels?: string;
  readonly limit?: number;
  readonly plugin?: ReadonlyArray<string>;
  readonly verifyEach?: boolean;
  readonly json?: boolean;
}

export const addView: AddCommand = (command, world, settle) => {
  command
    .argument('<model>', 'a checkpoint, a .kir file, or an artifact folder')
    .requiredOption('-o, --out <file>', 'the HTML file to write');
  addPluginFlag(addImportFlags(addShapeFlags(command)))
    .option('--data <file>', 'an .npy file of inputs to measure every pass on (default: those of --calib)')
    .option('--labels <file>', 'an .npy file of their labels or targets')
    .option(
      '--limit <n>',
      'measure on the first n of them (default: 1000, fewer for large networks)',
      parseCount,
    )
    .option('--verify-each', 'verify the graph after every pass')
    .option('--json', 'print one JSON object')
    .action(async (model: string, flags: ViewFlags) => {
      await settle(view(world, model, flags));
    });
};

export const view = (
  world: Capabilities,
  path: string,
  flags: ViewFlags,
): TE.TaskEither<Diagnostics, number> => {
  const load = dataFromFiles(world, readingOf(flags));
  const optional = (file: string | undefined, from: DataSource) =>
    file === undefined ? TE.right(undefined) : from(file);
  return pipe(
    TE.fromEither(shapeOptions(flags)),
    TE.bindTo('options'),
    TE.tap(() => TE.fromEither(checkLayoutUsed(flags, [flags.calib, flags.data]))),
    TE.tap(() => checkFile(world)(flags.out)),
    TE.bind('script', () => world.asset('web/view.js')),
    TE.bind('style', () => world.asset('web/view.css')),
    TE.bind('builtin', () => TE.fromTask<ReadonlyArray<NamedPass>, Diagnostics>(world.passes)),
    TE.bind('plugins', ({ builtin }) => loadPlugins(world, builtin)(flags.plugin ?? [])),
    TE.bind('importing', () => readImportOptions(world)(flags)),
    TE.bind('model', ({ importing }) => loadModel(world)(path, importing)),
    TE.bind('data', () => optional(flags.data, load)),
    TE.bind('labels', () => optional(flags.labels, dataFromFiles(world))),
    TE.bind('history', ({ options, builtin, plugins, model, data, labels }) =>
      viewHistory({
        version: world.version,
        passes: [...builtin, ...plugins.flatMap((p) => p.passes)],
        data: load,
      })({
        model,
        options,
        verifyEach: flags.verifyEach === true,
        ...defined({ data, labels, limit: flags.limit }),
        onPass: ({ name }) => world.terminal.progress(`kanc: ${name} done`),
      }),
    ),
    TE.bind('page', ({ history, script, style }) =>
      TE.fromIO(() => {
        world.terminal.progress('kanc: drawing edges');
        return viewPage(viewModel(history), { script, style });
      }),
    ),
    TE.tap(({ page }) => writeFileAtomically(world)(flags.out, page)),
    TE.map(({ model, history, page }) => {
      const remarks = history.steps.flatMap(({ name, remarks }) =>
        remarks.map((r) => ({ ...r, pass: name })),
      );
      const bytes = Buffer.byteLength(page);
      world.terminal.err(showModelAssumptions(model));
      world.terminal.err(showRemarks(remarks, false));
      world.terminal.err(`${flags.out}: ${history.steps.length - 1} passes, ${showBytes(bytes)}\n`);
      if (flags.json === true) {
        const passes = history.steps.slice(1).map(({ call }) => call);
        world.terminal.out(jsonLine({ out: flags.out, bytes, pipeline: history.pipeline, passes }));
      }
      return EXIT.ok;
    }),
  );
};
