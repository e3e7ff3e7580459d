/** The edges of a layer wherever they are found: float functions, tables, the inputs that calibration saw. */
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { channel as channelValue } from '../ir/constant.js';
import type { Node } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { TableBasisAttrs } from '../ir/ops/table-basis.js';
import { slabOf, type TableEdgeAttrs } from '../ir/ops/table-edge.js';

/** A value that an input took, with the code it got (-1 where nothing is coded) and how often. */
export interface Point {
  readonly x: number;
  readonly code: number;
  readonly weight: number;
}

/** One channel of the value that a layer reads. */
export interface Channel {
  readonly points: ReadonlyArray<Point>;
  /** Whether the points come from data; else they only span the range. */
  readonly observed: boolean;
  /** What each code stands for; empty where nothing is coded. */
  readonly values: ReadonlyArray<number>;
  /** Where the functions are worth drawing, when points do not tell. */
  readonly range?: readonly [number, number];
}

/** Writes what all outputs of a group get from input `i`. */
type Evaluate = (i: number, at: number, out: Float64Array) => void;

export interface EdgeSource {
  readonly name: string;
  readonly inputs: number;
  /** Outputs of one group. */
  readonly outputs: number;
  readonly groups: number;
  readonly channels: ReadonlyArray<Channel>;
  readonly channelOf: (i: number) => number;
  readonly form: 'edge' | 'basis' | 'codes' | 'none';
  /** The float function at a value. */
  readonly value?: Evaluate;
  /** What the program adds for a code, in the unit of the outputs; without the constant that is in the bias. */
  readonly table?: Evaluate;
  /** Edges that the last graph does not have any more: their tables are those before they were removed. */
  readonly removedEdges?: number;
  /** False where the last graph has no layer with these edges, so that tables are those of a graph before it. */
  readonly isLast?: boolean;
}

/** The float functions of a layer. */
export const functionsOf = (layer: KanAttrs): Evaluate => {
  const branches = layer.branches.map(branchEvaluator);
  return (i, x, out) => {
    out.fill(0);
    for (const b of branches) accumulateInput(b, i, x, out);
  };
};

/** The first output of the group that input `i` belongs to. */
const firstOutput = (i: number, inputs: number, groups: number, outputs: number): number =>
  Math.floor((i * groups) / inputs) * outputs;

const edgeTable = (a: TableEdgeAttrs, inputs: number): Evaluate => {
  const [rows, width] = [a.table.shape[1] ?? 0, a.table.shape[2] ?? 0];
  const groups = a.window?.groups ?? 1;
  return (i, code, out) => {
    const first = firstOutput(i, inputs, groups, width);
    const row = (slabOf(a, i) * rows + code) * width;
    for (let o = 0; o < width; o++) out[o] = (a.table.data[row + o] ?? 0) * channelValue(a.scale, first + o);
  };
};

const basisTable = (a: TableBasisAttrs, inputs: number): Evaluate => {
  const [functions, width] = [a.coefficients.shape[1] ?? 0, a.coefficients.shape[2] ?? 0];
  const terms = a.basis.shape[1] ?? 0;
  const levels = a.span.shape[1] ?? 0;
  const groups = a.window?.groups ?? 1;
  return (i, code, out) => {
    const at = (a.rows?.data[i] ?? 0) * levels + code;
    out.fill(0);
    for (let j = 0; j < terms; j++) {
      const b = (a.basis.data[(a.frac.data[at] ?? 0) * terms + j] ?? 0) << a.shift;
      const row = (i * functions + (a.span.data[at] ?? 0) + j) * width;
      for (let o = 0; o < width; o++) out[o]! += (a.coefficients.data[row + o] ?? 0) * b;
    }
    const base = a.baseTable?.data[at] ?? 0;
    const first = firstOutput(i, inputs, groups, width);
    for (let o = 0; o < width; o++) {
      const sum = (out[o] ?? 0) + (a.base?.data[i * width + o] ?? 0) * base;
      out[o] = sum * channelValue(a.scale, first + o);
    }
  };
};

export interface TableForm {
  readonly form: 'edge' | 'basis';
  readonly table: Evaluate;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
}

/** A table layer as what it adds for each code; undefined for other ops. */
export const tableFormOf = ({ op }: Node): TableForm | undefined => {
  if (op.kind === 'table.edge') {
    const inputs = op.attrs.slabs?.shape[0] ?? op.attrs.table.shape[0] ?? 0;
    return {
      form: 'edge',
      table: edgeTable(op.attrs, inputs),
      inputs,
      outputs: op.attrs.table.shape[2] ?? 0,
      groups: op.attrs.window?.groups ?? 1,
    };
  }
  if (op.kind === 'table.basis') {
    const inputs = op.attrs.coefficients.shape[0] ?? 0;
    return {
      form: 'basis',
      table: basisTable(op.attrs, inputs),
      inputs,
      outputs: op.attrs.coefficients.shape[2] ?? 0,
      groups: op.attrs.window?.groups ?? 1,
    };
  }
  return undefined;
};
