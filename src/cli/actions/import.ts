/** `kanc import`: what it does. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { at, type Diagnostics } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadSource } from '../../driver/checkpoint-files.js';
import { draftArchitecture, showArchitecture } from '../../importers/arch/draft.js';
import { describe, showDescription } from '../../importers/describe.js';
import { importSource, tensorsOf } from '../../importers/import.js';
import { printGraph } from '../../ir/print.js';
import type { ImportCommandFlags } from '../commands/import.js';
import { importOptions } from '../flags.js';
import { readImportOptions } from '../import-options.js';
import { EXIT } from '../report.js';

export const importModel = (
  world: Capabilities,
  checkpoint: string,
  flags: ImportCommandFlags,
): TE.TaskEither<Diagnostics, number> =>
  flags.draftArch === true ? draft(world, checkpoint, flags) : read(world, checkpoint, flags);

/** The draft goes to a file, or to standard output. */
const draft = (
  world: Capabilities,
  checkpoint: string,
  { out, ...flags }: ImportCommandFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    loadSource(world)(checkpoint),
    TE.flatMapEither((source) =>
      pipe(tensorsOf(source, importOptions(flags)), E.flatMap(draftArchitecture), at({ file: source.file })),
    ),
    TE.map(showArchitecture),
    TE.flatMap((text) =>
      out === undefined ? TE.fromIO(() => world.terminal.out(text)) : writeFileAtomically(world)(out, text),
    ),
    TE.map(() => EXIT.ok),
  );

const read = (
  world: Capabilities,
  checkpoint: string,
  flags: ImportCommandFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    readImportOptions(world)(flags),
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
          flags.json === true ? `${JSON.stringify(description)}\n` : showDescription(description),
        );
      }
      return EXIT.ok;
    }),
  );
