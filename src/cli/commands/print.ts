/** `kanc print`. */

import { Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Checked, Diagnostics } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadGraph } from '../../driver/models.js';
import { graphToDot, graphToJson } from '../../ir/export.js';
import type { Graph } from '../../ir/graph.js';
import { graphText } from '../../ir/graph-text.js';
import { addImportFlags, type ImportFlags, readImportOptions } from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';

export interface PrintFlags extends ImportFlags {
  readonly format: 'text' | 'json' | 'dot';
  /** false with `--no-resources`. */
  readonly resources: boolean;
}

export const addPrint: AddCommand = (command, world, settle) => {
  command
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint')
    .addOption(new Option('--format <format>', 'how').choices(['text', 'json', 'dot']).default('text'))
    .option('--no-resources', 'leave out large constants (such text cannot be read back)');
  addImportFlags(command).action(async (model: string, flags: PrintFlags) => {
    await settle(print(world, model, flags));
  });
};

export const print = (
  world: Capabilities,
  model: string,
  flags: PrintFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    readImportOptions(world)(flags),
    TE.flatMap((options) => loadGraph(world)(model, options)),
    TE.flatMapEither((graph) => show(graph, flags)),
    TE.map((text) => {
      world.terminal.out(text);
      return EXIT.ok;
    }),
  );

const show = (graph: Graph, { format, resources }: PrintFlags): Checked<string> => {
  if (format === 'json') return E.right(`${JSON.stringify(graphToJson(graph), null, 2)}\n`);
  return format === 'dot' ? E.right(graphToDot(graph)) : graphText(graph, { resources });
};
