/**
 * What a stage of an emitted program computes: one value from the values that it reads. A stage may stand for several
 * nodes, as where a layer looks through a gather; the graph between its operands and its value defines what it gives.
 */
import { InternalError } from '../diagnostics/index.js';
import type { Graph, Node, Value, ValueName } from '../ir/graph.js';
import { definitionsOf, typesOf } from '../ir/graph.js';
import { evaluateOp } from '../ir/ops/index.js';
import type { Tensor } from '../ir/tensor.js';
import { channelsOf, type ValueType } from '../ir/types.js';

export interface Unit {
  readonly name: ValueName;
  readonly type: ValueType;
  readonly operands: ReadonlyArray<Value>;
  /** From the operands to the value, in order; none where a stage copies its operand into another order. */
  readonly nodes: ReadonlyArray<Node>;
  /** Which codes an element of an operand can have; all, where it is not known. */
  readonly occurs?: Occurs;
}

export type Occurs = (operand: number, element: number, code: number) => boolean;

/** The part of a graph that gives `name` from `operands`. */
export const unitOf = (graph: Graph, name: ValueName, operands: ReadonlyArray<ValueName>): Unit => {
  const [definitions, types] = [definitionsOf(graph), typesOf(graph)];
  const needed = new Set<ValueName>();
  const walk = (value: ValueName): void => {
    if (operands.includes(value) || needed.has(value)) return;
    const node = definitions.get(value);
    if (node === undefined)
      throw new InternalError(`%${name} depends on %${value}, which its stage does not read`);
    needed.add(value);
    node.operands.forEach(walk);
  };
  walk(name);
  const valueNamed = (value: ValueName): Value => {
    const type = types.get(value);
    if (type === undefined) throw new InternalError(`%${value} has no type`);
    return { name: value, type };
  };
  return {
    name,
    type: valueNamed(name).type,
    operands: operands.map(valueNamed),
    nodes: graph.nodes.filter((node) => needed.has(node.name)),
  };
};

/** The value by definition. `operands`: in the order of the unit's, all of one batch. */
export const evaluateUnit = (unit: Unit, operands: ReadonlyArray<Tensor>): Tensor => {
  const values = new Map(unit.operands.map(({ name }, k): [ValueName, Tensor] => [name, operands[k]!]));
  const get = (name: ValueName): Tensor => {
    const value = values.get(name);
    if (value === undefined) throw new InternalError(`%${name} is used before it is defined`);
    return value;
  };
  for (const node of unit.nodes) {
    values.set(node.name, evaluateOp(node.op, node.operands.map(get), node.type));
  }
  return get(unit.name);
};

/** A unit over single elements, with one element for each channel. */
export const narrowed = (unit: Unit): Unit => {
  const shape = (type: ValueType): ValueType => ({ ...type, shape: [channelsOf(type)] });
  return {
    ...unit,
    type: shape(unit.type),
    operands: unit.operands.map((o) => ({ ...o, type: shape(o.type) })),
    nodes: unit.nodes.map((node) => ({ ...node, type: shape(node.type) })),
  };
};
