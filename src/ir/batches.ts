/** How much of a graph is computed at a time: what is kept grows with the samples of a batch. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, InternalError } from '../diagnostics/index.js';
import type { Graph } from './graph.js';
import { interpret } from './interpret.js';
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

/** Inputs of models are f32 or u8; the type rule of the engine has seen to it. */
export const bytesOrFloats = ({ data }: Tensor): Float32Array | Uint8Array => {
  if (data instanceof Float32Array || data instanceof Uint8Array) return data;
  throw new InternalError(`an input in a ${data.constructor.name}`);
};

/** The only result of a graph on a batch. */
export const interpretFloats =
  (graph: Graph) =>
  (input: Tensor): Checked<Float32Array> =>
    pipe(
      interpret(graph, [input]),
      E.map(([result]) => Float32Array.from(result?.data ?? [])),
    );

/** Samples at a time, where values are not large: bounds the memory that a batch takes. */
export const CHUNK = 256;

/**
 * Runs a batch in chunks that suit the values of the graph, and puts what `step` returns together: for what computes at
 * once, as the interpreter does.
 */
export const inChunks = (
  graph: Graph,
  input: Tensor,
  step: (chunk: Tensor) => Checked<Float32Array>,
): Checked<Float32Array> => {
  const parts: Float32Array[] = [];
  for (const chunk of batchesOf(input, samplesAtOnce([graph], CHUNK))) {
    const part = step(chunk);
    if (E.isLeft(part)) return part;
    parts.push(part.right);
  }
  return E.right(joinFloats(parts));
};

/** One array of all parts, in one that `make` gives for their length. */
const joined = <A extends Float32Array | Int32Array>(
  parts: ReadonlyArray<A>,
  make: (length: number) => A,
): A => {
  const all = make(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

export const joinFloats = (parts: ReadonlyArray<Float32Array>): Float32Array =>
  joined(parts, (length) => new Float32Array(length));

export const joinIntegers = (parts: ReadonlyArray<Int32Array>): Int32Array =>
  joined(parts, (length) => new Int32Array(length));
