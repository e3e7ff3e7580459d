/** `kanc print`. */

import { Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, diagnostic } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadSource } from '../../driver/checkpoint-files.js';
import { graphFromSource, loadGraph } from '../../driver/models.js';
import { isOnnx, readOnnx } from '../../importers/containers/onnx/index.js';
import type { ImportOptions } from '../../importers/family.js';
import { tensorProgram } from '../../importers/onnx/family.js';
import type { Source } from '../../importers/source.js';
import { graphToDot, graphToJson } from '../../ir/export.js';
import type { Graph } from '../../ir/graph.js';
import { graphText } from '../../ir/graph-text.js';
import { showTensorProgram } from '../../tensor/print.js';
import { addImportFlags, type ImportFlags, readImportOptions } from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';

export interface PrintFlags extends ImportFlags {
  /** Absent: the program of tensors of an exported graph, the graph of all else. */
  readonly format?: 'text' | 'json' | 'dot' | 'program';
  /** false with `--no-resources`. */
  readonly resources: boolean;
}

export const addPrint: AddCommand = (command, world, settle) => {
  command
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint')
    .addOption(
      new Option(
        '--format <format>',
        'how; program is what an ONNX graph says before layers are found in it (default: program for ONNX, else text)',
      ).choices(['text', 'json', 'dot', 'program']),
    )
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
    TE.bindTo('options'),
    TE.bind('source', () => sourceOfPrint(world, model, flags)),
    TE.flatMap(({ options, source }) =>
      source === undefined
        ? pipe(
            loadGraph(world)(model, options),
            TE.flatMapEither((graph) => show(graph, flags)),
          )
        : TE.fromEither(showSource(source, options, flags)),
    ),
    TE.map((text) => {
      world.terminal.out(text);
      return EXIT.ok;
    }),
  );

/** The file of a model, where it may be an exported graph whose program is shown. */
const sourceOfPrint = (
  world: Capabilities,
  model: string,
  { format }: PrintFlags,
): TE.TaskEither<Diagnostics, Source | undefined> =>
  format !== undefined && format !== 'program'
    ? TE.right(undefined)
    : pipe(
        world.files.kindOf(model),
        TE.flatMap((kind): TE.TaskEither<Diagnostics, Source | undefined> => {
          if (kind === 'file') return loadSource(world)(model);
          return format === 'program' ? TE.left(NO_PROGRAM) : TE.right(undefined);
        }),
      );

const NO_PROGRAM: Diagnostics = [
  diagnostic('K0206', 'only ONNX graphs are programs of tensors', { place: { option: '--format' } }),
];

/** The program of an exported graph; of other files the graph, unless a program was asked for. */
const showSource = (source: Source, options: ImportOptions, flags: PrintFlags): Checked<string> => {
  if (isOnnx(source.bytes)) {
    return pipe(
      readOnnx(source.bytes, source.file, source.beside),
      E.flatMap((read) => tensorProgram(read, options)),
      E.map(showTensorProgram),
    );
  }
  if (flags.format === 'program') return E.left(NO_PROGRAM);
  return pipe(
    graphFromSource(source, options),
    E.flatMap((graph) => show(graph, flags)),
  );
};

const show = (graph: Graph, { format, resources }: PrintFlags): Checked<string> => {
  if (format === 'json') return E.right(`${JSON.stringify(graphToJson(graph), null, 2)}\n`);
  return format === 'dot' ? E.right(graphToDot(graph)) : graphText(graph, { resources });
};
