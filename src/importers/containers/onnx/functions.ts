/** Functions that an ONNX file defines itself: calls of them are replaced by what they hold. */
import { printable } from '../../../diagnostics/index.js';
import { attributesOf, domainOf, filesOfNode, nodesOf } from './graphs.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode } from './model.js';
import { type Reader, spendNodes } from './reader.js';
import { bytesOf, integerOf, messageOf, nameOf, namesOf, OnnxFault } from './wire.js';

interface LocalFunction {
  readonly name: string;
  /** The version of ONNX's operators in it; absent where it has none of them. */
  readonly opset?: number;
  readonly inputs: ReadonlyArray<string>;
  readonly outputs: ReadonlyArray<string>;
  /** What attributes are where the call leaves them out. */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
  readonly nodes: ReadonlyArray<OnnxNode>;
}

export type LocalFunctions = ReadonlyMap<string, LocalFunction>;

/** FunctionProto: name, inputs, outputs, nodes, imports, domain, attributes with defaults, overload. */
const FUNCTION: ReadonlySet<number> = new Set([1, 4, 5, 7, 9, 10, 11, 13]);
/** OperatorSetIdProto: domain, version. */
const IMPORT: ReadonlySet<number> = new Set([1, 2]);

/** Functions that call functions. */
const DEEPEST = 32;

/** Of the names of calls and of values in functions; what they are cut to is told apart by a number. */
const LONGEST = 200;

const keyOf = (domain: string, name: string, overload: string): string => `${domain}\n${name}\n${overload}`;

/** The version of ONNX's own operators among imports. */
export const opsetOf = (imports: ReadonlyArray<Uint8Array>): number | undefined => {
  let found: number | undefined;
  for (const bytes of imports) {
    const fields = messageOf(bytes, 'an import', IMPORT);
    if (domainOf(fields, 1) !== '') continue;
    const version = integerOf(fields, 2);
    if (found !== undefined && version !== found) {
      throw new OnnxFault('K0119', `operators are those of opset ${found}, and of ${version ?? 'none'}`, {
        expected: 'one version of operators',
      });
    }
    found = version;
  }
  return found;
};

/** The functions of a file. */
export const functionsOf = (functions: ReadonlyArray<Uint8Array>, reader: Reader): LocalFunctions => {
  const inside = { ...reader, inFunction: true };
  const all = new Map<string, LocalFunction>();
  for (const bytes of functions) {
    const message = messageOf(bytes, 'a function', FUNCTION);
    const name = nameOf(message, 1);
    const opset = opsetOf(bytesOf(message, 9));
    const key = keyOf(domainOf(message, 10), name, nameOf(message, 13));
    if (all.has(key)) throw new OnnxFault('K0117', `two functions are named '${printable(name, 60)}'`);
    all.set(key, {
      name,
      ...(opset === undefined ? {} : { opset }),
      inputs: namesOf(message, 4),
      outputs: namesOf(message, 5),
      defaults: attributesOf(bytesOf(message, 11), `the function ${printable(name, 60)}`, reader).attributes,
      nodes: nodesOf(bytesOf(message, 7), inside),
    });
  }
  return all;
};

/** The files beside the model that constants in functions lie in. */
export const filesOfFunctions = (functions: ReadonlyArray<Uint8Array>, found: Set<string>): void => {
  for (const bytes of functions) {
    for (const node of bytesOf(messageOf(bytes, 'a function', FUNCTION), 7)) filesOfNode(node, found);
  }
};

interface Inliner {
  readonly functions: LocalFunctions;
  readonly opset: number;
  readonly reader: Reader;
  /** Names of values that are in use, and how often one was asked for. */
  readonly taken: Map<string, number>;
}

/** Where nodes stand: in the model, or in a function that is called. */
interface Scope {
  readonly rename: (name: string) => string;
  /** Of the call; a model has none. */
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  /** The functions around, and the name of the call before names of nodes. */
  readonly path: ReadonlyArray<string>;
  readonly prefix: string;
}

const MODEL: Scope = { rename: (name) => name, attributes: new Map(), path: [], prefix: '' };

/** A name that no value has. */
const fresh = ({ taken }: Inliner, wanted: string): string => {
  let count = taken.get(wanted) ?? 0;
  let name = wanted;
  while (count > 0 && taken.has(name)) name = `${wanted}~${++count}`;
  taken.set(wanted, Math.max(count, 1));
  taken.set(name, Math.max(taken.get(name) ?? 0, 1));
  return name;
};

/** The names of all values of a graph. */
const namesOfGraph = (graph: OnnxGraph, taken: Map<string, number>): void => {
  const add = (name: string): void => void taken.set(name, 1);
  for (const { name } of [...graph.inputs, ...graph.outputs]) add(name);
  for (const name of graph.initializers.keys()) add(name);
  for (const node of graph.nodes) {
    for (const name of node.inputs) add(name);
    for (const name of node.outputs) add(name);
    for (const a of node.attributes.values()) if (a._tag === 'graph') namesOfGraph(a.value, taken);
  }
};

const within = (prefix: string, name: string): string =>
  prefix === '' ? name : `${prefix.slice(0, LONGEST)}/${name.slice(0, LONGEST)}`;

const graphIn = (graph: OnnxGraph, scope: Scope, inliner: Inliner): OnnxGraph => {
  const { rename } = scope;
  return {
    ...graph,
    nodes: nodesIn(graph.nodes, scope, inliner),
    initializers: new Map([...graph.initializers].map(([name, t]) => [rename(name), t])),
    inputs: graph.inputs.map((v) => ({ ...v, name: rename(v.name) })),
    outputs: graph.outputs.map((v) => ({ ...v, name: rename(v.name) })),
  };
};

/** A node with the names and attributes that it has where it stands. */
const nodeIn = (node: OnnxNode, scope: Scope, inliner: Inliner): OnnxNode => {
  const attributes = new Map<string, OnnxAttribute>();
  for (const [key, a] of node.attributes) {
    attributes.set(key, a._tag === 'graph' ? { ...a, value: graphIn(a.value, scope, inliner) } : a);
  }
  for (const [key, reference] of node.references ?? []) {
    const value = scope.attributes.get(reference);
    if (value !== undefined) attributes.set(key, value);
  }
  const { op, domain, overload } = node;
  return {
    name: within(scope.prefix, node.name),
    op,
    domain,
    inputs: node.inputs.map(scope.rename),
    outputs: node.outputs.map(scope.rename),
    attributes,
    ...(overload === undefined ? {} : { overload }),
  };
};

const nodesIn = (nodes: ReadonlyArray<OnnxNode>, scope: Scope, inliner: Inliner): ReadonlyArray<OnnxNode> => {
  const all: OnnxNode[] = [];
  spendNodes(inliner.reader, nodes.length);
  for (const node of nodes) {
    const { overload, ...own } = nodeIn(node, scope, inliner);
    const key = keyOf(own.domain, own.op, overload ?? '');
    const local = inliner.functions.get(key);
    if (local === undefined) all.push(own);
    else for (const inner of called(own, local, [...scope.path, key], inliner)) all.push(inner);
  }
  return all;
};

const checkCall = (
  call: OnnxNode,
  local: LocalFunction,
  path: ReadonlyArray<string>,
  opset: number,
): void => {
  const place = { op: printable(call.name, 80) };
  const name = printable(local.name, 60);
  if (new Set(path).size < path.length)
    throw new OnnxFault('K0117', `the function '${name}' calls itself`, { place });
  if (path.length > DEEPEST)
    throw new OnnxFault('K0113', `functions call functions more than ${DEEPEST} deep`, { place });
  if (call.inputs.length > local.inputs.length || call.outputs.length > local.outputs.length) {
    throw new OnnxFault('K0117', `the function '${name}' is called with more values than it has`, { place });
  }
  if (local.opset !== undefined && local.opset !== opset) {
    throw new OnnxFault('K0119', `the function '${name}' is of opset ${local.opset} in a model of ${opset}`, {
      place,
      expected: 'one version of operators',
      hint: 'Export the network again, or convert the file with onnx.version_converter.',
    });
  }
};

/** What a call stands for, under names of its own. `path` ends with the function itself. */
const called = (
  call: OnnxNode,
  local: LocalFunction,
  path: ReadonlyArray<string>,
  inliner: Inliner,
): ReadonlyArray<OnnxNode> => {
  checkCall(call, local, path, inliner.opset);
  const names = new Map<string, string>([['', '']]);
  for (const [i, name] of local.inputs.entries()) names.set(name, call.inputs[i] ?? '');
  const copies: OnnxNode[] = [];
  for (const [i, name] of local.outputs.entries()) {
    const outside = call.outputs[i] ?? '';
    if (outside === '') continue;
    const known = names.get(name);
    if (known === undefined) names.set(name, outside);
    // What it is given is a result as well, or one value is two results.
    else copies.push(identity(within(call.name, `${name}#${i}`), known, outside));
  }
  const rename = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const made = fresh(inliner, within(call.name, name));
    names.set(name, made);
    return made;
  };
  const attributes = new Map([...local.defaults, ...call.attributes]);
  const inner = nodesIn(local.nodes, { rename, attributes, path, prefix: call.name }, inliner);
  return copies.length === 0 ? inner : [...inner, ...copies];
};

const identity = (name: string, from: string, to: string): OnnxNode => ({
  name,
  op: 'Identity',
  domain: '',
  inputs: [from],
  outputs: [to],
  attributes: new Map(),
});

/** A graph with all calls of functions replaced, those in the graphs of its nodes too. */
export const inlined = (
  graph: OnnxGraph,
  functions: LocalFunctions,
  opset: number,
  reader: Reader,
): OnnxGraph => {
  if (functions.size === 0) return graph;
  const taken = new Map<string, number>();
  namesOfGraph(graph, taken);
  return graphIn(graph, MODEL, { functions, opset, reader, taken });
};
