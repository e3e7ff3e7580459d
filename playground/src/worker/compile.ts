/** Compiles a project, and measures the program that comes out. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, type Diagnostics, fail } from '../../../src/diagnostics/index.js';
import type { Compilation } from '../../../src/driver/compile.js';
import { compileWith } from '../../../src/driver/compile-input.js';
import { compilePipeline } from '../../../src/driver/compile-options.js';
import type { CompileInput } from '../../../src/driver/script-input.js';
import type { Graph } from '../../../src/ir/graph.js';
import { parsePipeline } from '../../../src/passes/pipeline-text.js';
import type { NamedPass } from '../../../src/passes/registry.js';
import type { Compiled, Progress, Score, Settings } from '../shared/protocol.js';
import { optionsOf } from '../shared/quant.js';
import { loadArtifact } from '../shared/run-artifact.js';
import { arrayOf, inputOf, scoreOf, timeSingle } from './measure.js';
import type { LoadedProject } from './project.js';
import { world } from './world.js';

/** What the compiler is given: for the same files and settings the same as `compile` of the package 'kanc' gets. */
export const compileInputOf = (project: LoadedProject, settings: Settings, level: string): CompileInput => {
  const { calibration, inputDtype, inputMean, inputStd, ...rest } = project.input;
  if (level !== 'float') return rest;
  return {
    ...rest,
    ...(calibration === undefined ? {} : { calibration }),
    ...(inputDtype === undefined ? {} : { inputDtype }),
    ...(inputMean === undefined ? {} : { inputMean }),
    ...(inputStd === undefined ? {} : { inputStd }),
    ...optionsOf(settings, level),
  };
};

/** Steps around the passes: reading before them, measuring and emitting after them. */
const AROUND = 3;

const passCount = (input: CompileInput, graph: Graph): number => {
  const calls = E.flatMap(parsePipeline)(compilePipeline(optionsTold(input), graph.level));
  return E.isLeft(calls) ? 0 : calls.right.length;
};

const optionsTold = ({ quant, form }: CompileInput): Pick<CompileInput, 'quant' | 'form'> => ({
  ...(quant === undefined ? {} : { quant }),
  ...(form === undefined ? {} : { form }),
});

/** Runs the compiler; `tell` hears of each step that is done. */
export const compileProject = (
  input: CompileInput,
  passes: ReadonlyArray<NamedPass>,
  tell: (progress: Progress) => void,
): Promise<E.Either<Diagnostics, Compilation>> => {
  let of = AROUND + 1;
  return compileWith(
    { ...world, passes },
    {
      onImport: (graph) => {
        of = passCount(input, graph) + AROUND;
        tell({ step: 'import', done: 1, of });
      },
      onPass: ({ name, index }) => tell({ step: name, done: index + 1, of }),
    },
  )(input)();
};

const filesOf = ({ artifact }: Compilation): Compiled['files'] =>
  Object.fromEntries([...artifact.files].filter(([name]) => name !== 'model.kir'));

const sizeOfFile = (file: Uint8Array | string | undefined): number => file?.length ?? 0;

/** Runs the compiled program on the test inputs. */
export const measureProgram = async (
  project: LoadedProject,
  compilation: Compilation,
  milliseconds: number,
): Promise<Checked<Compiled>> => {
  const files = filesOf(compilation);
  const { cost, divergence, graph, pipeline, remarks, timings } = compilation;
  const type = graph.inputs[0]?.type;
  if (type === undefined) return fail('K0701', 'the network has no input');
  const model = await loadArtifact(files);
  const { inputs, labels } = project;
  const input = inputs === undefined ? undefined : inputOf(inputs, type);
  if (input !== undefined && E.isLeft(input)) return input;
  let score: Score = { _tag: 'none' };
  if (input !== undefined) {
    const outputs = await model.predict(arrayOf(input.right), input.right.batch);
    const scored = scoreOf(labels, inputs?.array.shape[0] ?? 0, input.right, outputs);
    if (E.isLeft(scored)) return scored;
    score = scored.right;
  }
  const sample = input?.right ?? { type, batch: 1, data: zeros(type.element.kind, type.shape) };
  return E.right({
    files,
    wasmBytes: sizeOfFile(files['model.wasm']),
    tableBytes: cost.bytes,
    score,
    ...(divergence === undefined ? {} : { divergence }),
    microseconds: await timeSingle(model, sample),
    milliseconds,
    timings,
    remarks: remarks.map(({ severity, pass, message }) => ({ severity, text: `${pass}: ${message}` })),
    pipeline,
  });
};

const zeros = (kind: string, shape: ReadonlyArray<number>): Float32Array | Uint8Array => {
  const length = shape.reduce((n, d) => n * d, 1);
  return kind === 'f32' ? new Float32Array(length) : new Uint8Array(length);
};
