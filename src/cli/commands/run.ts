/** `kanc run`. */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, fail } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { dataFromFiles, samplesFor } from '../../driver/data.js';
import { checkFile } from '../../driver/destination.js';
import { type Engine, engineOf, inChunksOf } from '../../driver/engines.js';
import { loadModel } from '../../driver/models.js';
import { type WritableNpyArray, writeNpy } from '../../importers/containers/npy/index.js';
import { joinFloats, joinIntegers } from '../../ir/batches.js';
import type { Tensor } from '../../ir/tensor.js';
import {
  addImportFlags,
  addInputFlags,
  type ImportFlags,
  type InputFlags,
  inputOptions,
  readImportOptions,
  readingOf,
} from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';
import { jsonLine, showModelAssumptions } from '../show.js';

export interface RunFlags extends InputFlags, ImportFlags {
  readonly input: string;
  readonly output: string;
  readonly raw?: boolean;
  readonly json?: boolean;
}

export const addRun: AddCommand = (command, world, settle) => {
  command
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint (the float network)')
    .requiredOption('--input <file>', 'an .npy file of inputs, samples first')
    .requiredOption('--output <file>', 'the .npy file to write: f32 outputs, samples first')
    .option('--raw', 'write the last integers (i32) in place of the f32 they stand for')
    .option('--json', 'print one JSON object about the run');
  addInputFlags(addImportFlags(command)).action(async (model: string, flags: RunFlags) => {
    await settle(run(world, model, flags));
  });
};

export const run = (
  world: Capabilities,
  model: string,
  flags: RunFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    checkFile(world)(flags.output),
    TE.flatMap(() => readImportOptions(world)(flags)),
    TE.flatMap((options) => loadModel(world)(model, options)),
    TE.bindTo('loaded'),
    TE.bind('engine', ({ loaded }) => engineOf(world, inputOptions(flags))(loaded)),
    TE.bind('data', () => dataFromFiles(world, readingOf(flags))(flags.input)),
    TE.bind('input', ({ engine, data }) => TE.fromEither(samplesFor(data, engine.input))),
    TE.bind('result', ({ engine, input }) => compute(world, engine, input, flags.raw === true)),
    TE.tap(({ result }) => writeFileAtomically(world)(flags.output, writeNpy(result))),
    TE.map(({ loaded, engine, result }) => {
      engine.close();
      world.terminal.err(showModelAssumptions(loaded));
      const { shape, dtype } = result;
      world.terminal.err(`${flags.output}: ${dtype}[${shape.join(', ')}] (${engine.name})\n`);
      if (flags.json === true) {
        world.terminal.out(jsonLine({ output: flags.output, shape, dtype, engine: engine.name }));
      }
      return EXIT.ok;
    }),
  );

const compute = (
  world: Capabilities,
  engine: Engine,
  input: Tensor,
  raw: boolean,
): TE.TaskEither<Diagnostics, WritableNpyArray> => {
  const onProgress = (samples: number): void =>
    world.terminal.progress(`kanc: ${samples} of ${input.batch} samples`);
  if (!raw) {
    return pipe(
      inChunksOf(engine, input, engine.predict, onProgress),
      TE.map(
        (parts): WritableNpyArray => ({
          shape: [input.batch, ...engine.outputShape],
          dtype: 'f4',
          data: joinFloats(parts),
        }),
      ),
    );
  }
  const { rawShape } = engine;
  if (rawShape === undefined) {
    const refused = fail('K0801', 'a float model has no integers to give', {
      place: { option: '--raw' },
      hint: 'Compile it first.',
    });
    return TE.fromEither(refused);
  }
  return pipe(
    inChunksOf(engine, input, engine.predictRaw, onProgress),
    TE.map(
      (parts): WritableNpyArray => ({
        shape: [input.batch, ...rawShape],
        dtype: 'i4',
        data: joinIntegers(parts),
      }),
    ),
  );
};
