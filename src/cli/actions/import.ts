/** `kanc import`: what it does. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, diagnostic, visibleJson } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadSource } from '../../driver/checkpoint-files.js';
import { checkFile } from '../../driver/destination.js';
import { describe, showDescription } from '../../importers/describe.js';
import { importSource } from '../../importers/import.js';
import { printGraph } from '../../ir/print.js';
import type { ImportCommandFlags } from '../commands/import.js';
import { readImportOptions } from '../import-options.js';
import { EXIT } from '../report.js';
import { draftModel } from './draft.js';

export const importModel = (
  world: Capabilities,
  checkpoint: string,
  flags: ImportCommandFlags,
): TE.TaskEither<Diagnostics, number> => {
  if (flags.draftArch === true) return draftModel(world, checkpoint, flags);
  return flags.check === undefined
    ? read(world, checkpoint, flags)
    : TE.left([
        diagnostic('K0801', 'golden data are compared with drafts only', {
          place: { option: '--check' },
          expected: '--draft-arch beside it; kanc eval compares a network that is described already',
        }),
      ]);
};

const read = (
  world: Capabilities,
  checkpoint: string,
  flags: ImportCommandFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    checkFile(world)(flags.out),
    TE.flatMap(() => readImportOptions(world)(flags)),
    TE.bindTo('options'),
    TE.bind('source', () => loadSource(world)(checkpoint)),
    TE.flatMapEither(({ source, options }) => importSource(source, options)),
    TE.tap(({ graph }) =>
      flags.out === undefined
        ? TE.right(undefined)
        : writeFileAtomically(world)(flags.out, printGraph(graph)),
    ),
    TE.map((imported) => {
      const asked = flags.describe === true || flags.json === true || flags.out === undefined;
      if (asked) {
        const description = describe(imported);
        world.terminal.out(
          flags.json === true
            ? `${visibleJson(JSON.stringify(description))}\n`
            : showDescription(description),
        );
      }
      return EXIT.ok;
    }),
  );
