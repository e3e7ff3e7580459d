/** `kanc print`: what it does. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadGraph } from '../../driver/models.js';
import type { Graph } from '../../ir/graph.js';
import { graphToJson } from '../../ir/json.js';
import { printGraph } from '../../ir/print.js';
import type { PrintFlags } from '../commands/print.js';
import { graphToDot } from '../dot.js';
import { readImportOptions } from '../import-options.js';
import { EXIT } from '../report.js';

export const print = (
  world: Capabilities,
  model: string,
  flags: PrintFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    readImportOptions(world)(flags),
    TE.flatMap((options) => loadGraph(world)(model, options)),
    TE.map((graph) => {
      world.terminal.out(show(graph, flags));
      return EXIT.ok;
    }),
  );

const show = (graph: Graph, { format, resources }: PrintFlags): string => {
  if (format === 'json') return `${JSON.stringify(graphToJson(graph), null, 2)}\n`;
  return format === 'dot' ? graphToDot(graph) : printGraph(graph, { resources });
};
