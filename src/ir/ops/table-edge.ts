/** The edge-table layer: one table row per input and code, added. No multiplication, no branch. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Rule } from '../../diagnostics/index.js';
import { edgeRange, type Interval } from '../../numeric/ranges.js';
import { constantOf, record } from '../codec.js';
import type { Constant } from '../constant.js';
import { accumulatorFor } from '../element.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { levelsOf, sizeOf, type ValueType } from '../types.js';
import { forEachWindowInput, isPadded, type Window, WindowCodec } from '../window.js';
import {
  ACCUMULATION,
  type Accumulation,
  checkRange,
  edgesOf,
  entriesFit,
  FREQUENT,
  type Frequent,
  frequentFits,
  frequentWithin,
  layerInputs,
  storeChannelsFirst,
  tableResult,
} from './layers.js';

export interface TableEdgeAttrs extends Accumulation, Frequent {
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

/** Proves the range of an edge table and picks the narrowest accumulator for it; undefined beyond 32 bits. */
export const withAccumulator = (
  parts: Omit<TableEdgeAttrs, 'acc' | 'lo' | 'hi'>,
  inputs: number,
): TableEdgeAttrs | undefined => {
  const range = edgeTableRange(parts, inputs);
  const acc = accumulatorFor(range.lo, range.hi);
  if (acc === undefined || acc.kind !== 'int') return undefined;
  // Eight-bit accumulators save nothing: the next layer widens them at once.
  return { ...parts, acc: Math.max(16, acc.bits), lo: range.lo, hi: range.hi };
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
  const inputs = layerInputs(x.shape, a.window);
  if (given !== inputs) return E.left(`tables for ${given} inputs, but the operand has ${inputs}`);
  return pipe(
    frequentFits(a, inputs),
    E.flatMap(() => tableResult(a, x.shape, width)),
  );
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
  const [rows, width] = [a.table.shape[1]!, a.table.shape[2]!];
  const outputs = width * w.groups;
  acc.fill(0);
  if (a.bias !== undefined) for (let to = 0; to < acc.length; to += outputs) acc.set(a.bias.data, to);
  forEachWindowInput(w, shape, (position, group, input, pixel) => {
    const row = slabOf(a, input) * rows + (pixel < 0 ? rows - 1 : codes[at + pixel]!);
    addRow(a.table.data, row * width, width, acc, position * outputs + group * width);
  });
};

const addRow = (table: ArrayLike<number>, row: number, width: number, acc: Int32Array, to: number): void => {
  for (let o = 0; o < width; o++) acc[to + o]! += table[row + o]!;
};

export const tableEdge = defineOp<'table.edge', TableEdgeAttrs, 'table'>({
  kind: 'table.edge',
  role: { _tag: 'table' },
  summary: 'acc[o] = bias[o] + sum over inputs i of table[slabs[i], code[i], o]',
  doc: {
    does: 'a layer as tables of edges: from codes to accumulators',
    text: [
      '`acc[o] = bias[o] + sum over i of table[slab(i), code[i], o]`, exact in integers, in the order of i: u[n, I] to i{acc}[n, O]<scaled>, or from images of codes to images of accumulators.',
      '',
      '- `table`: int[S, levels, O]. Over padded windows int[S, levels + 1, O]: the last row is what a tap in the padding adds.',
      '- `slabs?`: uint[I], the slab of each input; absent: slab i for input i.',
      '- `bias?`: int[O], where the accumulators start.',
      '- `acc`: 8, 16 or 32, the bits of an accumulator. `lo`, `hi`: the proven range. `scale`: per channel of the result.',
      '- `frequent?`: uint[I], without windows only: a code that the input often has, or the number of levels. It changes no value: a backend may know beforehand what inputs add at these codes, and look up the others only.',
      '- `window?`: see above.',
    ],
  },
  levels: ['table'],
  operands: 1,
  attrs: record(
    { table: constantOf('int', 3), ...ACCUMULATION.required },
    { slabs: constantOf('uint', 1), window: WindowCodec, ...FREQUENT, ...ACCUMULATION.optional },
  ),
  infer: (a, [x]) => inferEdge(a, x),
  check: (a) => {
    const wrong = a.slabs?.data.findIndex((s: number) => s >= a.table.shape[0]!) ?? -1;
    if (wrong >= 0) return E.left(`slab ${a.slabs?.data[wrong]} of ${a.table.shape[0]}`);
    return pipe(
      frequentWithin(a, a.table.shape[1]!),
      E.flatMap(() => entriesFit([a.table])),
    );
  },
  prove: (a, [x]) => checkRange(a, edgeTableRange(a, layerInputs(x!.shape, a.window))),
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
