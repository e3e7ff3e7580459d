/** A graph as Graphviz text: `kanc print model.kir --format dot | dot -Tsvg`. */
import { isConstant, showConstantType } from './constant.js';
import { showElement } from './element.js';
import type { Graph, Node, ValueName } from './graph.js';
import { typesOf } from './graph.js';
import { encodeAttrs } from './ops/index.js';
import { fieldsOf, showNumber } from './print-value.js';
import type { ValueType } from './types.js';

/** A quoted id. Backslash and quote are escaped, and so are characters that would break out of a line. */
const quote = (text: string): string =>
  `"${text
    .replace(/[\\"]/g, (c) => `\\${c}`)
    .replace(/\n/g, '\\n')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')}"`;

const showShape = (type: ValueType): string =>
  `${showElement(type.element)}[${['n', ...type.shape].join(', ')}]`;

/** One attribute in a few letters; lists and records by what they are. */
const brief = (u: unknown): string => {
  if (typeof u === 'number') return showNumber(u);
  if (typeof u === 'string' || typeof u === 'boolean') return String(u);
  if (isConstant(u)) return showConstantType(u);
  if (Array.isArray(u)) return `${u.length} items`;
  if (typeof u !== 'object' || u === null) return '';
  return '_tag' in u && typeof u._tag === 'string' ? u._tag : '...';
};

const labelOf = (node: Node): string => {
  const attrs = encodeAttrs(node.op);
  const fields = typeof attrs === 'object' && attrs !== null ? fieldsOf(attrs) : [];
  return [
    `%${node.name} = ${node.op.kind}`,
    showShape(node.type),
    ...fields.map(([key, v]) => `${key} = ${brief(v)}`),
  ].join('\n');
};

/** The text of a directed graph: inputs and results as ellipses, ops as boxes, edges labelled with types. */
export const graphToDot = (graph: Graph): string => {
  const types = typesOf(graph);
  const edge = (from: ValueName, to: string): string => {
    const type = types.get(from);
    return `  ${quote(`%${from}`)} -> ${quote(to)}${type === undefined ? '' : ` [label=${quote(showShape(type))}]`};`;
  };
  const lines = [
    `digraph ${quote(graph.name)} {`,
    '  node [fontname="monospace", shape=box];',
    '  edge [fontname="monospace"];',
    ...graph.inputs.map(
      (i) => `  ${quote(`%${i.name}`)} [shape=ellipse, label=${quote(`%${i.name}\n${showShape(i.type)}`)}];`,
    ),
    ...graph.nodes.map((node) => `  ${quote(`%${node.name}`)} [label=${quote(labelOf(node))}];`),
    ...graph.nodes.flatMap((node) => node.operands.map((operand) => edge(operand, `%${node.name}`))),
    ...graph.outputs.flatMap((output, k) => [
      `  ${quote(`return ${k}`)} [shape=ellipse];`,
      edge(output, `return ${k}`),
    ]),
    '}',
  ];
  return `${lines.join('\n')}\n`;
};
