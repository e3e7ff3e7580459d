/** Functions that an ONNX file defines itself: calls of them are replaced by what they hold. */
import { printable } from '../../../diagnostics/index.js';
import { type GraphReader, nodeOf, type Template } from './graphs.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode } from './model.js';
import { bytesOf, integerOf, messageOf, OnnxFault, textOf, textsOf } from './wire.js';

interface LocalFunction {
  readonly inputs: ReadonlyArray<string>;
  readonly outputs: ReadonlyArray<string>;
  readonly nodes: ReadonlyArray<Template>;
}

export type LocalFunctions = ReadonlyMap<string, LocalFunction>;

/** FunctionProto: name, inputs, outputs, nodes, imports, domain. */
const FUNCTION: ReadonlySet<number> = new Set([1, 4, 5, 7, 9, 10]);
const IMPORT: ReadonlySet<number> = new Set([1, 2]);

/** Nodes of a graph when all calls are replaced. */
const MOST_NODES = 500_000;

const keyOf = (domain: string, op: string): string => `${domain}\n${op}`;

/** The version of ONNX's own operators among imports. */
export const opsetOf = (imports: ReadonlyArray<Uint8Array>): number | undefined => {
  for (const bytes of imports) {
    const fields = messageOf(bytes, 'an import', IMPORT);
    const domain = textOf(fields, 1);
    if (domain === '' || domain === 'ai.onnx') return integerOf(fields, 2);
  }
  return undefined;
};

/** The functions of a file. Their operators must be of the version that the file has. */
export const functionsOf = (
  functions: ReadonlyArray<Uint8Array>,
  opset: number,
  reader: GraphReader,
): LocalFunctions =>
  new Map(
    functions.map((bytes) => {
      const message = messageOf(bytes, 'a function', FUNCTION);
      const name = textOf(message, 1);
      const own = opsetOf(bytesOf(message, 9));
      if (own !== undefined && own !== opset) {
        throw new OnnxFault(
          'K0119',
          `the function '${printable(name, 60)}' is of opset ${own} in a file of ${opset}`,
          {
            expected: 'one version of operators',
            hint: 'Export the network again, or convert the file with onnx.version_converter.',
          },
        );
      }
      const local: LocalFunction = {
        inputs: textsOf(message, 4),
        outputs: textsOf(message, 5),
        nodes: bytesOf(message, 7).map((node, i) => nodeOf(node, i, reader)),
      };
      return [keyOf(textOf(message, 10), name), local] as const;
    }),
  );

/** A graph in an attribute with other names for all its values. */
const renamedGraph = (graph: OnnxGraph, rename: (name: string) => string): OnnxGraph => ({
  ...graph,
  nodes: graph.nodes.map((node) => renamedNode(node, rename)),
  initializers: new Map([...graph.initializers].map(([name, t]) => [rename(name), t])),
  inputs: graph.inputs.map((v) => ({ ...v, name: rename(v.name) })),
  outputs: graph.outputs.map((v) => ({ ...v, name: rename(v.name) })),
});

const renamedNode = (node: OnnxNode, rename: (name: string) => string): OnnxNode => ({
  ...node,
  inputs: node.inputs.map(rename),
  outputs: node.outputs.map(rename),
  attributes: new Map(
    [...node.attributes].map(([key, a]) => [
      key,
      a._tag === 'graph' ? { _tag: 'graph', value: renamedGraph(a.value, rename) } : a,
    ]),
  ),
});

/** The attributes of a node in a function, those of the call in place of references to them. */
const resolved = (node: Template, call: ReadonlyMap<string, OnnxAttribute>): OnnxNode => {
  const attributes = new Map(node.attributes);
  for (const [key, reference] of node.references) {
    const value = call.get(reference);
    if (value !== undefined) attributes.set(key, value);
  }
  const { references: _, ...plain } = node;
  return { ...plain, attributes };
};

/** Nodes with the calls of functions replaced, and theirs in turn. */
export const inlined = (
  nodes: ReadonlyArray<OnnxNode>,
  functions: LocalFunctions,
): ReadonlyArray<OnnxNode> => {
  if (functions.size === 0) return nodes;
  const all: OnnxNode[] = [];
  const expand = (node: OnnxNode, path: ReadonlyArray<string>): void => {
    const key = keyOf(node.domain, node.op);
    const local = functions.get(key);
    if (local === undefined) {
      all.push(node);
      if (all.length > MOST_NODES)
        throw new OnnxFault('K0113', `the graph has more than ${MOST_NODES} nodes`);
      return;
    }
    if (path.includes(key)) {
      throw new OnnxFault('K0117', `the function '${printable(node.op, 60)}' calls itself`, {
        place: { op: printable(node.name, 80) },
      });
    }
    const names = new Map<string, string>([['', '']]);
    for (const [i, name] of local.inputs.entries()) names.set(name, node.inputs[i] ?? '');
    for (const [i, name] of local.outputs.entries()) {
      const outside = node.outputs[i] ?? '';
      names.set(name, outside === '' ? `${node.name}/${name}` : outside);
    }
    const rename = (name: string): string => names.get(name) ?? `${node.name}/${name}`;
    for (const inner of local.nodes) {
      const own = renamedNode(resolved(inner, node.attributes), rename);
      expand({ ...own, name: `${node.name}/${inner.name}` }, [...path, key]);
    }
  };
  for (const node of nodes) expand(node, []);
  return all;
};
