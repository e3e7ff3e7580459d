/** How much of a graph is computed at a time: what is kept grows with the samples of a batch. */
import type { Graph } from './graph.js';
import type { Tensor } from './tensor.js';
import { sizeOf } from './types.js';

/** Elements of all values together that a batch may have: 256 MiB of f32. */
const ELEMENTS_AT_ONCE = 2 ** 26;

/** Elements of all values of a graph for one sample. */
export const elementsOf = ({ inputs, nodes }: Graph): number =>
  [...inputs, ...nodes].reduce((n, { type }) => n + sizeOf(type), 0);

/** Samples that are run through all of the graphs together: `most`, or fewer where values are large; at least one. */
export const samplesAtOnce = (
  graphs: ReadonlyArray<Graph>,
  most: number,
  elements = ELEMENTS_AT_ONCE,
): number => {
  const each = graphs.reduce((n, graph) => n + elementsOf(graph), 0);
  return Math.max(1, Math.min(most, Math.floor(elements / Math.max(1, each))));
};

/** `count` samples from sample `from` on, or as many as there are. They share memory with the tensor. */
export const samplesOf = ({ type, batch, data }: Tensor, from: number, count: number): Tensor => {
  const features = sizeOf(type);
  const to = Math.min(batch, from + count);
  return { type, batch: to - from, data: data.subarray(from * features, to * features) };
};

/** The samples of a tensor in their order, `size` at a time. */
export function* batchesOf(input: Tensor, size: number): Generator<Tensor> {
  for (let from = 0; from < input.batch; from += size) yield samplesOf(input, from, size);
}
