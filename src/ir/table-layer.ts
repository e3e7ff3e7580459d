/**
 * A table layer by what it computes, whatever form its tables have:
 *
 *   result[o] = bias[o] + sum over inputs i of row(i, code of i)[o]
 *
 * over the features of a value, or over the taps of every window of an image, group by group. The two forms are told apart
 * here and where their tables are made or read in their own layout; whatever asks what a layer adds asks this.
 */
import { match } from 'ts-pattern';
import { addRow } from '../numeric/rows.js';
import type { Constant, PerChannel } from './constant.js';
import type { Op, OpOf } from './ops/index.js';
import type { TableBasisAttrs } from './ops/table-basis.js';
import { slabOf, type TableEdgeAttrs } from './ops/table-edge.js';
import { isPadded, type Window } from './window.js';

export type TableLayerOp = OpOf<'table.edge' | 'table.basis'>;

export interface TableLayer {
  readonly op: TableLayerOp;
  readonly form: 'edge' | 'basis';
  /** Features, or the taps of all groups of a window. */
  readonly inputs: number;
  /** Outputs of a row: all, or those of one group. */
  readonly outputs: number;
  readonly groups: number;
  /** Codes of an input. Code `levels` is a tap in the padding, where windows are padded. */
  readonly levels: number;
  readonly window: Window | undefined;
  readonly bias: Constant | undefined;
  readonly scale: PerChannel;
  /** What the layer has for every edge: int[slabs, rows, outputs] or int[inputs, functions, outputs]. */
  readonly weights: Constant;
  /** Adds the row of an input and a code to sums[at .. at + outputs). */
  readonly addRow: (input: number, code: number, sums: Float64Array, at: number) => void;
  /** What an input adds to an output of its row at a code. */
  readonly entry: (input: number, code: number, output: number) => number;
}

export const isTableLayer = (op: Op): op is TableLayerOp =>
  op.kind === 'table.edge' || op.kind === 'table.basis';

/** The view of a layer. */
export const tableLayer = (op: TableLayerOp): TableLayer =>
  match(op)
    .with({ kind: 'table.edge' }, (layer) => ({ ...shared(layer), ...edgeLayer(layer.attrs) }))
    .with({ kind: 'table.basis' }, (layer) => ({ ...shared(layer), ...basisLayer(layer.attrs) }))
    .exhaustive();

/** The view of an op that may be a layer. */
export const tableLayerOf = (op: Op): TableLayer | undefined =>
  isTableLayer(op) ? tableLayer(op) : undefined;

type Shared = Pick<TableLayer, 'op' | 'groups' | 'window' | 'bias' | 'scale'>;

const shared = (op: TableLayerOp): Shared => ({
  op,
  groups: op.attrs.window?.groups ?? 1,
  window: op.attrs.window,
  bias: op.attrs.bias,
  scale: op.attrs.scale,
});

const edgeLayer = (a: TableEdgeAttrs): Omit<TableLayer, keyof Shared> => {
  const { data } = a.table;
  const [slabs, rows, outputs] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const rowAt = (input: number, code: number): number => (slabOf(a, input) * rows + code) * outputs;
  return {
    form: 'edge',
    inputs: a.slabs?.shape[0] ?? slabs,
    outputs,
    levels: a.window !== undefined && isPadded(a.window) ? rows - 1 : rows,
    weights: a.table,
    addRow: (input, code, sums, at) => addRow(sums, at, data, rowAt(input, code), 1, outputs),
    entry: (input, code, output) => data[rowAt(input, code) + output]!,
  };
};

/** Products stay far below 2^53, so that doubles add them exactly. */
const basisLayer = (a: TableBasisAttrs): Omit<TableLayer, keyof Shared> => {
  const { coefficients, basis, base, baseTable } = a;
  const [inputs, functions, outputs] = [
    coefficients.shape[0]!,
    coefficients.shape[1]!,
    coefficients.shape[2]!,
  ];
  const [terms, levels] = [basis.shape[1]!, a.span.shape[1]!];
  const cellOf = (input: number, code: number): number => (a.rows?.data[input] ?? 0) * levels + code;
  const basisValue = (cell: number, term: number): number =>
    basis.data[a.frac.data[cell]! * terms + term]! * 2 ** a.shift;
  const rowAt = (input: number, cell: number, term: number): number =>
    (input * functions + a.span.data[cell]! + term) * outputs;
  return {
    form: 'basis',
    inputs,
    outputs,
    levels,
    weights: coefficients,
    addRow: (input, code, sums, at) => {
      // A tap in the padding adds nothing.
      if (code >= levels) return;
      const cell = cellOf(input, code);
      for (let j = 0; j < terms; j++) {
        const value = basisValue(cell, j);
        if (value !== 0) addRow(sums, at, coefficients.data, rowAt(input, cell, j), value, outputs);
      }
      if (base === undefined || baseTable === undefined) return;
      addRow(sums, at, base.data, input * outputs, baseTable.data[cell]!, outputs);
    },
    entry: (input, code, output) => {
      if (code >= levels) return 0;
      const cell = cellOf(input, code);
      let sum = (base?.data[input * outputs + output] ?? 0) * (baseTable?.data[cell] ?? 0);
      for (let j = 0; j < terms; j++)
        sum += coefficients.data[rowAt(input, cell, j) + output]! * basisValue(cell, j);
      return sum;
    },
  };
};
