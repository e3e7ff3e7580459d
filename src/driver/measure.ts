/** How far the compiled graph is from the network, measured on calibration data. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Divergence, divergenceOf } from '../analyses/divergence.js';
import { graphCost } from '../analyses/graph-cost.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { type Graph, typesOf } from '../ir/graph.js';
import { type Dataset, finiteSamples, spread, toTensor } from '../passes/dataset.js';
import type { PassesDone } from './run-passes.js';

/** Calibration samples that the divergence is measured on: fewer for networks that take the interpreter long. */
const measuredSamples = (reference: Graph): number =>
  Math.max(4, Math.min(256, Math.floor(5e8 / (graphCost(reference).macs + 1))));

/** Undefined where there is nothing to measure on; K0701 where data and network give no numbers to compare. */
export const measure = (
  imported: Graph,
  done: PassesDone,
  graph: Graph<'table'>,
): Checked<Divergence | undefined> => {
  const dataset: Dataset | undefined = done.data[0];
  const [input, ...others] = graph.inputs;
  const output = typesOf(graph).get(graph.outputs[0]!);
  if (dataset === undefined || input === undefined || others.length > 0) return E.right(undefined);
  if (output?.element.kind !== 'f32') return E.right(undefined);
  const reference = done.lastFloat ?? imported;
  const given = toTensor(dataset, input.type);
  // Data of a pass of the user's need not be inputs.
  if (E.isLeft(given)) return E.right(undefined);
  const place = { file: dataset.path };
  // Of other samples the float network gives no number to compare with, and files are often sorted.
  const tensor = spread(finiteSamples(given.right), measuredSamples(reference));
  if (tensor.batch === 0) {
    return fail('K0701', `each of the ${given.right.batch} samples holds NaN or an infinity`, {
      place,
      expected: 'at least one calibration sample of finite values',
      hint: 'Replace missing values as the training did.',
    });
  }
  return pipe(
    divergenceOf(reference, graph, tensor),
    E.flatMap((divergence) =>
      Number.isFinite(divergence.relativeRms)
        ? E.right(divergence)
        : fail('K0701', 'on these samples the outputs of the float network overflow, or are all zero', {
            place,
            expected: 'data of the range that the network was trained on',
            hint: 'Check the units and the normalisation of the data.',
          }),
    ),
  );
};
