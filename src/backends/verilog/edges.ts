/** The layers of a table graph edge by edge, whatever form their tables have: the unrolled form has no other. */
import type { Node } from '../../ir/graph.js';
import { tableLayerOf } from '../../ir/table-layer.js';
import { innerOf, type ValueType } from '../../ir/types.js';
import { forEachWindowInput } from '../../ir/window.js';

/** One edge: which element of the operand it reads, and what each code of that adds. */
export interface Edge {
  readonly element: number;
  readonly value: (code: number) => number;
}

export interface EdgeSum {
  readonly bias: number;
  readonly edges: ReadonlyArray<Edge>;
}

/** How many edges a node unrolls to, without making them; 0 for what has none. */
export const countEdges = (node: Node, operands: ReadonlyArray<ValueType>): number => {
  const layer = tableLayerOf(node.op);
  const [x] = operands;
  if (layer === undefined || x === undefined) return 0;
  const { window, outputs: width } = layer;
  if (window === undefined) return x.shape[0]! * width;
  const taps = (x.shape[0]! / window.groups) * window.kernel[0] * window.kernel[1];
  return taps * window.groups * width * innerOf(node.type);
};

/** The sums of a layer, by element of its result. */
export const edgeSums = (node: Node, x: ValueType): ReadonlyArray<EdgeSum> | undefined => {
  const layer = tableLayerOf(node.op);
  if (layer === undefined) return undefined;
  const { outputs: width, window, levels } = layer;
  const bias = layer.bias?.data;
  const edge = (input: number, output: number, element: number): Edge => ({
    element,
    value: (code) => layer.entry(input, code, output),
  });
  if (window === undefined) {
    return Array.from({ length: width }, (_, o) => ({
      bias: bias?.[o] ?? 0,
      edges: Array.from({ length: x.shape[0]! }, (__, i) => edge(i, o, i)),
    }));
  }
  const inner = innerOf(node.type);
  const sums = Array.from({ length: node.type.shape[0]! * inner }, (_, e) => ({
    bias: bias?.[Math.floor(e / inner)] ?? 0,
    edges: [] as Edge[],
  }));
  forEachWindowInput(window, x.shape, (position, group, input, pixel) => {
    for (let o = 0; o < width; o++) {
      const sum = sums[(group * width + o) * inner + position]!;
      if (pixel < 0) sum.bias += layer.entry(input, levels, o);
      else sum.edges.push(edge(input, o, pixel));
    }
  });
  return sums;
};
