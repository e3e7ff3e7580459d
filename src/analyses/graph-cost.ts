/** What a graph costs for one sample: the sum of what the ops say. */
import { type Graph, typesOf } from '../ir/graph.js';
import { costOf } from '../ir/ops/index.js';

export interface GraphCost {
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Additions that belong to no multiplication. */
  readonly adds: number;
  /** BitOps: for a multiplication the product of its widths, for an addition its width. */
  readonly bitOps: number;
  /** Reads from tables that are indexed by data. */
  readonly reads: number;
  /** Bytes of constants; a constant that several ops use counts for each. */
  readonly bytes: number;
}

export const graphCost = (graph: Graph): GraphCost => {
  const types = typesOf(graph);
  const total = { macs: 0, adds: 0, bitOps: 0, reads: 0, bytes: 0 };
  for (const node of graph.nodes) {
    const operands = node.operands.flatMap((name) => types.get(name) ?? []);
    const cost = costOf(node.op, operands, node.type);
    total.macs += cost.macs;
    total.adds += cost.adds;
    total.bitOps += cost.macs * cost.macBits[0] * cost.macBits[1] + cost.adds * cost.addBits;
    total.reads += cost.reads;
    total.bytes += cost.bytes;
  }
  return total;
};
