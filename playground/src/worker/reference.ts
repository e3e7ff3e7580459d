/** The float network, run by the interpreter: what compiled programs are compared with. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { graphCost } from '../../../src/analyses/graph-cost.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import { inputCalls } from '../../../src/driver/compile-options.js';
import type { Graph } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { sizeOf } from '../../../src/ir/types.js';
import { NO_CONTEXT } from '../../../src/passes/pass.js';
import { bindPipeline, runPipeline } from '../../../src/passes/pipeline.js';
import { BUILTIN_PASSES } from '../../../src/passes/registry.js';
import type { Reference } from '../shared/protocol.js';
import { inputOf, scoreOf } from './measure.js';
import { importNetwork } from './open.js';
import type { LoadedProject } from './project.js';

/** Multiply-accumulates that are worth the wait. */
const BUDGET = 1.5e9;

/** Samples at a time: bounds the memory of the interpreter. */
const CHUNK = 128;

/** The network with the input that it is given. */
const withInput = ({ input }: LoadedProject, graph: Graph): Checked<Graph> =>
  pipe(
    bindPipeline(inputCalls(input), BUILTIN_PASSES, graph.level),
    E.flatMap((pipeline) => runPipeline(pipeline, graph, { context: NO_CONTEXT, verifyEach: false })),
  );

const runAll = (graph: Graph, input: Tensor): Checked<Float32Array> => {
  const size = sizeOf(input.type);
  const parts: Float32Array[] = [];
  for (let from = 0; from < input.batch; from += CHUNK) {
    const batch = Math.min(CHUNK, input.batch - from);
    const data = input.data.subarray(from * size, (from + batch) * size);
    const ran = interpret(graph, [{ ...input, batch, data }]);
    if (E.isLeft(ran)) return ran;
    parts.push(Float32Array.from(ran.right[0]?.data ?? []));
  }
  const width = (parts[0]?.length ?? 0) / Math.min(CHUNK, input.batch);
  const all = new Float32Array(width * input.batch);
  for (const [k, part] of parts.entries()) all.set(part, k * CHUNK * width);
  return E.right(all);
};

/** Undefined where there is nothing to run it on, or where it is no float network. */
export const measureReference = (project: LoadedProject): Checked<Reference | undefined> => {
  const { inputs, labels } = project;
  if (inputs === undefined) return E.right(undefined);
  const graph = pipe(
    importNetwork(project),
    E.flatMap((imported) => withInput(project, imported.graph)),
  );
  if (E.isLeft(graph)) return graph;
  const type = graph.right.inputs[0]?.type;
  if (type === undefined || graph.right.level !== 'float') return E.right(undefined);
  const limit = Math.max(16, Math.floor(BUDGET / (graphCost(graph.right).macs + 1)));
  return pipe(
    inputOf(inputs, type, limit),
    E.bindTo('input'),
    E.bind('started', () => E.right(performance.now())),
    E.bind('outputs', ({ input }) => runAll(graph.right, input)),
    E.bind('microseconds', ({ input, started }) =>
      E.right((1000 * (performance.now() - started)) / input.batch),
    ),
    E.bind('score', ({ input, outputs }) => scoreOf(labels, inputs.array.shape[0] ?? 0, input, outputs)),
    E.map(({ score, microseconds }) => ({ score, microseconds })),
  );
};
