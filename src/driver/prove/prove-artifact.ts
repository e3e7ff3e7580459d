/** Translation validation of one artifact: its stages by themselves, then the program as users call it. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match } from 'ts-pattern';
import { probes } from '../../analyses/probes.js';
import type { Manifest } from '../../backends/wasm/manifest.js';
import { stagesOf } from '../../backends/wasm/stages.js';
import type { WgslManifest } from '../../backends/wgsl/manifest.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import { samplesAtOnce } from '../../ir/batches.js';
import { type Graph, isLevel } from '../../ir/graph.js';
import type { Tensor } from '../../ir/tensor.js';
import { type Finding, type ProveOptions, proveStages, type StageMachine } from '../../prove/prove.js';
import type { Capabilities } from '../capabilities.js';
import { startProgram } from '../engines.js';
import { type ArtifactFiles, artifactGraph } from '../models.js';
import { type Comparison, compareArtifact } from '../verify-artifact.js';
import { cMachine, hlsMachine } from './native.js';
import { rtlMachine } from './rtl.js';

export interface Proof {
  readonly target: string;
  readonly about: string;
  readonly findings: ReadonlyArray<Finding>;
  /** The program as it is called, on random inputs: how stages are put together. */
  readonly whole: Comparison;
  readonly milliseconds: number;
}

type World = Pick<Capabilities, 'gpu' | 'tools' | 'now'>;

/** Samples of whole runs: enough for calls of many samples, which go through layers in another way. */
const WHOLE_SAMPLES = 512;

export const proveArtifact =
  (world: World, artifact: ArtifactFiles, options: ProveOptions): TE.TaskEither<Diagnostics, Proof> =>
  async () => {
    const start = world.now();
    return pipe(
      TE.fromEither(tableGraph(artifact)),
      TE.bindTo('graph'),
      TE.bind('machine', ({ graph }) => machineOf(world, graph, artifact)),
      TE.bind('findings', ({ graph, machine }) =>
        pipe(
          proveStages(machine, graph, options),
          TE.tapIO(() => () => machine.close()),
        ),
      ),
      TE.bind('whole', ({ graph }) => wholeProgram(world, graph, artifact)),
      TE.map(
        ({ machine, findings, whole }): Proof => ({
          target: artifact.manifest.target,
          about: machine.about,
          findings,
          whole,
          milliseconds: world.now() - start,
        }),
      ),
    )();
  };

/** The graph of the artifact: model.kir has passed the verifier, ranges included. */
const tableGraph = (artifact: ArtifactFiles): Checked<Graph<'table'>> =>
  pipe(
    artifactGraph(artifact),
    E.flatMap((graph) =>
      isLevel('table')(graph)
        ? E.right(graph)
        : fail('K0603', `model.kir is of level ${graph.level}`, { place: { file: artifact.folder } }),
    ),
  );

const machineOf = (
  { tools, gpu }: World,
  graph: Graph<'table'>,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> =>
  match(artifact.manifest)
    .with({ target: 'wasm' }, (manifest) => wasmMachine(graph, manifest, artifact))
    .with({ target: 'c' }, (manifest) => cMachine(tools, graph, manifest, artifact))
    .with({ target: 'hls' }, (manifest) => hlsMachine(tools, graph, manifest, artifact))
    .with({ target: 'wgsl' }, (manifest) => wgslMachine(gpu, graph, manifest, artifact))
    .with({ target: 'verilog' }, (manifest) => rtlMachine(tools, graph, manifest, artifact))
    .exhaustive();

const wholeProgram = (
  world: World,
  graph: Graph,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, Comparison> => {
  const [input] = graph.inputs;
  if (input === undefined) return TE.fromEither(fail('K0603', 'model.kir has no input'));
  // They are run a few at a time: it is their own size that counts.
  const samples = samplesAtOnce([{ ...graph, nodes: [] }], WHOLE_SAMPLES);
  const given: Tensor = probes(graph, input.type, samples, 1);
  return pipe(
    startProgram(world)(artifact),
    TE.flatMap((program) =>
      pipe(
        compareArtifact(program, graph, given, { onProgress: () => {} }),
        TE.tapIO(() => () => program.close()),
      ),
    ),
  );
};

const wasmMachine = (
  graph: Graph<'table'>,
  manifest: Manifest,
  { files }: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> => {
  const module = files.get('model.wasm');
  if (module === undefined) return TE.fromEither(fail('K0603', 'the artifact has no model.wasm'));
  return pipe(
    stagesOf(graph, manifest, module),
    TE.map((stages): StageMachine => {
      const cut = new Set(stages.filter((s) => s.inParts).map((s) => s.name));
      return {
        stages: stages.map((stage) => ({
          name: stage.name,
          operands: stage.operands,
          way: stage.inParts ? 'calls of many samples' : cut.has(stage.name) ? 'calls of few samples' : '',
          run: (operands, samples) => TE.fromIO(() => stage.run(operands, samples)),
        })),
        addsPerSecond: 4e9,
        about: 'the functions of model.wasm, each by itself',
        close: () => {},
      };
    }),
  );
};

const wgslMachine = (
  gpu: Capabilities['gpu'],
  graph: Graph<'table'>,
  manifest: WgslManifest,
  { files }: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> => {
  const [wgsl, bin] = [files.get('model.wgsl'), files.get('model.bin')];
  if (wgsl === undefined || bin === undefined) {
    return TE.fromEither(fail('K0603', 'the artifact has no model.wgsl or no model.bin'));
  }
  return pipe(
    TE.Do,
    TE.bind('device', () => gpu),
    TE.bind('module', () => TE.fromTask(() => import('../../backends/wgsl/stages.js'))),
    TE.flatMap(({ device, module }) => module.stagesOnGpu(graph, manifest, { wgsl, bin }, device)),
    TE.map(
      ({ stages, schedule, close }): StageMachine => ({
        stages: stages.map((stage) => ({ ...stage, way: '' })),
        addsPerSecond: 4e8,
        about:
          schedule === 'layers'
            ? 'the entry points of model.wgsl, each by itself'
            : 'the functions of model.wgsl, each by itself: called by entry points added behind it, with the lines that its own has for them',
        close,
      }),
    ),
  );
};
