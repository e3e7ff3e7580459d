/** `kanc print`. */

import { Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadSource } from '../../driver/checkpoint-files.js';
import { loadGraph } from '../../driver/models.js';
import { isOnnx, readOnnx } from '../../importers/containers/onnx/index.js';
import type { ImportOptions } from '../../importers/family.js';
import { tensorProgram } from '../../importers/onnx/family.js';
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
    TE.flatMap((options) =>
      pipe(
        programText(world, model, options, flags),
        TE.flatMap((text) =>
          text !== undefined
            ? TE.right(text)
            : pipe(
                loadGraph(world)(model, options),
                TE.flatMapEither((graph) => show(graph, flags)),
              ),
        ),
      ),
    ),
    TE.map((text) => {
      world.terminal.out(text);
      return EXIT.ok;
    }),
  );

/** The program of an exported graph, where that is asked for or nothing else is. */
const programText = (
  world: Capabilities,
  model: string,
  options: ImportOptions,
  { format }: PrintFlags,
): TE.TaskEither<Diagnostics, string | undefined> => {
  if (format !== undefined && format !== 'program') return TE.right(undefined);
  return pipe(
    world.files.kindOf(model),
    TE.flatMap((kind) =>
      kind === 'file'
        ? pipe(
            loadSource(world)(model),
            TE.map((source) => source),
          )
        : TE.right(undefined),
    ),
    TE.flatMapEither((source): Checked<string | undefined> => {
      if (source !== undefined && isOnnx(source.bytes)) {
        return pipe(
          readOnnx(source.bytes, source.file, source.beside),
          E.flatMap((read) => tensorProgram(read, options)),
          E.map(showTensorProgram),
        );
      }
      return format === undefined
        ? E.right(undefined)
        : fail('K0206', 'only ONNX graphs are programs of tensors', { place: { option: '--format' } });
    }),
  );
};

const show = (graph: Graph, { format, resources }: PrintFlags): Checked<string> => {
  if (format === 'json') return E.right(`${JSON.stringify(graphToJson(graph), null, 2)}\n`);
  return format === 'dot' ? E.right(graphToDot(graph)) : graphText(graph, { resources });
};
