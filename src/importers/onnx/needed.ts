/** Which nodes of a graph some of its values need. */
import type { OnnxGraph, OnnxNode } from '../containers/onnx/model.js';

/** All values that a node takes, those that graphs inside it take from around them among them. */
const takenBy = (node: OnnxNode): ReadonlyArray<string> => [
  ...node.inputs.filter((name) => name !== ''),
  ...[...node.attributes.values()].flatMap((a) => (a._tag === 'graph' ? takenByGraph(a.value) : [])),
];

const takenByGraph = (graph: OnnxGraph): ReadonlyArray<string> => [
  ...graph.nodes.flatMap(takenBy),
  ...graph.outputs.map((o) => o.name),
];

/**
 * The nodes that `wanted` values need, in the order of the file, and all values that they take; what stands behind
 * values of `given` is not needed.
 */
export const neededOf = (
  graph: OnnxGraph,
  wanted: ReadonlyArray<string>,
  given: ReadonlySet<string>,
): { readonly nodes: ReadonlyArray<OnnxNode>; readonly values: ReadonlySet<string> } => {
  const values = new Set(wanted);
  const nodes: OnnxNode[] = [];
  for (let k = graph.nodes.length - 1; k >= 0; k--) {
    const node = graph.nodes[k]!;
    if (!node.outputs.some((name) => values.has(name) && !given.has(name))) continue;
    nodes.push(node);
    for (const name of takenBy(node)) values.add(name);
  }
  return { nodes: nodes.reverse(), values };
};
