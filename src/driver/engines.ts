/** Things that predict: the interpreter on a graph, or a compiled artifact; alike for those who use them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match, P } from 'ts-pattern';
import type { ArtifactManifest } from '../backends/artifact-manifest.js';
import { instantiate } from '../backends/wasm/runtime.js';
import { at, type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { batchesOf, bytesOrFloats, CHUNK, interpretFloats, samplesAtOnce } from '../ir/batches.js';
import { elementCount } from '../ir/constant.js';
import { definitionsOf, type Graph } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import type { Tensor } from '../ir/tensor.js';
import { floatType, type ValueType } from '../ir/types.js';
import { NO_CONTEXT } from '../passes/pass.js';
import { bindPipeline, runPipeline } from '../passes/pipeline.js';
import { BUILTIN_PASSES } from '../passes/registry.js';
import type { Capabilities } from './capabilities.js';
import { checkValues, inputCalls } from './compile-options.js';
import { type ArtifactFiles, artifactGraph, type Model } from './models.js';
import { nativeProgram } from './native.js';
import { type Program, wasmProgram } from './program.js';
import { simulatedRtl } from './rtl-simulation.js';

export interface Engine {
  /** `float` for graphs as trained, `interpreter` for integer graphs, for artifacts their target. */
  readonly name: 'float' | 'interpreter' | ArtifactManifest['target'];
  readonly input: ValueType;
  /** Shape of one sample's results. */
  readonly outputShape: ReadonlyArray<number>;
  /** Shape of one sample's integers; undefined where there are none. */
  readonly rawShape: ReadonlyArray<number> | undefined;
  readonly predict: (input: Tensor) => TE.TaskEither<Diagnostics, Float32Array>;
  /** The last integers before they become floats. */
  readonly predictRaw: (input: Tensor) => TE.TaskEither<Diagnostics, Int32Array>;
  /** Samples that it takes at a time. */
  readonly chunk: number;
  /** Gives back what the engine holds. */
  readonly close: () => void;
  /** The graph that defines what the engine computes. */
  readonly graph: Graph;
}

/** How the input of a checkpoint is given: what the `input` pass is asked for. */
export interface InputOptions {
  readonly inputDtype?: 'f32' | 'u8';
  readonly inputMean?: number | ReadonlyArray<number>;
  readonly inputStd?: number | ReadonlyArray<number>;
}

export const engineOf =
  (world: Pick<Capabilities, 'gpu' | 'tools'>, options: InputOptions) =>
  (model: Model): TE.TaskEither<Diagnostics, Engine> => {
    if (model._tag === 'checkpoint') {
      return TE.fromEither(pipe(withInput(model.graph, options), E.flatMap(graphEngine)));
    }
    const flags = Object.values(options).some((value) => value !== undefined);
    if (flags) {
      return TE.fromEither(
        fail('K0801', 'a compiled model knows its input, so --input-dtype, -mean and -std have no meaning', {
          hint: 'Leave them out; they are for checkpoints.',
        }),
      );
    }
    return model._tag === 'graph'
      ? TE.fromEither(at({ file: model.file })(graphEngine(model.graph)))
      : artifactEngine(world, model.artifact);
  };

const withInput = (graph: Graph, options: InputOptions): Checked<Graph> =>
  pipe(
    checkValues(options),
    E.flatMap(() => bindPipeline(inputCalls(options), BUILTIN_PASSES, graph.level)),
    E.flatMap((pipeline) => runPipeline(pipeline, graph, { context: NO_CONTEXT, verifyEach: false })),
  );

/** The interpreter. Fails with K0701 on graphs of several inputs or outputs. */
export const graphEngine = (graph: Graph): Checked<Engine> => {
  const [input, ...moreInputs] = graph.inputs;
  const [output, ...moreOutputs] = graph.outputs;
  if (input === undefined || output === undefined || moreInputs.length > 0 || moreOutputs.length > 0) {
    return fail('K0701', `the graph has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs`, {
      expected: 'one of each',
    });
  }
  const definitions = definitionsOf(graph);
  const last = definitions.get(output);
  const results = last?.type ?? input.type;
  const raw = last?.op.kind === 'dequantize' ? definitions.get(last.operands[0]!) : last;
  const isInteger = raw !== undefined && raw.type.element.kind !== 'f32';
  return E.right({
    name: graph.level === 'float' ? 'float' : 'interpreter',
    input: input.type,
    outputShape: results.shape,
    rawShape: isInteger ? raw.type.shape : undefined,
    graph,
    chunk: samplesAtOnce([graph], CHUNK),
    close: () => {},
    predict: (tensor) => TE.fromIOEither(() => interpretFloats(graph)(tensor)),
    predictRaw: (tensor) =>
      TE.fromIOEither(() => {
        if (!isInteger) return noIntegers();
        let integers: Int32Array | undefined;
        const ran = interpret(graph, [tensor], (name, value) => {
          if (name === raw.name) integers = Int32Array.from(value.data);
        });
        return E.flatMap(() => (integers === undefined ? noIntegers() : E.right(integers)))(ran);
      }),
  });
};

const noIntegers = (): Checked<never> =>
  fail('K0801', 'a float model has no integers to give', {
    place: { option: '--raw' },
    hint: 'Compile it first.',
  });

/**
 * Programs of C and HLS are built with a compiler of the machine, Verilog runs in a simulator. Fails with K0603 on damaged
 * artifacts and without such a tool, and with K0606 where there is no GPU for one that needs it.
 */
export const startProgram =
  (world: Pick<Capabilities, 'gpu' | 'tools'>) =>
  (artifact: ArtifactFiles): TE.TaskEither<Diagnostics, Program> => {
    const { manifest, files, folder } = artifact;
    return pipe(
      match(manifest)
        .returnType<TE.TaskEither<Diagnostics, Program>>()
        .with({ target: 'wasm' }, () => pipe(instantiate(files), TE.map(wasmProgram)))
        .with({ target: P.union('c', 'hls') }, (own) => nativeProgram(world.tools, own, artifact))
        .with({ target: 'verilog' }, (own) => simulatedRtl(world.tools, own, artifact))
        .with({ target: 'wgsl' }, () =>
          pipe(
            TE.Do,
            TE.bind('gpu', () => world.gpu),
            TE.bind('runtime', () => TE.fromTask(() => import('../backends/wgsl/runtime.js'))),
            TE.flatMap(({ gpu, runtime }) => runtime.startOnGpu(files, gpu)),
          ),
        )
        .exhaustive(),
      TE.mapLeft(
        ([first, ...rest]): Diagnostics => [{ ...first, place: { file: folder, ...first.place } }, ...rest],
      ),
    );
  };

const artifactEngine = (
  world: Pick<Capabilities, 'gpu' | 'tools'>,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, Engine> =>
  pipe(
    TE.fromEither(artifactGraph(artifact)),
    TE.bindTo('graph'),
    TE.bind('program', () => startProgram(world)(artifact)),
    TE.map(({ program, graph }): Engine => {
      const { manifest } = program;
      return {
        name: manifest.target,
        // Codes are of fewer bits than the bytes that hold them, which the graph knows.
        input: graph.inputs[0]?.type ?? floatType(manifest.input.shape),
        outputShape: manifest.output.shape,
        rawShape: manifest.raw.shape,
        graph,
        chunk: samplesAtOnce([graph], manifest.target === 'wasm' ? CHUNK : LARGE_CHUNK),
        close: program.close,
        predict: (tensor) =>
          pipe(
            program.predict(bytesOrFloats(tensor)),
            TE.map((r) => Float32Array.from(r)),
          ),
        predictRaw: (tensor) => program.predictRaw(bytesOrFloats(tensor)),
      };
    }),
  );

/** Elements of the results of one sample. */
export const outputsOf = ({ outputShape }: Engine): number => elementCount(outputShape);

/** A GPU is asked for much at once, and a program of its own is started for every chunk. */
const LARGE_CHUNK = 4096;

/** The parts that an engine gives for a batch: `run` is its `predict` or `predictRaw`. */
export const inChunksOf =
  <R extends Float32Array | Int32Array>(
    { chunk: size }: Engine,
    input: Tensor,
    run: (chunk: Tensor) => TE.TaskEither<Diagnostics, R>,
    onProgress: (samples: number) => void,
  ): TE.TaskEither<Diagnostics, ReadonlyArray<R>> =>
  async () => {
    const parts: R[] = [];
    let done = 0;
    for (const chunk of batchesOf(input, size)) {
      const part = await run(chunk)();
      if (E.isLeft(part)) return part;
      parts.push(part.right);
      done += chunk.batch;
      onProgress(done);
    }
    return E.right(parts);
  };
