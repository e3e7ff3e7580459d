/** A graph for others to read: as JSON, for scripts that look at programs, and as Graphviz text, for pictures. */
import { hashOf, isConstant, showConstantType } from './constant.js';
import { showElement } from './element.js';
import { type Graph, type Node, typesOf, type Value, type ValueName } from './graph.js';
import { encodeAttrs } from './ops/index.js';
import { fieldsOf, showNumber } from './print-value.js';
import type { ValueType } from './types.js';

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json };

/** Numbers that JSON cannot tell apart or cannot write are strings, spelled as in `.kir` text. */
const numberToJson = (x: number): Json => (Number.isFinite(x) && !Object.is(x, -0) ? x : showNumber(x));

const toJson = (u: unknown): Json => {
  if (typeof u === 'number') return numberToJson(u);
  if (typeof u === 'string' || typeof u === 'boolean') return u;
  if (isConstant(u)) return { hash: hashOf(u), type: showConstantType(u) };
  if (Array.isArray(u)) return u.map(toJson);
  if (typeof u !== 'object' || u === null) return null;
  return Object.fromEntries(fieldsOf(u).map(([key, v]) => [key === '_tag' ? 'tag' : key, toJson(v)]));
};

const typeToJson = (type: ValueType): Json => ({
  element: showElement(type.element),
  shape: ['n', ...type.shape],
  ...(type.meaning === undefined ? {} : { meaning: toJson(type.meaning) }),
});

const valueToJson = ({ name, type }: Value): { readonly [key: string]: Json } => ({
  name,
  type: typeToJson(type),
});

/**
 * The structure of a graph as plain JSON. Types are `{element, shape, meaning?}` with the batch `"n"` first, a
 * constant is `{hash, type}`, and the tag of a record is its field `tag`.
 */
export const graphToJson = (graph: Graph): Json => ({
  name: graph.name,
  level: graph.level,
  inputs: graph.inputs.map(valueToJson),
  nodes: graph.nodes.map((node) => ({
    ...valueToJson(node),
    op: node.op.kind,
    operands: [...node.operands],
    attrs: toJson(encodeAttrs(node.op)),
  })),
  outputs: [...graph.outputs],
});

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
