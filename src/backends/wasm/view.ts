/** What planning asks about a graph, and which of its values need no kernel. */
import { type Graph, type Node, usesOf, type Value, type ValueName } from '../../ir/graph.js';
import { levelsOf } from '../../ir/types.js';
import { keepsOrder, permutation } from '../shared/image.js';
import { type GraphValues, valuesOf } from '../shared/values.js';
import type { CodeSource } from './kernels/code-source.js';
import { storageOf } from './storage.js';

/** Maps from wider codes are applied on their own: a table for every layer would outgrow the cache. */
const LARGEST_FUSED_MAP = 1024;

export interface GraphView extends GraphValues {
  /** Nodes that have no kernel of their own. */
  readonly absorbed: ReadonlySet<ValueName>;
  /** The codes of a layer's operand, and the value that they are read from. */
  readonly source: (operand: ValueName) => { readonly from: ValueName; readonly codes: CodeSource };
}

export const viewOf = (graph: Graph): GraphView => {
  const { definitions, value, root, isFree } = valuesOf(
    graph,
    (node, operand) =>
      node.op.kind === 'observe' || (node.op.kind === 'reshape' && keepsOrder(operand, node.type)),
  );
  const uses = usesOf(graph);
  const trace = (operand: ValueName): Trace => traceCodes(operand, definitions, uses, value);
  // Windows read images as they are: a map applied once costs less than one at every tap.
  const layers = graph.nodes.filter(
    ({ op }) => (op.kind === 'table.edge' || op.kind === 'table.basis') && op.attrs.window === undefined,
  );
  const absorbed = new Set([
    ...graph.nodes.filter(isFree).map((n) => n.name),
    ...layers.flatMap((n) => trace(n.operands[0]!).passed),
  ]);
  return {
    definitions,
    value,
    root,
    absorbed,
    source: (operand) => {
      const { from, codes } = trace(operand);
      return { from: root(from), codes };
    },
  };
};

interface Trace {
  readonly from: ValueName;
  readonly codes: CodeSource;
  /** Values on the way that only this layer reads. */
  readonly passed: ReadonlyArray<ValueName>;
}

/** Walks from a layer's operand towards the input, through values that nothing else uses. */
const traceCodes = (
  operand: ValueName,
  definitions: ReadonlyMap<ValueName, Node>,
  uses: ReadonlyMap<ValueName, number>,
  value: (name: ValueName) => Value,
): Trace => {
  let from = operand;
  let positions: ArrayLike<number> | undefined;
  let map: ArrayLike<number> | undefined;
  const passed: ValueName[] = [];
  for (;;) {
    const node = definitions.get(from);
    if (node === undefined) break;
    const { op } = node;
    const onlyUse = uses.get(from) === 1;
    const next = node.operands[0]!;
    const operandType = value(next).type;
    let moved: ArrayLike<number> | undefined;
    if (op.kind === 'gather' && onlyUse && node.type.shape.length === 1) {
      moved = op.attrs.indices.data;
    } else if (op.kind === 'reshape' && onlyUse) {
      moved = keepsOrder(operandType, node.type) ? undefined : permutation(operandType, node.type, (j) => j);
    } else if (
      op.kind === 'recode' &&
      onlyUse &&
      op.attrs.map.shape[0] === 1 &&
      op.attrs.map.data.length <= LARGEST_FUSED_MAP
    ) {
      const [codes, seen] = [op.attrs.map.data, map];
      map = seen === undefined ? codes : Array.from(codes, (c) => seen[c]!);
    } else if (op.kind !== 'observe') {
      break;
    }
    if (moved !== undefined) {
      const [indices, seen] = [moved, positions];
      positions = seen === undefined ? indices : Array.from(seen, (p) => indices[p]!);
    }
    passed.push(from);
    from = next;
  }
  const { type } = value(from);
  return {
    from,
    passed,
    codes: {
      storage: storageOf(type.element),
      levels: levelsOf(type),
      ...(positions === undefined ? {} : { positions }),
      ...(map === undefined ? {} : { map }),
    },
  };
};
