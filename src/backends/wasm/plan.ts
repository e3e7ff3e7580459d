/**
 * From a table graph to kernels: checks that the target can express the graph, folds gathers and maps into the
 * layers that read them, and makes one kernel for every value that is materialised.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Graph, Value } from '../../ir/graph.js';
import { channelsOf, sizeOf } from '../../ir/types.js';
import { interleaved, permutation } from '../shared/image.js';
import { inputOf, type Results, resultsOf } from '../shared/values.js';
import type { Kernel } from './kernel.js';
import { kernelOf } from './kernel-of.js';
import { gatherElements } from './kernels/gather.js';
import { storageOf } from './storage.js';
import { viewOf } from './view.js';

export interface Plan extends Results {
  readonly input: Value;
  readonly kernels: ReadonlyArray<Kernel>;
}

export const planOf = (graph: Graph<'table'>): Checked<Plan> => {
  const view = viewOf(graph);
  return pipe(
    inputOf(graph),
    E.bind('kernels', () =>
      pipe(
        graph.nodes.filter((node) => !view.absorbed.has(node.name)),
        E.traverseArray((node) => kernelOf(node, view)),
      ),
    ),
    E.flatMap(({ input, result, kernels }) =>
      pipe(
        resultsOf(view, result),
        E.map((results) => ({ input, kernels: [...inputOrder(input), ...kernels], ...results })),
      ),
    ),
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
