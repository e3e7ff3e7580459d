/** The layers of a table graph edge by edge, whatever form their tables have: the unrolled form has no other. */
import type { Node } from '../../ir/graph.js';
import type { TableBasisAttrs } from '../../ir/ops/table-basis.js';
import { slabOf, type TableEdgeAttrs } from '../../ir/ops/table-edge.js';
import { innerOf, type ValueType } from '../../ir/types.js';
import { forEachWindowInput, type Window } from '../../ir/window.js';

/** One edge: which element of the operand it reads, and what each code of that adds. */
export interface Edge {
  readonly element: number;
  readonly value: (code: number) => number;
}

export interface EdgeSum {
  readonly bias: number;
  readonly edges: ReadonlyArray<Edge>;
}

/** What an input of a layer adds to one of its outputs; code -1 stands for the padding. */
type EdgeValue = (input: number, output: number, code: number) => number;

const edgeValue =
  (a: TableEdgeAttrs): EdgeValue =>
  (input, output, code) => {
    const [rows, width] = [a.table.shape[1]!, a.table.shape[2]!];
    return a.table.data[(slabOf(a, input) * rows + (code < 0 ? rows - 1 : code)) * width + output]!;
  };

const basisValue =
  (a: TableBasisAttrs): EdgeValue =>
  (input, output, code) => {
    if (code < 0) return 0;
    const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
    const width = a.basis.shape[1]!;
    const at = (a.rows?.data[input] ?? 0) * a.span.shape[1]! + code;
    let sum = 0;
    for (let j = 0; j < width; j++) {
      const b = a.basis.data[a.frac.data[at]! * width + j]! * 2 ** a.shift;
      sum += b * a.coefficients.data[(input * functions + a.span.data[at]! + j) * outputs + output]!;
    }
    if (a.base === undefined || a.baseTable === undefined) return sum;
    return sum + a.base.data[input * outputs + output]! * a.baseTable.data[at]!;
  };

interface LayerForm {
  readonly value: EdgeValue;
  /** Outputs of one group. */
  readonly width: number;
  readonly window: Window | undefined;
  readonly bias: ArrayLike<number> | undefined;
}

const formOf = ({ op }: Node): LayerForm | undefined => {
  if (op.kind === 'table.edge') {
    const { window, bias, table } = op.attrs;
    return { value: edgeValue(op.attrs), width: table.shape[2]!, window, bias: bias?.data };
  }
  if (op.kind === 'table.basis') {
    const { window, bias, coefficients } = op.attrs;
    return { value: basisValue(op.attrs), width: coefficients.shape[2]!, window, bias: bias?.data };
  }
  return undefined;
};

/** How many edges a node unrolls to, without making them; 0 for what has none. */
export const countEdges = (node: Node, operands: ReadonlyArray<ValueType>): number => {
  const form = formOf(node);
  const [x] = operands;
  if (form === undefined || x === undefined) return 0;
  const { window, width } = form;
  if (window === undefined) return x.shape[0]! * width;
  const taps = (x.shape[0]! / window.groups) * window.kernel[0] * window.kernel[1];
  return taps * window.groups * width * innerOf(node.type);
};

/** The sums of a layer, by element of its result. */
export const edgeSums = (node: Node, x: ValueType): ReadonlyArray<EdgeSum> | undefined => {
  const form = formOf(node);
  if (form === undefined) return undefined;
  const { value, width, window, bias } = form;
  const edge = (input: number, output: number, element: number): Edge => ({
    element,
    value: (code) => value(input, output, code),
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
      if (pixel < 0) sum.bias += value(input, o, -1);
      else sum.edges.push(edge(input, o, pixel));
    }
  });
  return sums;
};
