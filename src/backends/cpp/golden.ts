/** Golden vectors: inputs that probe rounding and clamping, with the integers that the interpreter gives for them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { graphCost } from '../../analyses/graph-cost.js';
import { probes } from '../../analyses/probes.js';
import { type Checked, InternalError } from '../../diagnostics/index.js';
import { samplesAtOnce } from '../../ir/batches.js';
import type { TypedArray } from '../../ir/element.js';
import type { Graph } from '../../ir/graph.js';
import { interpret } from '../../ir/interpret.js';
import type { Tensor } from '../../ir/tensor.js';
import { sizeOf } from '../../ir/types.js';
import type { Program } from './program.js';

export interface Golden {
  readonly samples: number;
  readonly input: Tensor;
  /** The last integers, row-major. */
  readonly raw: Tensor;
}

/** Bytes of inputs and results that a testbench may hold. */
const LARGEST = 64 * 1024;
/** Additions and multiplications that the interpreter may spend on them. */
const MOST_WORK = 2 ** 28;
const MOST_SAMPLES = 200;
const SEED = 1;

/** How many samples fit: at least one. */
const samplesFor = (graph: Graph, program: Program): number => {
  const input = sizeOf(program.input.type) * (program.input.type.element.kind === 'f32' ? 4 : 1);
  const bytes = input + 4 * sizeOf(program.raw.type);
  const { adds, macs } = graphCost(graph);
  const most = Math.min(MOST_SAMPLES, LARGEST / bytes, MOST_WORK / Math.max(1, adds + macs));
  return samplesAtOnce([graph], Math.max(1, Math.floor(most)));
};

export const goldenOf = (graph: Graph<'table'>, program: Program): Checked<Golden> => {
  const samples = samplesFor(graph, program);
  const input = probes(graph, program.input.type, samples, SEED);
  let raw: Tensor | undefined;
  return pipe(
    interpret(graph, [input], (name, value) => {
      if (name === program.raw.name) raw = value;
    }),
    E.map(() => {
      if (raw === undefined) throw new InternalError(`%${program.raw.name} was not computed`);
      return { samples, input, raw };
    }),
  );
};

/** The bits of f32 values, as they are: NaN and -0 too. */
export const floatTableBits = (data: TypedArray): Uint32Array => {
  const floats = data instanceof Float32Array ? data : Float32Array.from(data);
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
};
