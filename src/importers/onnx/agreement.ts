/**
 * Whether a lifted network computes what its graph does, on a few samples. The lift proves what it does element by
 * element; this is the same question asked in another way, and it also tells graphs whose results are float noise: those
 * that amplify the last bits of a float until they are the first of a result.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Graph } from '../../ir/graph.js';
import { interpret } from '../../ir/interpret.js';
import { evaluateProgram } from '../../tensor/evaluate.js';
import { sizeOfShape, type TensorProgram, type TensorType } from '../../tensor/program.js';

/** A deviation, relative to the largest result, up to which a graph and its layers are the same. */
const SAME = 1e-3;

/** Numbers that are the same each time: floats in [-1, 1), integers 0 and 1. */
const numbers = (size: number, { dtype }: TensorType): Float64Array => {
  let state = 0x2545f491;
  return Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const unit = state / 2 ** 32;
    return dtype === 'f32' ? Math.fround(2 * unit - 1) : Math.floor(2 * unit);
  });
};

/** The largest deviation of two lists, and the largest number in the first. What is NaN in both agrees. */
const deviation = (a: ArrayLike<number>, b: ArrayLike<number>): { worst: number; scale: number } => {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (Number.isNaN(x) && Number.isNaN(y)) continue;
    scale = Math.max(scale, Math.abs(x));
    const d = x === y ? 0 : Math.abs(x - y);
    worst = Number.isNaN(d) ? Number.POSITIVE_INFINITY : Math.max(worst, d);
  }
  return { worst, scale };
};

/** The deviation of the graph from the program on random samples, relative to the largest result. */
export const agreement = (program: TensorProgram, graph: Graph): Checked<number> => {
  const types = program.inputs.map((i) => program.nodes[i]!.type);
  const inputs = types.map((type) => numbers(sizeOfShape(type.shape), type));
  const wanted = evaluateProgram(program, inputs);
  if (E.isLeft(wanted)) return fail('K0225', wanted.left);
  const tensors = graph.inputs.map(({ type }, k) => ({
    type,
    batch: program.samples,
    data: Float32Array.from(inputs[k] ?? []),
  }));
  const made = interpret(graph, tensors);
  if (E.isLeft(made)) return made;
  let relative = 0;
  for (const [k, want] of wanted.right.entries()) {
    const { worst, scale } = deviation(want, made.right[k]?.data ?? []);
    relative = Math.max(relative, worst === 0 ? 0 : worst / Math.max(scale, Number.MIN_VALUE));
  }
  if (relative <= SAME) return E.right(relative);
  return fail(
    'K0225',
    `the layers that were found differ from the graph by ${relative.toExponential(1)} of the largest result on random samples`,
    {
      expected: `at most ${SAME}`,
      hint: 'Networks that amplify the rounding of floats (recurrent ones, functions of high frequency on large numbers) are like this: their results differ between any two runtimes. --outputs gives a part of the network. If yours is not one of these, please report it.',
    },
  );
};
