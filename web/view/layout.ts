/** Where ops stand: a layered drawing by dagre. */
import dagre from '@dagrejs/dagre';
import type { NodeView } from '../../src/view/model.js';

export const BOX = { width: 232, height: 58 } as const;

export interface Placed {
  readonly node: NodeView;
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly from: string;
  readonly to: string;
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number }>;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyArray<Placed>;
  readonly lines: ReadonlyArray<Line>;
}

export const layoutOf = (nodes: ReadonlyArray<NodeView>): Layout => {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 24, ranksep: 30, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of nodes) graph.setNode(name, { ...BOX });
  for (const { name, operands } of nodes) {
    for (const operand of operands) if (graph.hasNode(operand)) graph.setEdge(operand, name);
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    boxes: nodes.map((node) => {
      const { x = 0, y = 0 } = graph.node(node.name);
      return { node, x, y };
    }),
    lines: graph.edges().map(({ v, w }) => ({ from: v, to: w, points: graph.edge(v, w).points ?? [] })),
  };
};
