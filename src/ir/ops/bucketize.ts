/**
 * From accumulators to codes by integer thresholds: what `quantize` behind `dequantize` is in integers, for any
 * quantizer. Comparisons are exact, so that nothing has to be proven.
 */
import * as E from 'fp-ts/lib/Either.js';
import { byRows, element, elements, rank, tableRows } from '../../code/language.js';
import { HOLDS } from '../../diagnostics/index.js';
import { ceilLog2 } from '../../numeric/fixed-point.js';
import { constantOf, integer, record } from '../codec.js';
import { type Constant, pickRows } from '../constant.js';
import { bytesOf } from '../element.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { pickQuantizer, type Quantizer, QuantizerCodec } from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, codesOf, sizeOf } from '../types.js';

export interface BucketizeAttrs {
  /** int[R, levels - 1], R = 1 or the number of channels; each row ascends and may repeat values. */
  readonly thresholds: Constant;
  readonly bits: number;
  /** What the code means. */
  readonly quantizer: Quantizer;
}

/** How many of thresholds[offset .. offset + count) are <= acc. Binary search. */
const codeOf = (thresholds: ArrayLike<number>, offset: number, count: number, acc: number): number => {
  let lo = 0;
  let hi = count;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (thresholds[offset + mid]! <= acc) lo = mid + 1;
    else hi = mid;
  }
  return lo;
};

export const bucketize = defineOp<'bucketize', BucketizeAttrs, 'coder'>({
  kind: 'bucketize',
  role: { _tag: 'coder' },
  summary: 'code[o] = how many of thresholds[o] are <= acc[o]',
  doc: {
    does: 'from accumulators to codes, by thresholds',
    text: [
      '`code[e] = how many of thresholds[r] are <= acc[e]`, r = c or 0, exact: i<scaled> to u{bits}<quantizer>. It stands for `quantize` of `dequantize` where the quantizer is not uniform, or where no multiplication and shift comes near it.',
      '',
      '- `thresholds`: int[R, levels - 1], R = 1 or C; each row ascends and may repeat values.',
      '- `bits`, `quantizer`.',
    ],
  },
  levels: ['table'],
  operands: 1,
  attrs: record({ thresholds: constantOf('int', 2), bits: integer(1, 16), quantizer: QuantizerCodec }, {}),
  infer: (a, [x]) => {
    if (x === undefined || x.meaning?._tag !== 'scaled' || x.element.kind !== 'int') {
      return E.left('takes accumulators');
    }
    const channels = channelsOf(x);
    const [rows, count] = a.thresholds.shape;
    if ((rows !== 1 && rows !== channels) || count !== a.quantizer.levels - 1) {
      return E.left(
        `thresholds are [${rows}, ${count}], expected [1 or ${channels}, ${a.quantizer.levels - 1}]`,
      );
    }
    return codesOf(a, x.shape);
  },
  check: ({ thresholds }) => {
    const [count, { data }] = [thresholds.shape[1]!, thresholds];
    for (let i = 1; i < data.length; i++) {
      if (i % count !== 0 && data[i]! < data[i - 1]!) {
        return E.left(`thresholds must ascend, found ${data[i - 1]} before ${data[i]}`);
      }
    }
    return HOLDS;
  },
  evaluate: ({ thresholds }, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channelOf = channelIndex(type);
    const [rows, count] = [thresholds.shape[0]!, thresholds.shape[1]!];
    for (let j = 0; j < result.data.length; j++) {
      const row = rows === 1 ? 0 : channelOf(j);
      result.data[j] = codeOf(thresholds.data, row * count, count, x!.data[j]!);
    }
    return result;
  },
  lower: ({ thresholds }) => {
    const rows = tableRows('thresholds', thresholds);
    return elements(byRows('thresholds', rows), rank(rows, element(0)));
  },
  // A binary search: comparisons count as additions of the width of the accumulator.
  pick: (a, channels) => ({
    ...a,
    thresholds: pickRows(a.thresholds, channels),
    quantizer: pickQuantizer(a.quantizer, channels),
  }),
  cost: ({ thresholds, quantizer }, [x]) => {
    const steps = sizeOf(x!) * ceilLog2(quantizer.levels);
    return {
      ...NO_COST,
      adds: steps,
      addBits: x!.element.kind === 'int' ? x!.element.bits : 32,
      reads: steps,
      bytes: thresholds.data.length * bytesOf(thresholds.element),
    };
  },
});
