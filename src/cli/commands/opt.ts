/** `kanc opt`. */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { newRecorder, recorded } from '../../driver/crash.js';
import { dataFromFiles } from '../../driver/data.js';
import { checkFile } from '../../driver/destination.js';
import { loadGraph } from '../../driver/models.js';
import { loadPlugins } from '../../driver/plugins.js';
import { runPasses } from '../../driver/run-passes.js';
import { graphText } from '../../ir/graph-text.js';
import type { NamedPass } from '../../passes/registry.js';
import {
  addLayoutFlag,
  addPassFlags,
  checkLayoutUsed,
  type LayoutFlag,
  type PassFlags,
  readingOf,
} from '../flags/index.js';
import { checkDumps, checkPrinted, flushing, observer, showRemarks, showTimings } from '../observe-passes.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';

export interface OptFlags extends PassFlags, LayoutFlag {
  readonly passes: string;
  readonly out?: string;
}

export const addOpt: AddCommand = (command, world, settle) => {
  command
    .argument('<graph>', 'a .kir file')
    .requiredOption('--passes <pipeline>', 'passes with their options, such as fold,prune,dce')
    .option('-o, --out <file>', 'the .kir file to write; standard output without it');
  addLayoutFlag(addPassFlags(command)).action(async (graph: string, flags: OptFlags) => {
    await settle(opt(world, graph, flags));
  });
};

export const opt = (
  world: Capabilities,
  path: string,
  flags: OptFlags,
): TE.TaskEither<Diagnostics, number> => {
  const seen = observer(world, flags);
  const recorder = newRecorder();
  return pipe(
    TE.fromEither(checkLayoutUsed(flags, [])),
    TE.flatMap(() => TE.fromTask<ReadonlyArray<NamedPass>, Diagnostics>(world.passes)),
    TE.bindTo('builtin'),
    TE.tap(() => checkFile(world)(flags.out)),
    TE.tap(() => checkDumps(world, flags)),
    TE.bind('plugins', ({ builtin }) => loadPlugins(world, builtin)(flags.plugin ?? [])),
    TE.bind('passes', ({ builtin, plugins }) => TE.right([...builtin, ...plugins.flatMap((p) => p.passes)])),
    TE.tap(({ passes }) => TE.fromEither(checkPrinted(flags, passes))),
    TE.bind('graph', () => loadGraph(world)(path, {})),
    TE.bind('done', ({ graph, passes }) => {
      seen.onStart(graph, 'input');
      return pipe(
        runPasses(
          { passes, data: dataFromFiles(world, readingOf(flags)) },
          recorder,
        )({
          graph,
          pipeline: flags.passes,
          verifyEach: flags.verifyEach === true,
          onPass: seen.onPass,
        }),
        recorded(recorder, { version: world.version, options: { passes: flags.passes } }),
        flushing(seen),
      );
    }),
    TE.bind('text', ({ done }) => TE.fromEither(graphText(done.graph))),
    TE.tap(({ text }) => {
      if (flags.out !== undefined) return writeFileAtomically(world)(flags.out, text);
      return TE.fromIO(() => world.terminal.out(text));
    }),
    TE.map(({ done }) => {
      world.terminal.err(showRemarks(done.remarks, flags.remarks === true));
      if (flags.timing === true) {
        world.terminal.err(showTimings(done.timings));
      }
      return EXIT.ok;
    }),
  );
};
