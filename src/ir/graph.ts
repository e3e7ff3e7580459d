/**
 * Graphs: immutable, flat, one op per layer with packed constants (never a node per edge).
 *
 * Nodes stand in an order in which every operand is defined before it is used. A node defines one value, and
 * the value's name is its identity; names are unique in a graph and kept by passes where a value lives on.
 */
import type { Op } from './ops/index.js';
import type { Level, ValueType } from './types.js';

declare const valueName: unique symbol;
/** The name of a value, without the `%`. Made by the builder and by the parser only. */
export type ValueName = string & { readonly [valueName]: true };

const NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/**
 * The checking constructor of names: undefined when the text is not a name.
 * This is the one place that brands a string.
 */
export const toValueName = (text: string): ValueName | undefined =>
  NAME.test(text) ? (text as ValueName) : undefined;

export interface Value {
  readonly name: ValueName;
  readonly type: ValueType;
}

export interface Node {
  readonly name: ValueName;
  readonly type: ValueType;
  readonly op: Op;
  readonly operands: ReadonlyArray<ValueName>;
}

export interface Graph<L extends Level = Level> {
  readonly name: string;
  readonly level: L;
  readonly inputs: ReadonlyArray<Value>;
  readonly nodes: ReadonlyArray<Node>;
  readonly outputs: ReadonlyArray<ValueName>;
}

/** Types of all values by name. */
export const typesOf = (graph: Graph): ReadonlyMap<ValueName, ValueType> =>
  new Map([...graph.inputs, ...graph.nodes].map((v) => [v.name, v.type]));

/** The node that defines each value (inputs have none). */
export const definitionsOf = (graph: Graph): ReadonlyMap<ValueName, Node> =>
  new Map(graph.nodes.map((node) => [node.name, node]));

/** How often each value is used, results of the graph included. */
export const usesOf = (graph: Graph): ReadonlyMap<ValueName, number> => {
  const uses = new Map<ValueName, number>();
  const use = (name: ValueName): void => {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  };
  for (const node of graph.nodes) node.operands.forEach(use);
  graph.outputs.forEach(use);
  return uses;
};

export const isLevel =
  <L extends Level>(level: L) =>
  (graph: Graph): graph is Graph<L> =>
    graph.level === level;

/** The values that the outputs depend on. */
export const liveValues = (graph: Graph): ReadonlySet<ValueName> => {
  const live = new Set<ValueName>(graph.outputs);
  for (const node of [...graph.nodes].reverse()) {
    if (live.has(node.name)) for (const operand of node.operands) live.add(operand);
  }
  return live;
};
