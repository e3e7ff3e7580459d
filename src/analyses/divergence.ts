/** How far a compiled graph is from the graph it was made of, on data. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, invariant } from '../diagnostics/index.js';
import { batchesOf, samplesAtOnce } from '../ir/batches.js';
import type { Graph } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import { emptyTensor, type Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import { agreementOf, relativeRms } from './metrics.js';

export interface Divergence {
  readonly samples: number;
  /** Of all outputs, relative to the size of the reference's. */
  readonly relativeRms: number;
  /** Share of samples with the same largest output; absent where there is one output only. */
  readonly argmaxAgreement?: number;
}

/**
 * Whether the difference is worth a thought. Classes survive a few percent, and agree where it is no more; the
 * difference of all outputs alone would not tell, as one sample of huge outputs hides those of all others. A network with
 * one output is a function somebody wants the values of, and those of 8 bits are off by half a percent or more.
 */
export const isLarge = ({ relativeRms, argmaxAgreement }: Divergence): boolean =>
  argmaxAgreement === undefined ? relativeRms > 0.002 : relativeRms > 0.05 || argmaxAgreement < 0.9;

/** The results of a graph, computed for `size` samples at a time. */
const outputsOf = (graph: Graph, input: Tensor, size: number): Checked<Tensor> => {
  const parts: Tensor[] = [];
  for (const part of batchesOf(input, size)) {
    const ran = interpret(graph, [part]);
    if (E.isLeft(ran)) return ran;
    const [result] = ran.right;
    invariant(result !== undefined, 'a graph without outputs was compared');
    parts.push(result);
  }
  const [first] = parts;
  invariant(first !== undefined, 'graphs were compared on no samples');
  if (parts.length === 1) return E.right(first);
  const all = emptyTensor(first.type, input.batch);
  let at = 0;
  for (const { data } of parts) {
    all.data.set(data, at);
    at += data.length;
  }
  return E.right(all);
};

/** Runs both graphs on the same input. Both have one output of the same shape, in f32. */
export const divergenceOf = (reference: Graph, graph: Graph, input: Tensor): Checked<Divergence> => {
  const size = samplesAtOnce([reference, graph], input.batch);
  const expected = outputsOf(reference, input, size);
  if (E.isLeft(expected)) return expected;
  const actual = outputsOf(graph, input, size);
  if (E.isLeft(actual)) return actual;
  const [a, b] = [expected.right, actual.right];
  invariant(a.data.length === b.data.length, 'graphs with different outputs were compared');
  const classes = sizeOf(a.type);
  return E.right({
    samples: input.batch,
    relativeRms: relativeRms(a.data, b.data),
    ...(classes < 2 ? {} : { argmaxAgreement: agreementOf(a.data, b.data, classes) }),
  });
};
