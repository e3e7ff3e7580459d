/** The edge-table layer: one table row per input and code, added. No multiplication, no branch. */
import * as E from 'fp-ts/lib/Either.js';
import { edgeRange, type Interval } from '../../numeric/ranges.js';
import { constantOf, integer, perChannelOf, record } from '../codec.js';
import { type Constant, firstUnfit, type PerChannel } from '../constant.js';
import { int, maxOf, minOf } from '../element.js';
import { defineOp, NO_COST, type Rule } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { levelsOf, type ValueType, valueType } from '../types.js';
import { fitsChannels } from './affine.js';

/** What both table forms have: the bias in accumulator units, what an accumulator means, its width and range. */
export interface Accumulation {
  /** i32[O], where the accumulators start; absent means 0. */
  readonly bias?: Constant;
  readonly scale: PerChannel;
  /** Bits of the accumulator: 8, 16 or 32. */
  readonly acc: number;
  /** Proven bounds of every partial sum. */
  readonly lo: number;
  readonly hi: number;
}

export interface TableEdgeAttrs extends Accumulation {
  /** int[S, levels, O]. */
  readonly table: Constant;
  /** uint[I]: which slab of the table each input uses. Absent: slab i for input i. */
  readonly slabs?: Constant;
}

const Int32 = integer(-(2 ** 31), 2 ** 31 - 1);

export const ACCUMULATION = {
  required: { scale: perChannelOf('f32'), acc: integer(8, 32), lo: Int32, hi: Int32 },
  optional: { bias: constantOf('int', 1) },
};

/** The type rule that both table forms share: the accumulators of `outputs` outputs. */
export const accumulatorType = (a: Accumulation, outputs: number): Rule<ValueType> => {
  if (a.acc !== 8 && a.acc !== 16 && a.acc !== 32) return E.left(`acc must be 8, 16 or 32, found ${a.acc}`);
  if (a.lo > 0 || a.hi < 0) return E.left(`range [${a.lo}, ${a.hi}] does not hold 0`);
  if (a.bias !== undefined && a.bias.shape[0] !== outputs) {
    return E.left(`bias has ${a.bias.shape[0]} elements for ${outputs} outputs`);
  }
  const fits = fitsChannels('scale', a.scale, outputs);
  if (E.isLeft(fits)) return fits;
  return E.right(valueType(int(a.acc), [outputs], { _tag: 'scaled', scale: a.scale, lo: a.lo, hi: a.hi }));
};

/** Checks that a declared range holds what was computed, and fits the accumulator. */
export const checkRange = (a: Accumulation, proven: Interval): Rule<void> => {
  if (proven.lo < a.lo || proven.hi > a.hi) {
    return E.left(`partial sums reach [${proven.lo}, ${proven.hi}], outside the declared [${a.lo}, ${a.hi}]`);
  }
  const e = int(a.acc);
  return a.lo < minOf(e) || a.hi > maxOf(e)
    ? E.left(`the range [${a.lo}, ${a.hi}] does not fit i${a.acc}`)
    : E.right(undefined);
};

export const slabOf = (a: TableEdgeAttrs, input: number): number => a.slabs?.data[input] ?? input;

/** The proven interval of all partial sums of a layer with `inputs` inputs. */
export const edgeTableRange = (
  a: Pick<TableEdgeAttrs, 'table' | 'slabs' | 'bias'>,
  inputs: number,
): Interval => {
  const [, codes, outputs] = a.table.shape;
  return edgeRange(a.table.data, (i) => a.slabs?.data[i] ?? i, inputs, codes!, outputs!, a.bias?.data);
};

export const tableEdge = defineOp<'table.edge', TableEdgeAttrs>({
  kind: 'table.edge',
  summary: 'acc[o] = bias[o] + sum over inputs i of table[slabs[i], code[i], o]',
  levels: ['table'],
  operands: 1,
  attrs: record(
    { table: constantOf('int', 3), ...ACCUMULATION.required },
    { slabs: constantOf('uint', 1), ...ACCUMULATION.optional },
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'uint' || x.shape.length !== 1) {
      return E.left('takes codes of type u[n, I]');
    }
    const [slabs, codes, outputs] = a.table.shape;
    if (codes !== levelsOf(x))
      return E.left(`the table has ${codes} codes, the operand ${levelsOf(x)} levels`);
    const given = a.slabs === undefined ? slabs : a.slabs.shape[0];
    if (given !== x.shape[0]) return E.left(`tables for ${given} inputs, but the operand has ${x.shape[0]}`);
    return accumulatorType(a, outputs!);
  },
  check: (a) => {
    const wrong = a.slabs?.data.findIndex((s: number) => s >= a.table.shape[0]!) ?? -1;
    if (wrong >= 0) return E.left(`slab ${a.slabs?.data[wrong]} of ${a.table.shape[0]}`);
    return firstUnfit(a.table) >= 0 ? E.left('a table entry does not fit its bits') : E.right(undefined);
  },
  prove: (a, [x]) => checkRange(a, edgeTableRange(a, x!.shape[0]!)),
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const inputs = x!.type.shape[0]!;
    const [, codes, outputs] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
    const table = a.table.data;
    const acc = new Int32Array(outputs);
    for (let n = 0; n < x!.batch; n++) {
      acc.fill(0);
      if (a.bias !== undefined) acc.set(a.bias.data);
      for (let i = 0; i < inputs; i++) {
        const row = (slabOf(a, i) * codes + x!.data[n * inputs + i]!) * outputs;
        for (let o = 0; o < outputs; o++) acc[o]! += table[row + o]!;
      }
      result.data.set(acc, n * outputs);
    }
    return result;
  },
  cost: (a, [x], type) => ({
    ...NO_COST,
    adds: x!.shape[0]! * type.shape[0]!,
    addBits: a.acc,
    reads: x!.shape[0]!,
    bytes: a.table.data.byteLength + (a.slabs?.data.byteLength ?? 0) + (a.bias?.data.byteLength ?? 0),
  }),
});
