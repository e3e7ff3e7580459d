/** Random graphs that the targets of C and C++ take. */
import * as E from 'fp-ts/lib/Either.js';
import { programOf } from '../../../src/backends/cpp/program.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { verify } from '../../../src/ir/verify.js';
import { randomGraph } from '../../support/graphs.js';

/** Graphs of the generator that have one input and one output that the target takes. */
export const graphsFor = (
  target: string,
  count: number,
  from: number,
  size: number,
): ReadonlyArray<Graph<'table'>> => {
  const found: Graph<'table'>[] = [];
  for (let seed = from; found.length < count; seed++) {
    const graph = randomGraph('table', seed, size);
    if (!isLevel('table')(graph) || E.isLeft(verify(graph)) || E.isLeft(programOf(graph, target))) continue;
    found.push(graph);
  }
  return found;
};
