/** GraphProto, NodeProto, AttributeProto and what they hold. */
import { printable } from '../../../diagnostics/index.js';
import { elementOf } from './elements.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './model.js';
import { MOST_NODES, type Reader, spendNodes } from './reader.js';
import { externalFile, tensorOf } from './tensors.js';
import {
  bytesOf,
  embedded,
  floatOf,
  floatsOf,
  integerOf,
  integersOf,
  type Message,
  messageOf,
  nameOf,
  namesOf,
  OnnxFault,
  textOf,
  textsOf,
} from './wire.js';

/** Graphs in attributes of nodes in graphs: deeper ones are an attack. */
const DEEPEST = 8;

const GRAPH: ReadonlySet<number> = new Set([1, 2, 5, 11, 12, 15]);
const NODE: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 7, 8]);
const ATTRIBUTE: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 21]);
const VALUE: ReadonlySet<number> = new Set([1, 2]);
const ONE: ReadonlySet<number> = new Set([1]);
const ONE_TWO: ReadonlySet<number> = new Set([1, 2]);

/** Nodes, constants and values of one graph together. */
const MOST_PARTS = 2 * MOST_NODES;

/** What most nodes have none of. */
const NO_ATTRIBUTES: ReadonlyMap<string, OnnxAttribute> = new Map();

/** AttributeProto.AttributeType; older files leave it out, and then the field that is there says it. */
const attributeOf = (message: Message, where: string, reader: Reader): OnnxAttribute => {
  const type = integerOf(message, 20) ?? guessed(message);
  switch (type) {
    case 1:
      return { _tag: 'float', value: floatOf(message, 2, where) ?? 0 };
    case 2:
      return { _tag: 'int', value: integerOf(message, 3) ?? 0 };
    case 3:
      return { _tag: 'string', value: textOf(message, 4) };
    case 4: {
      const bytes = embedded(message, 5) ?? absent('tensor', where);
      return { _tag: 'tensor', value: tensorOf(bytes, reader, where) };
    }
    case 5: {
      const bytes = embedded(message, 6) ?? absent('graph', where);
      return { _tag: 'graph', value: graphOf(bytes, { ...reader, depth: reader.depth + 1 }) };
    }
    case 6:
      return { _tag: 'floats', value: floatsOf(message, 7, where) };
    case 7:
      return { _tag: 'ints', value: [...integersOf(message, 8, where)] };
    case 8:
      return { _tag: 'strings', value: textsOf(message, 9) };
    default:
      return { _tag: 'other', what: `an attribute of type ${type}` };
  }
};

const absent = (what: string, where: string): never => {
  throw new OnnxFault('K0117', `an attribute of ${where} is a ${what} that is not there`);
};

const guessed = (message: Message): number =>
  [2, 3, 4, 5, 6, 7, 8, 9].findIndex((field) => message.has(field)) + 1;

interface Attributes {
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly references?: ReadonlyMap<string, string>;
}

/** Attributes by name; those of nodes in functions may refer to attributes of the call. */
export const attributesOf = (all: ReadonlyArray<Uint8Array>, where: string, reader: Reader): Attributes => {
  if (all.length === 0) return { attributes: NO_ATTRIBUTES };
  const attributes = new Map<string, OnnxAttribute>();
  const references = new Map<string, string>();
  for (const bytes of all) {
    const fields = messageOf(bytes, `an attribute of ${where}`, ATTRIBUTE);
    const key = nameOf(fields, 1);
    const reference = nameOf(fields, 21);
    if (attributes.has(key) || references.has(key))
      throw new OnnxFault('K0117', `${where} has the attribute '${printable(key, 60)}' twice`);
    if (reference === '') attributes.set(key, attributeOf(fields, where, reader));
    else if (reader.inFunction) references.set(key, reference);
    else throw new OnnxFault('K0117', `${where} refers to attributes of a function and is in none`);
  }
  return { attributes, ...(references.size === 0 ? {} : { references }) };
};

/** A node; `index` is its place in its graph, for nodes without a name. */
export const nodeOf = (bytes: Uint8Array, index: number, reader: Reader): OnnxNode => {
  const message = messageOf(bytes, `node ${index}`, NODE);
  const op = nameOf(message, 4);
  const own = nameOf(message, 3);
  const name = own === '' ? `${op}#${index}` : own;
  const overload = nameOf(message, 8);
  return {
    name,
    op,
    domain: domainOf(message, 7),
    inputs: namesOf(message, 1),
    outputs: namesOf(message, 2),
    ...attributesOf(bytesOf(message, 5), printable(name, 80), reader),
    ...(overload === '' ? {} : { overload }),
  };
};

/** The domain of the operators of ONNX itself has two names. */
export const domainOf = (message: Message, number: number): string => {
  const domain = nameOf(message, number);
  return domain === 'ai.onnx' ? '' : domain;
};

/** Nodes of a graph or a function. */
export const nodesOf = (all: ReadonlyArray<Uint8Array>, reader: Reader): ReadonlyArray<OnnxNode> => {
  spendNodes(reader, all.length);
  return all.map((node, i) => nodeOf(node, i, reader));
};

/** TypeProto.Tensor: the element type and the dimensions. */
const valueInfo = (bytes: Uint8Array): OnnxValue => {
  const message = messageOf(bytes, 'a value', VALUE);
  const name = nameOf(message, 1);
  const type = embedded(message, 2);
  const tensor = type === undefined ? undefined : embedded(messageOf(type, 'a type', ONE), 1);
  if (tensor === undefined) return { name };
  const fields = messageOf(tensor, 'a type', ONE_TWO);
  const element = elementOf(integerOf(fields, 1));
  const shape = embedded(fields, 2);
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

/** Constants by name. */
const constantsOf = (all: ReadonlyArray<Uint8Array>, reader: Reader): ReadonlyMap<string, OnnxTensor> => {
  const constants = new Map<string, OnnxTensor>();
  for (const [i, bytes] of all.entries()) {
    const tensor = tensorOf(bytes, reader, `constant ${i}`);
    const { name } = tensor;
    if (name === '' || constants.has(name)) {
      throw new OnnxFault(
        'K0117',
        name === '' ? `constant ${i} has no name` : `two constants are named '${printable(name, 80)}'`,
      );
    }
    constants.set(name, tensor);
  }
  return constants;
};

/** A graph with its constants. */
export const graphOf = (bytes: Uint8Array, reader: Reader): OnnxGraph => {
  if (reader.depth > DEEPEST)
    throw new OnnxFault('K0113', `graphs stand in graphs more than ${DEEPEST} deep`);
  const message = messageOf(bytes, 'the graph', GRAPH, MOST_PARTS);
  const [sparse] = bytesOf(message, 15);
  if (sparse !== undefined) {
    throw new OnnxFault('K0112', 'the graph has sparse constants', {
      hint: 'Make them dense before the export.',
    });
  }
  const initializers = constantsOf(bytesOf(message, 5), reader);
  return {
    name: textOf(message, 2),
    nodes: nodesOf(bytesOf(message, 1), reader),
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
  const message = messageOf(bytes, 'the graph', GRAPH, MOST_PARTS);
  for (const tensor of bytesOf(message, 5)) addFile(tensor, found);
  for (const node of bytesOf(message, 1)) filesOfNode(node, found, depth);
};

/** The same of one node, for nodes of functions too. */
export const filesOfNode = (node: Uint8Array, found: Set<string>, depth = 0): void => {
  for (const attribute of bytesOf(messageOf(node, 'a node', NODE), 5)) {
    const fields = messageOf(attribute, 'an attribute', ATTRIBUTE);
    const tensor = embedded(fields, 5);
    const graph = embedded(fields, 6);
    if (tensor !== undefined) addFile(tensor, found);
    if (graph !== undefined) filesOfGraph(graph, found, depth + 1);
  }
};

const addFile = (tensor: Uint8Array, found: Set<string>): void => {
  const file = externalFile(tensor);
  if (file !== undefined) found.add(file);
};
