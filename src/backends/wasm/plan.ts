/**
 * From a table graph to kernels: checks that the target can express the graph, folds gathers and maps into the
 * layers that read them, and makes one kernel for every value that is materialised.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Graph, Value } from '../../ir/graph.js';
import { channelsOf, sizeOf } from '../../ir/types.js';
import { interleaved, permutation } from '../image.js';
import type { Kernel } from './kernel.js';
import { kernelOf } from './kernel-of.js';
import { gatherElements } from './kernels/gather.js';
import { storageOf } from './storage.js';
import { viewOf } from './view.js';

export interface Plan {
  readonly input: Value;
  readonly kernels: ReadonlyArray<Kernel>;
  /** The value that `predict` returns, and its type. */
  readonly output: Value;
  /** The last integers: the operand of a final dequantize, or the output itself. */
  readonly raw: Value;
}

export const planOf = (graph: Graph<'table'>): Checked<Plan> => {
  const [input, ...otherInputs] = graph.inputs;
  const [result, ...otherOutputs] = graph.outputs;
  if (input === undefined || result === undefined || otherInputs.length > 0 || otherOutputs.length > 0) {
    return fail(
      'K0602',
      `the graph has ${graph.inputs.length} input(s) and ${graph.outputs.length} output(s)`,
      { expected: 'one of each' },
    );
  }
  if (
    input.type.element.kind === 'int' ||
    (input.type.element.kind === 'uint' && input.type.element.bits > 8)
  ) {
    return fail('K0602', 'the input is neither f32 nor unsigned codes of at most 8 bits', {
      place: { op: input.name },
    });
  }
  const view = viewOf(graph);
  return pipe(
    graph.nodes.filter((node) => !view.absorbed.has(node.name)),
    E.traverseArray((node) => kernelOf(node, view)),
    E.flatMap((kernels) => {
      // A result has the shape of the graph's output, in the memory of the value behind it.
      const output = { ...view.value(result), name: view.root(result) };
      const defined = view.definitions.get(output.name);
      if (defined === undefined) {
        return fail('K0602', 'the output is the input itself', { place: { op: output.name } });
      }
      const source = defined.op.kind === 'dequantize' ? defined.operands[0]! : undefined;
      const raw = source === undefined ? output : { ...view.value(source), name: view.root(source) };
      return raw.type.element.kind === 'f32'
        ? fail('K0602', `${defined.op.kind} gives floats as the output`, {
            place: { op: output.name },
            expected: 'dequantize, accumulators or codes',
          })
        : E.right({ input, kernels: [...inputOrder(input), ...kernels], output, raw });
    }),
  );
};

/** A copy of an input of several channels, which comes row-major, with its channels last. */
const inputOrder = ({ name, type }: Value): ReadonlyArray<Kernel> => {
  if (interleaved(type) === 1) return [];
  const length = sizeOf(type);
  const base = { name, operands: [name], length, channels: channelsOf(type) };
  const order = permutation({ shape: [length] }, type, (j) => j);
  return [gatherElements(base, order, length, storageOf(type.element), 'input')];
};
