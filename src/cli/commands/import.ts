/** `kanc import`: what a checkpoint holds, as a graph, a description or the draft of an architecture. */

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { at, type Diagnostics, diagnostic, printable, visibleJson } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadSource } from '../../driver/checkpoint-files.js';
import { dataFromFiles } from '../../driver/data.js';
import { checkFile } from '../../driver/destination.js';
import {
  checkedDraft,
  draftArchitecture,
  type Golden,
  goldenOf,
  showArchitecture,
} from '../../importers/arch/draft/index.js';
import { describe, showDescription } from '../../importers/describe.js';
import type { ImportOptions } from '../../importers/family.js';
import { foldParts } from '../../importers/fold.js';
import { importSource, tensorsOf } from '../../importers/import.js';
import { valuesBefore } from '../../importers/onnx/telling.js';
import type { Source } from '../../importers/source.js';
import { printGraph } from '../../ir/print.js';
import { addImportFlags, type ImportFlags, importOptions, readImportOptions } from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';

export interface ImportCommandFlags extends ImportFlags {
  readonly describe?: boolean;
  readonly draftArch?: boolean;
  /** Golden inputs and golden outputs. */
  readonly check?: ReadonlyArray<string>;
  readonly json?: boolean;
  readonly out?: string;
}

export const addImport: AddCommand = (command, world, settle) => {
  command
    .argument('<checkpoint>', 'a file, any file of a set (pykan, KANELE), or its folder')
    .option('--describe', 'the family, the layers, and what had to be assumed; what it does without -o')
    .option('--draft-arch', 'write a first version of an architecture file instead')
    .option(
      '--check <inputs outputs...>',
      'with --draft-arch: two .npy files, inputs and what the library computes from them; writes the draft that does the same, or none',
    )
    .option('--json', 'describe it as one JSON object')
    .option('-o, --out <file>', 'the file to write: .kir text, or the draft');
  addImportFlags(command).action(async (checkpoint: string, flags: ImportCommandFlags) => {
    await settle(importModel(world, checkpoint, flags));
  });
};

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
    TE.flatMapEither(({ source, options }) => {
      const imported = importSource(source, options);
      if (E.isLeft(imported)) world.terminal.out(partBefore(source, options, imported.left));
      return imported;
    }),
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

/** Where a graph is no network of layers as a whole: the first part before the node at fault that is one. */
const partBefore = (source: Source, options: ImportOptions, faults: Diagnostics): string => {
  for (const name of valuesBefore(source, options, faults)) {
    const part = importSource(source, { ...options, graphOutputs: name });
    if (E.isLeft(part)) continue;
    const shown = printable(name, 80);
    return `the part before it is a network of layers: --outputs ${shown}\n${showDescription(describe(part.right))}`;
  }
  return '';
};

/** The draft goes to a file, or to standard output; what it rests on to standard error. */
export const draftModel = (
  world: Capabilities,
  checkpoint: string,
  flags: ImportCommandFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    checkFile(world)(flags.out),
    TE.flatMap(() => goldenFrom(world, flags.check)),
    TE.bindTo('golden'),
    TE.bind('source', () => loadSource(world)(checkpoint)),
    TE.flatMapEither(({ golden, source }) =>
      pipe(
        tensorsOf(source, importOptions(flags)),
        E.flatMap(foldParts),
        E.flatMap(({ file }) =>
          golden === undefined
            ? draftArchitecture(file, importOptions(flags).inputShape)
            : checkedDraft(file, golden, (n) => world.terminal.progress(`kanc: ${n} networks tried`)),
        ),
        at({ file: source.file }),
        E.mapLeft(orReadable(source, importOptions(flags))),
        (result) => {
          world.terminal.progress('');
          return result;
        },
      ),
    ),
    TE.tap((arch) => {
      const text = showArchitecture(arch);
      return flags.out === undefined
        ? TE.fromIO(() => world.terminal.out(text))
        : writeFileAtomically(world)(flags.out, text);
    }),
    TE.map(({ assumed }) => {
      world.terminal.err((assumed ?? []).map((note) => `kanc: draft: ${note}\n`).join(''));
      return EXIT.ok;
    }),
  );

/** Golden inputs and outputs, where they are given. A usage error for any other number of files than two. */
const goldenFrom = (
  world: Capabilities,
  check: ReadonlyArray<string> | undefined,
): TE.TaskEither<Diagnostics, Golden | undefined> => {
  if (check === undefined) return TE.right(undefined);
  const [x, y, ...more] = check;
  if (x === undefined || y === undefined || more.length > 0) {
    return TE.left([
      diagnostic('K0801', `there are ${check.length} files behind --check`, {
        place: { option: '--check' },
        expected: 'two: golden inputs and golden outputs, with the checkpoint in front of the option',
      }),
    ]);
  }
  return pipe(
    dataFromFiles(world)(x),
    TE.bindTo('inputs'),
    TE.bind('outputs', () => dataFromFiles(world)(y)),
    TE.flatMapEither(({ inputs, outputs }) => at({ file: x })(goldenOf(inputs.array, outputs.array))),
  );
};

/** Networks of a family need no architecture file: where no draft can be made that is the way. */
const orReadable =
  (source: Source, options: ImportOptions) =>
  (diagnostics: Diagnostics): Diagnostics => {
    const [first, ...rest] = diagnostics;
    const read = first.code === 'K0213' ? importSource(source, options) : E.left(undefined);
    if (E.isLeft(read)) return diagnostics;
    const hint = `kanc reads this file without an architecture file, as ${read.right.family}.`;
    return [{ ...first, hint }, ...rest];
  };
