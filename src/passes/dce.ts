/** Removes ops whose values nobody uses. */
import type { Checked } from '../diagnostics/index.js';
import { rewrite } from '../ir/builder.js';
import { type Graph, liveValues } from '../ir/graph.js';
import type { Level } from '../ir/types.js';
import { declareOptions } from './options.js';
import { defineAnyLevelPass, note, withRemarks } from './pass.js';

const { codec, help } = declareOptions({});

export const dce = defineAnyLevelPass({
  name: 'dce',
  summary: 'removes ops whose values are not used',
  options: codec,
  help,
  from: 'any',
  to: 'same',
  run: () => (graph) => {
    const live = liveValues(graph);
    const dead = graph.nodes.filter((node) => !live.has(node.name)).length;
    return withRemarks(removeDead(graph), dead === 0 ? [] : [note(`${dead} unused ops removed`)]);
  },
});

/** The graph without the ops that its outputs do not depend on. */
export const removeDead = <L extends Level>(graph: Graph<L>): Checked<Graph<L>> => {
  const live = liveValues(graph);
  return rewrite(graph, graph.level, (node, r) => (live.has(node.name) ? r.keep(node) : undefined));
};
