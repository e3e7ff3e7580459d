/**
 * The honest baseline: a float network compiled to WASM SIMD by ourselves, with the care that table kernels get. It is
 * no target of the compiler; `npm run bench` compares with it, so that the gain of tables over the recursion is not
 * mixed up with the gain of compiled code over a framework.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Graph } from '../../src/ir/graph.js';
import { sizeOf } from '../../src/ir/types.js';
import { memoryOf, typeOfOutput } from './memory.js';
import { assemble } from './module.js';
import { planOf } from './plan.js';

export interface Baseline {
  readonly bytes: Uint8Array;
  readonly features: number;
  readonly outputs: number;
  /** Makes an instance, as `load` of an artifact does. */
  readonly load: () => Promise<Predict>;
}

/** `batch` samples, row-major; the same for the results. */
export type Predict = (input: Float32Array, batch: number) => Float32Array;

interface Engine {
  readonly instantiate: (bytes: Uint8Array) => Promise<{ readonly instance: { readonly exports: Exports } }>;
}
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly run: (samples: number) => void;
}

// The global exists wherever the benchmark runs; only its declaration is missing from Node's types.
const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

/** Compiles a float graph of one input and one output. Left: the first op that cannot be compiled, and why. */
export const compileBaseline = async (graph: Graph): Promise<E.Either<string, Baseline>> => {
  if (graph.level !== 'float') return E.left(`the network is a ${graph.level} graph: it has no float form`);
  const plan = planOf(graph);
  if (E.isLeft(plan)) return plan;
  const steps = plan.right;
  const memory = memoryOf(graph, steps);
  const library = (await import('binaryen')).default;
  const bytes = assemble(library, graph, steps, memory);
  const features = sizeOf(graph.inputs[0]!.type);
  const outputs = sizeOf(typeOfOutput(graph, steps));
  const { capacity } = memory;
  const load = async (): Promise<Predict> => {
    const { exports } = (await engine.instantiate(bytes)).instance;
    const inputs = new Float32Array(exports.memory.buffer, memory.input, capacity * features);
    const results = new Float32Array(exports.memory.buffer, memory.output, capacity * outputs);
    return (input, batch) => {
      if (input.length !== batch * features) {
        throw new TypeError(`the input has ${input.length} elements, expected ${batch} x ${features}`);
      }
      if (batch <= capacity) {
        inputs.set(input);
        exports.run(batch);
        return results.slice(0, batch * outputs);
      }
      const result = new Float32Array(batch * outputs);
      for (let at = 0; at < batch; at += capacity) {
        const count = Math.min(capacity, batch - at);
        inputs.set(input.subarray(at * features, (at + count) * features));
        exports.run(count);
        result.set(results.subarray(0, count * outputs), at * outputs);
      }
      return result;
    };
  };
  return E.right({ bytes, features, outputs, load });
};
