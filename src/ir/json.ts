/** A graph as JSON, for scripts that look at programs: structure, types and attributes, constants by hash. */
import { hashOf, isConstant, showConstantType } from './constant.js';
import { showElement } from './element.js';
import type { Graph, Value } from './graph.js';
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
