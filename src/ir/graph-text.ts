/** Graphs as text, as far as they fit into one: JavaScript engines end the process on overlong strings. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { Graph } from './graph.js';
import { type PrintOptions, printGraph } from './print.js';
import { visitConstants } from './resources.js';

/** Base64 makes a third more of it, which leaves a margin to the 2^29 characters that V8 allows. */
export const MAX_CONSTANT_BYTES = 256e6;

/** Bytes of all constants of a graph; what several ops share counts once. */
export const constantBytes = (graph: Graph): number => {
  const arrays = new Map<unknown, number>();
  for (const { op } of graph.nodes) {
    visitConstants(op.attrs, ({ data }) => arrays.set(data, data.byteLength));
  }
  return [...arrays.values()].reduce((n, bytes) => n + bytes, 0);
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** K0507. */
export const tooLarge = (what: string, bytes: number): Checked<never> =>
  fail('K0507', `${what} would take ${megabytes(bytes)}`, {
    expected: `at most ${megabytes(MAX_CONSTANT_BYTES)}`,
    hint: 'Ask for fewer bits (such as --quant act=6,hidden=6), or for --form basis, whose tables do not grow with the bits of the activations.',
  });

/** The text of a graph. Without resources it is always short enough. */
export const graphText = (graph: Graph, options: PrintOptions = {}): Checked<string> => {
  const bytes = options.resources === false ? 0 : constantBytes(graph);
  return bytes > MAX_CONSTANT_BYTES
    ? tooLarge('the constants of the graph', bytes)
    : E.right(printGraph(graph, options));
};
