/** GraphProto, NodeProto, AttributeProto and what they hold. */
import { printable } from '../../../diagnostics/index.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './model.js';
import { type Beside, elementOf, externalFile, tensorOf } from './tensors.js';
import {
  bytesOf,
  floatOf,
  floatsOf,
  integerOf,
  integersOf,
  lastBytes,
  type Message,
  messageOf,
  OnnxFault,
  textOf,
  textsOf,
} from './wire.js';

/** Graphs in attributes of nodes in graphs: deeper ones are an attack. */
const DEEPEST = 8;

const GRAPH: ReadonlySet<number> = new Set([1, 2, 5, 11, 12, 15]);
const NODE: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 7]);
const ATTRIBUTE: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 21]);
const VALUE: ReadonlySet<number> = new Set([1, 2]);
const ONE: ReadonlySet<number> = new Set([1]);
const ONE_TWO: ReadonlySet<number> = new Set([1, 2]);

/** A node as a function of the file has it: attributes may stand for those of the call. */
export interface Template extends OnnxNode {
  /** Attributes by the names of the call's attributes that they take their values from. */
  readonly references: ReadonlyMap<string, string>;
}

export interface GraphReader {
  readonly beside: Beside;
  readonly depth: number;
}

/** AttributeProto.AttributeType; older files leave it out, and then the field that is there says it. */
const attributeOf = (message: Message, where: string, reader: GraphReader): OnnxAttribute => {
  const type = integerOf(message, 20) ?? guessed(message);
  switch (type) {
    case 1:
      return { _tag: 'float', value: floatOf(message, 2, where) ?? 0 };
    case 2:
      return { _tag: 'int', value: integerOf(message, 3) ?? 0 };
    case 3:
      return { _tag: 'string', value: textOf(message, 4) };
    case 4: {
      const bytes = lastBytes(message, 5);
      if (bytes === undefined)
        throw new OnnxFault('K0117', `an attribute of ${where} is a tensor that is not there`);
      return { _tag: 'tensor', value: tensorOf(bytes, reader.beside, where) };
    }
    case 5: {
      const bytes = lastBytes(message, 6) ?? new Uint8Array(0);
      return { _tag: 'graph', value: graphOf(bytes, { ...reader, depth: reader.depth + 1 }) };
    }
    case 6:
      return { _tag: 'floats', value: floatsOf(message, 7, where) };
    case 7:
      return { _tag: 'ints', value: integersOf(message, 8, where) };
    case 8:
      return { _tag: 'strings', value: textsOf(message, 9) };
    default:
      return { _tag: 'other', what: `an attribute of type ${type}` };
  }
};

const guessed = (message: Message): number =>
  [2, 3, 4, 5, 6, 7, 8, 9].findIndex((field) => message.has(field)) + 1;

/** A node; `index` is its place in its graph, for nodes without a name. */
export const nodeOf = (bytes: Uint8Array, index: number, reader: GraphReader): Template => {
  const message = messageOf(bytes, `node ${index}`, NODE);
  const op = textOf(message, 4);
  const own = textOf(message, 3);
  const name = own === '' ? `${op}#${index}` : own;
  const attributes = new Map<string, OnnxAttribute>();
  const references = new Map<string, string>();
  for (const attribute of bytesOf(message, 5)) {
    const fields = messageOf(attribute, `an attribute of ${printable(name, 80)}`, ATTRIBUTE);
    const key = textOf(fields, 1);
    const reference = textOf(fields, 21);
    if (reference === '') attributes.set(key, attributeOf(fields, printable(name, 80), reader));
    else references.set(key, reference);
  }
  const domain = textOf(message, 7);
  return {
    name,
    op,
    domain: domain === 'ai.onnx' ? '' : domain,
    inputs: textsOf(message, 1),
    outputs: textsOf(message, 2),
    attributes,
    references,
  };
};

/** TypeProto.Tensor: the element type and the dimensions. */
const valueInfo = (bytes: Uint8Array): OnnxValue => {
  const message = messageOf(bytes, 'a value', VALUE);
  const name = textOf(message, 1);
  const type = lastBytes(message, 2);
  const tensor = type === undefined ? undefined : lastBytes(messageOf(type, 'a type', ONE), 1);
  if (tensor === undefined) return { name };
  const fields = messageOf(tensor, 'a type', ONE_TWO);
  const element = elementOf(integerOf(fields, 1));
  const shape = lastBytes(fields, 2);
  return {
    name,
    ...(element === undefined ? {} : { element }),
    ...(shape === undefined ? {} : { shape: bytesOf(messageOf(shape, 'a shape', ONE), 1).map(dimension) }),
  };
};

const dimension = (bytes: Uint8Array): number | string | undefined => {
  const fields = messageOf(bytes, 'a dimension', ONE_TWO);
  const size = integerOf(fields, 1);
  if (size !== undefined && size > 0) return size;
  const name = textOf(fields, 2);
  return name === '' ? undefined : name;
};

/** A graph with its constants. */
export const graphOf = (bytes: Uint8Array, reader: GraphReader): OnnxGraph => {
  if (reader.depth > DEEPEST)
    throw new OnnxFault('K0113', `graphs stand in graphs more than ${DEEPEST} deep`);
  const message = messageOf(bytes, 'the graph', GRAPH);
  const [sparse] = bytesOf(message, 15);
  if (sparse !== undefined) {
    throw new OnnxFault('K0112', 'the graph has sparse constants', {
      hint: 'Make them dense before the export.',
    });
  }
  const initializers = new Map<string, OnnxTensor>();
  for (const [i, tensor] of bytesOf(message, 5).entries()) {
    const read = tensorOf(tensor, reader.beside, `constant ${i}`);
    initializers.set(read.name, read);
  }
  return {
    name: textOf(message, 2),
    nodes: bytesOf(message, 1).map((node, i) => nodeOf(node, i, reader)),
    initializers,
    inputs: bytesOf(message, 11)
      .map(valueInfo)
      .filter(({ name }) => !initializers.has(name)),
    outputs: bytesOf(message, 12).map(valueInfo),
  };
};

/** The files beside the model that the constants of a graph lie in. Those in nodes are looked for too. */
export const filesOfGraph = (bytes: Uint8Array, found: Set<string>, depth = 0): void => {
  if (depth > DEEPEST) return;
  const message = messageOf(bytes, 'the graph', GRAPH);
  const add = (tensor: Uint8Array): void => {
    const file = externalFile(tensor);
    if (file !== undefined) found.add(file);
  };
  for (const tensor of bytesOf(message, 5)) add(tensor);
  for (const node of bytesOf(message, 1)) {
    for (const attribute of bytesOf(messageOf(node, 'a node', NODE), 5)) {
      const fields = messageOf(attribute, 'an attribute', ATTRIBUTE);
      for (const tensor of bytesOf(fields, 5)) add(tensor);
      for (const graph of bytesOf(fields, 6)) filesOfGraph(graph, found, depth + 1);
    }
  }
};
