/** `kanc verify`: an artifact against the interpreter, on samples or, with --prove, on every input of every stage. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { probes } from '../../../analyses/probes.js';
import { type Checked, type Diagnostics, diagnostic, fail } from '../../../diagnostics/index.js';
import type { Capabilities } from '../../../driver/capabilities.js';
import { dataFromFiles, samplesFor } from '../../../driver/data.js';
import { startProgram } from '../../../driver/engines.js';
import { type ArtifactFiles, artifactGraph, loadArtifact } from '../../../driver/models.js';
import { rtlOf } from '../../../driver/synth.js';
import { type Comparison, compareArtifact, type Mismatch } from '../../../driver/verify-artifact.js';
import type { Graph } from '../../../ir/graph.js';
import type { Tensor } from '../../../ir/tensor.js';
import { sizeOf, type ValueType } from '../../../ir/types.js';
import {
  addLayoutFlag,
  checkLayoutUsed,
  type LayoutFlag,
  parseCount,
  parseSeed,
  readingOf,
} from '../../flags/index.js';
import { EXIT, showAll } from '../../report.js';
import type { AddCommand } from '../../settle.js';
import { jsonLine } from '../../show.js';

export interface VerifyFlags extends LayoutFlag {
  readonly data?: string;
  readonly samples: number;
  readonly seed: number;
  readonly json?: boolean;
  readonly prove?: boolean;
  readonly proveLimit: number;
}

export const addVerify: AddCommand = (command, world, settle) => {
  command
    .argument('<folder>', 'an artifact')
    .option('--data <file>', 'an .npy file of inputs, in place of random ones with every special value')
    .option('--samples <n>', 'how many samples at most', parseCount, 10000)
    .option('--seed <n>', 'another seed gives other random inputs', parseSeed, 1)
    .option(
      '--prove',
      'check every table entry, threshold and code of every stage, for all inputs in place of samples',
    )
    .option(
      '--prove-limit <seconds>',
      'about how long the pairs of one layer may take with --prove',
      parseCount,
      20,
    )
    .option('--json', 'print one JSON object');
  addLayoutFlag(command).action(async (folder: string, flags: VerifyFlags) => {
    if (flags.prove === true) {
      const { proveFolder } = await import('./prove.js');
      return settle(proveFolder(world, folder, flags));
    }
    await settle(verifyArtifact(world, folder, flags));
  });
};

export const verifyArtifact = (
  world: Capabilities,
  folder: string,
  flags: VerifyFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    TE.fromEither(checkLayoutUsed(flags, [flags.data])),
    TE.flatMap(() => loadArtifact(world)(folder)),
    TE.bindTo('artifact'),
    TE.let('files', ({ artifact }) => Object.keys(artifact.manifest.files).length),
    TE.bind('graph', ({ artifact }) => TE.fromEither(artifactGraph(artifact))),
    TE.tap(({ artifact }) => TE.fromEither(checkDefined(artifact, flags))),
    TE.bind('input', ({ graph }) => inputFor(world, graph, flags)),
    TE.bind('program', ({ artifact }) => startProgram(world)(artifact)),
    TE.bind('result', ({ program, graph, input }) =>
      compareArtifact(program, graph, input, {
        onProgress: (samples) => world.terminal.progress(`kanc: ${samples} of ${input.batch} samples`),
      }),
    ),
    TE.map(({ files, program, result }) => {
      program.close();
      world.terminal.progress('');
      world.terminal.out(
        flags.json === true ? jsonLine(toJson(files, result)) : showComparison(files, result),
      );
      if (result.first === undefined) return EXIT.ok;
      world.terminal.err(showAll([mismatchDiagnostic(folder, result.first)]));
      return EXIT.diagnosed;
    }),
  );

/** Logic with don't-cares from data is defined on such data only. */
const checkDefined = (artifact: ArtifactFiles, { data }: VerifyFlags): Checked<void> => {
  if (artifact.manifest.target !== 'verilog' || data !== undefined) return E.right(undefined);
  return pipe(
    rtlOf(artifact),
    E.flatMap(({ dontCares }) =>
      dontCares === 'proven'
        ? E.right(undefined)
        : fail('K0801', "its results are defined on the data only that its don't-cares come from", {
            place: { file: artifact.folder },
            hint: 'Give --data with the file that --sample-inputs or --calib named.',
          }),
    ),
  );
};

const inputFor = (
  world: Capabilities,
  graph: Graph,
  { data, samples, seed, inputLayout }: VerifyFlags,
): TE.TaskEither<Diagnostics, Tensor> => {
  const input = graph.inputs[0];
  if (input === undefined || graph.inputs.length > 1) {
    return TE.fromEither(fail('K0603', `model.kir has ${graph.inputs.length} inputs`, { expected: 'one' }));
  }
  return data === undefined
    ? TE.fromEither(probesFor(graph, input.type, samples, seed))
    : pipe(
        dataFromFiles(world, readingOf({ inputLayout }))(data),
        TE.flatMapEither((dataset) => samplesFor(dataset, input.type, samples)),
      );
};

/** Most elements of the inputs that are made: 1 GiB of f32. */
const MOST_ELEMENTS = 2 ** 28;

const probesFor = (graph: Graph, type: ValueType, samples: number, seed: number): Checked<Tensor> => {
  const size = sizeOf(type);
  return samples * size <= MOST_ELEMENTS
    ? E.right(probes(graph, type, samples, seed))
    : fail('K0801', `${samples} samples of ${size} elements do not fit into memory`, {
        place: { option: '--samples' },
        expected: `at most ${Math.floor(MOST_ELEMENTS / size)} for this input`,
        hint: 'Several runs with another --seed each take other samples.',
      });
};

const toJson = (files: number, { first, ...counts }: Comparison) => ({
  files,
  ...counts,
  ...(first === undefined
    ? {}
    : { first: { ...first, expected: String(first.expected), found: String(first.found) } }),
});

const showComparison = (files: number, r: Comparison): string =>
  [
    `${files} files match their hashes`,
    `${r.samples} samples, ${r.integers} integers and ${r.floats} floats compared, ${r.mismatches} mismatches`,
    '',
  ].join('\n');

const mismatchDiagnostic = (file: string, m: Mismatch) =>
  diagnostic(
    'K0604',
    `value '${m.value}' differs at element ${m.index} of sample ${m.sample}: the interpreter gives ${m.expected}, the artifact ${m.found}`,
    { place: { file }, hint: 'Please report this with the folder.' },
  );
