/** From a table graph to kernels: checks that the target can express it, and makes one for every value but aliases. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Graph, Value } from '../../ir/graph.js';
import { inputOf, type Results, resultsOf, valuesOf } from '../shared/values.js';
import type { Kernel } from './kernel.js';
import { kernelOf } from './kernel-of.js';

export interface Plan extends Results {
  readonly input: Value;
  readonly kernels: ReadonlyArray<Kernel>;
}

/** `limit`: words of constants that one dispatch may read. */
export const planOf = (graph: Graph<'table'>, limit: number): Checked<Plan> => {
  // Values lie row-major, so that any reshape is free.
  const values = valuesOf(graph, ({ op }) => op.kind === 'observe' || op.kind === 'reshape');
  return pipe(
    inputOf(graph),
    E.bind('kernels', () =>
      pipe(
        graph.nodes.filter((node) => !values.isFree(node)),
        E.traverseArray((node) => kernelOf(node, values, limit)),
      ),
    ),
    E.flatMap(({ input, result, kernels }) =>
      pipe(
        resultsOf(values, result),
        E.map((results) => ({ input, kernels, ...results })),
      ),
    ),
  );
};
