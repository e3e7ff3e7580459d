/** The canonical `.kir` text of a graph: the same graph gives the same bytes. The grammar is in docs/ir.md. */
import { type Constant, isConstant, sameConstant } from './constant.js';
import type { Graph, Node } from './graph.js';
import { encodeAttrs } from './ops/index.js';
import { fieldsOf, isIdentifier, showFields, showString, showTypeWith, showValue } from './print-value.js';
import { QuantizerCodec, sameMeaning } from './quantizer.js';
import { type Resources, resourcesOf, shortName, showResources } from './resources.js';
import type { ValueType } from './types.js';

export interface PrintOptions {
  /** Whether to print the constants that do not stand in the ops. Without them the text cannot be read back. */
  readonly resources?: boolean;
}

/** What stands for the resource section in dumps for the eye; the parser knows it. */
export const ELIDED = '// resources elided';

/** `<>`: an attribute that says again what the type of the value has said on the same line. */
export const AS_TYPE = '<>';

/** A type as messages show it; large constants by their short names. */
export const showType = (type: ValueType): string => showTypeWith(type, shortName);

/** What `<>` means for an attribute: the meaning of the type, or its field of the same name. */
export const asType = (key: string, meaning: ValueType['meaning']): unknown =>
  key === 'scale' ? (meaning?._tag === 'scaled' ? meaning.scale : undefined) : meaning;

const repeatsType = (key: string, value: unknown, type: ValueType): boolean => {
  const said = asType(key, type.meaning);
  if (isConstant(value)) return isConstant(said) && sameConstant(value, said);
  return QuantizerCodec.is(value) && QuantizerCodec.is(said) && sameMeaning(value, said);
};

const showAttrs = (node: Node, nameOf: (c: Constant) => string): string => {
  const attrs = encodeAttrs(node.op);
  const fields = typeof attrs === 'object' && attrs !== null ? fieldsOf(attrs) : [];
  if (fields.length === 0) return '';
  const show = (value: unknown, key: string): string =>
    repeatsType(key, value, node.type) ? AS_TYPE : showValue(value, nameOf);
  return ` {${showFields(fields, show)}}`;
};

const showNodeWith = (node: Node, nameOf: (c: Constant) => string): string => {
  const operands = node.operands.map((o) => `%${o}`).join(', ');
  const type = showTypeWith(node.type, nameOf);
  return `%${node.name} : ${type} = ${node.op.kind} ${operands}${showAttrs(node, nameOf)}`;
};

/** One op as its line of text, for messages and remarks. */
export const showNode = (node: Node): string => showNodeWith(node, shortName);

const showGraph = (graph: Graph, { nameOf }: Resources): ReadonlyArray<string> => {
  const types = new Map([...graph.inputs, ...graph.nodes].map((v) => [v.name, v.type]));
  const name = isIdentifier(graph.name) ? graph.name : showString(graph.name);
  const inputs = graph.inputs.map((i) => `%${i.name} : ${showTypeWith(i.type, nameOf)}`);
  const outputs = graph.outputs.map((o) => {
    const type = types.get(o);
    // A result that nothing defines is for the verifier to tell; a dump must show it all the same.
    return type === undefined ? 'undefined' : showTypeWith(type, nameOf);
  });
  return [
    'kir 1',
    `graph @${name} level ${graph.level} (${inputs.join(', ')}) -> (${outputs.join(', ')}) {`,
    ...graph.nodes.map((node) => `  ${showNodeWith(node, nameOf)}`),
    `  return ${graph.outputs.map((o) => `%${o}`).join(', ')}`,
    '}',
  ];
};

/** The text of a graph, ending with a newline. */
export const printGraph = (graph: Graph, options: PrintOptions = {}): string => {
  const resources = resourcesOf(graph);
  const terse = options.resources === false && resources.large.length > 0;
  const section = terse ? [ELIDED] : showResources(resources);
  return `${[...showGraph(graph, resources), ...section].join('\n')}\n`;
};
