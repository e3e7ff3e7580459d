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

/** At most `count` of the graphs: first those that have ops which none before them has. */
export const covering = (
  graphs: ReadonlyArray<Graph<'table'>>,
  count: number,
): ReadonlyArray<Graph<'table'>> => {
  const seen = new Set<string>();
  const isNew = graphs.map((graph) => {
    const kinds = graph.nodes.map((node) => node.op.kind).filter((kind) => !seen.has(kind));
    for (const kind of kinds) seen.add(kind);
    return kinds.length > 0;
  });
  const ordered = [...graphs.filter((_, k) => isNew[k]), ...graphs.filter((_, k) => isNew[k] !== true)];
  return ordered.slice(0, count);
};
