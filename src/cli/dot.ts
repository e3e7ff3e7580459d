/** A graph for Graphviz: a box for each op, an edge for each use, labelled with the type. */
import { showElement } from '../ir/element.js';
import { type Graph, typesOf } from '../ir/graph.js';
import type { ValueType } from '../ir/types.js';

const quote = (text: string): string => `"${text.replace(/[\\"]/g, (c) => `\\${c}`)}"`;

const label = (type: ValueType | undefined): string =>
  type === undefined ? '' : `${showElement(type.element)}[n, ${type.shape.join(', ')}]`;

export const graphToDot = (graph: Graph): string => {
  const types = typesOf(graph);
  const edge = (from: string, to: string, type: ValueType | undefined): string =>
    `  ${quote(from)} -> ${quote(to)} [label=${quote(label(type))}];`;
  // Value names have no spaces, so the node of the results cannot collide with one.
  const results = 'the results';
  return `${[
    `digraph ${quote(graph.name)} {`,
    '  node [shape=box, fontname="monospace"];',
    '  edge [fontname="monospace"];',
    ...graph.inputs.map(({ name }) => `  ${quote(name)} [shape=oval, label=${quote(`%${name}`)}];`),
    ...graph.nodes.map(({ name, op }) => `  ${quote(name)} [label=${quote(`%${name} = ${op.kind}`)}];`),
    `  ${quote(results)} [shape=oval, label="return"];`,
    ...graph.nodes.flatMap(({ name, operands }) => operands.map((o) => edge(o, name, types.get(o)))),
    ...graph.outputs.map((o) => edge(o, results, types.get(o))),
    '}',
  ].join('\n')}\n`;
};
