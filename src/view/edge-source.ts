/** The edges of a layer wherever they are found: float functions, tables, the inputs that calibration saw. */
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { channel as channelValue } from '../ir/constant.js';
import type { Node } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { type TableLayer, tableLayerOf } from '../ir/table-layer.js';

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

export interface TableForm extends Pick<TableLayer, 'form' | 'inputs' | 'outputs' | 'groups' | 'levels'> {
  readonly table: Evaluate;
}

/** A table layer as what it adds for each code, in the unit of its outputs; undefined for other ops. */
export const tableFormOf = ({ op }: Node): TableForm | undefined => {
  const layer = tableLayerOf(op);
  if (layer === undefined) return undefined;
  const { form, inputs, outputs, groups, levels, scale } = layer;
  const table: Evaluate = (i, code, out) => {
    out.fill(0);
    layer.addRow(i, code, out, 0);
    // The first output of the group that the input belongs to.
    const first = Math.floor((i * groups) / inputs) * outputs;
    for (let o = 0; o < outputs; o++) out[o]! *= channelValue(scale, first + o);
  };
  return { form, table, inputs, outputs, groups, levels };
};
