/** Graphs as the page draws them, and what a pass changed of one. */

import { workOf } from '../analyses/work.js';
import { isConstant, showConstantType } from '../ir/constant.js';
import { showElement, type TypedArray } from '../ir/element.js';
import { type Graph, type Node, typesOf } from '../ir/graph.js';
import { costOf, encodeAttrs } from '../ir/ops/index.js';
import { showNode } from '../ir/print.js';
import { fieldsOf, showValue } from '../ir/print-value.js';
import { shortName } from '../ir/resources.js';
import { isTableLayer } from '../ir/table-layer.js';
import type { ValueType } from '../ir/types.js';
import type { AttrView, Change, NodeView } from './model.js';
import { brief } from './pack.js';

const showShape = (type: ValueType): string =>
  `${showElement(type.element)}[${['n', ...type.shape].join(', ')}]`;

const MOST_TEXT = 240;

const cut = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}...` : text);

const rangeOf = (data: TypedArray): readonly [number, number] => {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of data) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return [brief(lo), brief(hi)];
};

const attrView = (name: string, value: unknown): AttrView =>
  isConstant(value)
    ? { name, value: showConstantType(value), range: rangeOf(value.data) }
    : { name, value: cut(showValue(value, shortName)) };

/** Attributes, with the constants of branches as attributes of their own. */
const attrsOf = ({ op }: Node): ReadonlyArray<AttrView> => {
  const attrs = encodeAttrs(op);
  if (typeof attrs !== 'object' || attrs === null) return [];
  return fieldsOf(attrs).flatMap(([name, value]) =>
    name === 'branches' && Array.isArray(value)
      ? value.map((branch: unknown, k) => attrView(`branches[${k}]`, branch))
      : [attrView(name, value)],
  );
};

/** What a graph was before a pass, by the names of its values. */
type Before = ReadonlyMap<string, Node>;

/** Ops are shared by reference where a pass keeps them; else their text tells. */
const same = (a: Node, b: Node): boolean =>
  (a.op === b.op && a.operands.join() === b.operands.join()) || showNode(a) === showNode(b);

const changeOf = (node: Node, before: Before | undefined): Change => {
  if (before === undefined) return 'same';
  const old = before.get(node.name);
  if (old === undefined) return 'added';
  return same(old, node) ? 'same' : 'changed';
};

const nodeView = (
  node: Node,
  types: ReadonlyMap<string, ValueType>,
  change: Change,
  layers: ReadonlyArray<string>,
): NodeView => {
  const work = workOf(
    costOf(
      node.op,
      node.operands.flatMap((o) => types.get(o) ?? []),
      node.type,
    ),
  );
  const layer = layerIndex(node, layers);
  return {
    name: node.name,
    op: node.op.kind,
    operands: node.operands,
    type: showShape(node.type),
    ...(node.type.meaning === undefined ? {} : { meaning: cut(showValue(node.type.meaning, shortName)) }),
    change,
    attrs: attrsOf(node),
    bytes: work.bytes,
    bitOps: work.bitOps,
    reads: work.reads,
    ...(layer < 0 ? {} : { layer }),
  };
};

/** The layer that an op computes: `tabulate` names accumulators after it. */
const layerIndex = ({ name, op }: Node, layers: ReadonlyArray<string>): number => {
  if (op.kind !== 'kan' && !isTableLayer(op)) return -1;
  return layers.findIndex(
    (layer) =>
      name === layer || (name.startsWith(layer) && /^_acc\d*(?:_live\d*)?$/.test(name.slice(layer.length))),
  );
};

/** The ops of a graph in order, then those that it does not have any more. */
export const nodeViews = (
  graph: Graph,
  before: Graph | undefined,
  layers: ReadonlyArray<string>,
): ReadonlyArray<NodeView> => {
  const types = typesOf(graph);
  const old = before === undefined ? undefined : new Map<string, Node>(before.nodes.map((n) => [n.name, n]));
  const names = new Set<string>([...graph.inputs, ...graph.nodes].map(({ name }) => name));
  const end = (
    name: string,
    op: string,
    operands: ReadonlyArray<string>,
    type: string,
    change: Change,
  ): NodeView => ({
    name,
    op,
    operands,
    type,
    change,
    attrs: [],
    bytes: 0,
    bitOps: 0,
    reads: 0,
  });
  const inputs = graph.inputs.map((input): NodeView => {
    const was = before?.inputs.find(({ name }) => name === input.name);
    const type = showShape(input.type);
    const change = was === undefined || showShape(was.type) === type ? 'same' : 'changed';
    return end(input.name, 'input', [], type, change);
  });
  const results = graph.outputs.map((o): NodeView => {
    const type = types.get(o);
    return end(`return %${o}`, 'return', [o], type === undefined ? '' : showShape(type), 'same');
  });
  const oldTypes = before === undefined ? new Map<string, ValueType>() : typesOf(before);
  const removed = (before?.nodes ?? []).filter(({ name }) => !names.has(name));
  return [
    ...inputs,
    ...graph.nodes.map((node) => nodeView(node, types, changeOf(node, old), layers)),
    ...results,
    ...removed.map((node) => nodeView(node, oldTypes, 'removed', layers)),
  ];
};
