/** The edge-table layer: one table row per input and code, added. No multiplication, no branch. */
import * as E from 'fp-ts/lib/Either.js';
import { edgeRange, type Interval } from '../../numeric/ranges.js';
import { constantOf, record } from '../codec.js';
import { type Constant, firstUnfit } from '../constant.js';
import { defineOp, NO_COST, type Rule } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { levelsOf, sizeOf, type ValueType, valueType } from '../types.js';
import { isPadded, tapsOf, type Window, WindowCodec, windowOutput, windowShape } from '../window.js';
import { ACCUMULATION, type Accumulation, accumulatorType, checkRange } from './accumulation.js';
import { edgesOf, storeChannelsFirst } from './layers.js';

export interface TableEdgeAttrs extends Accumulation {
  /**
   * int[S, levels, O]; over windows O is the outputs of one group, and where windows are padded there is a row
   * more, after those of the codes: what a tap in the padding adds.
   */
  readonly table: Constant;
  /** uint[I]: which slab of the table each input uses. Absent: slab i for input i. */
  readonly slabs?: Constant;
  /** The layer is applied to every window of an image of codes [C, H, W]; I is the taps of all groups. */
  readonly window?: Window;
}

export const slabOf = (a: TableEdgeAttrs, input: number): number => a.slabs?.data[input] ?? input;

/** Rows of a slab: the codes, and the padding where there is some. */
const rowsOf = (levels: number, window: Window | undefined): number =>
  window !== undefined && isPadded(window) ? levels + 1 : levels;

/** The proven interval of all partial sums of a layer with `inputs` inputs: the hull over groups. */
export const edgeTableRange = (
  a: Pick<TableEdgeAttrs, 'table' | 'slabs' | 'bias' | 'window'>,
  inputs: number,
): Interval => {
  const [rows, width] = [a.table.shape[1]!, a.table.shape[2]!];
  const groups = a.window?.groups ?? 1;
  const taps = inputs / groups;
  let [lo, hi] = [0, 0];
  for (let g = 0; g < groups; g++) {
    const slab = (i: number): number => a.slabs?.data[g * taps + i] ?? g * taps + i;
    const bias = a.bias?.data.subarray(g * width, (g + 1) * width);
    const range = edgeRange(a.table.data, slab, taps, rows, width, bias);
    [lo, hi] = [Math.min(lo, range.lo), Math.max(hi, range.hi)];
  }
  return { lo, hi };
};

/** Inputs of a table layer on a value: its features, or the taps of all groups. */
export const tableInputs = (shape: ReadonlyArray<number>, window: Window | undefined): number =>
  window === undefined ? shape[0]! : tapsOf(window, shape[0]!) * window.groups;

/** The type rule of the result that both table forms share. */
export const tableResult = (
  a: Accumulation & { readonly window?: Window },
  shape: ReadonlyArray<number>,
  width: number,
): Rule<ValueType> => {
  const outputs = width * (a.window?.groups ?? 1);
  const acc = accumulatorType(a, outputs);
  if (E.isLeft(acc) || a.window === undefined) return acc;
  const result = windowShape(a.window, shape, outputs);
  return typeof result === 'string'
    ? E.left(result)
    : E.right(valueType(acc.right.element, result, acc.right.meaning));
};

const inferEdge = (a: TableEdgeAttrs, x: ValueType | undefined): Rule<ValueType> => {
  const rank = a.window === undefined ? 1 : 3;
  if (x === undefined || x.element.kind !== 'uint' || x.shape.length !== rank) {
    return E.left(`takes codes of type u[n, ${rank === 1 ? 'I' : 'C, H, W'}]`);
  }
  const [slabs, rows, width] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const levels = levelsOf(x);
  if (rows !== rowsOf(levels, a.window)) {
    const padding = rows !== levels && rowsOf(levels, a.window) > levels ? ' and a row for padding' : '';
    return E.left(`the table has ${rows} codes, the operand ${levels} levels${padding}`);
  }
  const given = a.slabs === undefined ? slabs : a.slabs.shape[0]!;
  const inputs = tableInputs(x.shape, a.window);
  if (given !== inputs) return E.left(`tables for ${given} inputs, but the operand has ${inputs}`);
  return tableResult(a, x.shape, width);
};

const dense = (
  a: TableEdgeAttrs,
  inputs: number,
  codes: ArrayLike<number>,
  at: number,
  acc: Int32Array,
): void => {
  const [rows, width] = [a.table.shape[1]!, a.table.shape[2]!];
  acc.fill(0);
  if (a.bias !== undefined) acc.set(a.bias.data);
  for (let i = 0; i < inputs; i++)
    addRow(a.table.data, (slabOf(a, i) * rows + codes[at + i]!) * width, width, acc, 0);
};

/** `acc` is [position, output]. */
const windowed = (
  a: TableEdgeAttrs,
  w: Window,
  shape: ReadonlyArray<number>,
  codes: ArrayLike<number>,
  at: number,
  acc: Int32Array,
): void => {
  const [channels, height, imageWidth] = [shape[0]!, shape[1]!, shape[2]!];
  const [rows, width] = [a.table.shape[1]!, a.table.shape[2]!];
  const outputs = width * w.groups;
  const area = w.kernel[0] * w.kernel[1];
  const perGroup = channels / w.groups;
  const size = windowOutput(w, height, imageWidth) ?? [0, 0];
  for (let p = 0; p < size[0] * size[1]; p++) {
    acc.fill(0, p * outputs, (p + 1) * outputs);
    if (a.bias !== undefined) acc.set(a.bias.data, p * outputs);
    for (let c = 0; c < channels; c++) {
      const to = p * outputs + Math.floor(c / perGroup) * width;
      for (let tap = 0; tap < area; tap++) {
        const y =
          Math.floor(p / size[1]) * w.stride[0] -
          w.padding[0] +
          Math.floor(tap / w.kernel[1]) * w.dilation[0];
        const x = (p % size[1]) * w.stride[1] - w.padding[1] + (tap % w.kernel[1]) * w.dilation[1];
        const inside = y >= 0 && y < height && x >= 0 && x < imageWidth;
        const row = inside ? codes[at + (c * height + y) * imageWidth + x]! : rows - 1;
        addRow(a.table.data, (slabOf(a, c * area + tap) * rows + row) * width, width, acc, to);
      }
    }
  }
};

const addRow = (table: ArrayLike<number>, row: number, width: number, acc: Int32Array, to: number): void => {
  for (let o = 0; o < width; o++) acc[to + o]! += table[row + o]!;
};

export const tableEdge = defineOp<'table.edge', TableEdgeAttrs>({
  kind: 'table.edge',
  summary: 'acc[o] = bias[o] + sum over inputs i of table[slabs[i], code[i], o]',
  levels: ['table'],
  operands: 1,
  attrs: record(
    { table: constantOf('int', 3), ...ACCUMULATION.required },
    { slabs: constantOf('uint', 1), window: WindowCodec, ...ACCUMULATION.optional },
  ),
  infer: (a, [x]) => inferEdge(a, x),
  check: (a) => {
    const wrong = a.slabs?.data.findIndex((s: number) => s >= a.table.shape[0]!) ?? -1;
    if (wrong >= 0) return E.left(`slab ${a.slabs?.data[wrong]} of ${a.table.shape[0]}`);
    return firstUnfit(a.table) >= 0 ? E.left('a table entry does not fit its bits') : E.right(undefined);
  },
  prove: (a, [x]) => checkRange(a, edgeTableRange(a, tableInputs(x!.shape, a.window))),
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const size = sizeOf(x!.type);
    const acc = new Int32Array(sizeOf(type));
    for (let n = 0; n < x!.batch; n++) {
      if (a.window === undefined) dense(a, size, x!.data, n * size, acc);
      else windowed(a, a.window, x!.type.shape, x!.data, n * size, acc);
      storeChannelsFirst(acc, type, result.data, n * acc.length);
    }
    return result;
  },
  cost: (a, [x], type) => ({
    ...NO_COST,
    adds: edgesOf(x!, type, a.window),
    addBits: a.acc,
    reads: edgesOf(x!, type, a.window) / a.table.shape[2]!,
    bytes: a.table.data.byteLength + (a.slabs?.data.byteLength ?? 0) + (a.bias?.data.byteLength ?? 0),
  }),
});
