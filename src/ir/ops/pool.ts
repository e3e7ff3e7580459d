/** Pooling over windows of an image, of floats or of accumulators. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { program } from '../../code/language.js';
import { HOLDS, type Rule } from '../../diagnostics/index.js';
import { record } from '../codec.js';
import { constant, type PerChannel } from '../constant.js';
import { accumulatorFor, F32, int } from '../element.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { floatType, sizeOf, type ValueType, valueType } from '../types.js';
import { everyWindowHoldsPixels, forEachTap, type Window, WindowCodec, windowShape } from '../window.js';

export interface PoolAttrs {
  /**
   * Mean over the area of the kernel (padding counts as 0), or the largest as Math.max has it (padding counts for
   * nothing; NaN wins, and 0 over -0).
   */
  readonly reduce: 'mean' | 'max';
  /** Every channel is a group of its own: `groups` must be 1 and is not used. */
  readonly window: Window;
}

const scaleBy = (p: PerChannel, factor: number): PerChannel =>
  typeof p === 'number'
    ? Math.fround(p * factor)
    : constant(
        F32,
        p.shape,
        Float32Array.from(p.data, (s: number) => s * factor),
      );

const inferPool = (a: PoolAttrs, x: ValueType | undefined): Rule<ValueType> => {
  if (x === undefined || x.element.kind === 'uint') return E.left('takes an f32 value or accumulators');
  if (a.window.groups !== 1) return E.left('pools every channel by itself: groups is 1');
  const windows = windowShape(a.window, x.shape, x.shape[0] ?? 1);
  if (E.isLeft(windows)) return windows;
  const shape = windows.right;
  if (x.element.kind === 'f32') return E.right(floatType(shape));
  if (x.meaning?._tag !== 'scaled') return E.left('takes accumulators with a scale');
  if (a.reduce === 'max') return E.right(valueType(x.element, shape, x.meaning));
  const area = a.window.kernel[0] * a.window.kernel[1];
  // Sums start at 0.
  const [lo, hi] = [Math.min(0, x.meaning.lo) * area, Math.max(0, x.meaning.hi) * area];
  const element = accumulatorFor(lo, hi);
  if (element === undefined || element.kind !== 'int') {
    const { lo: low, hi: high } = x.meaning;
    return E.left(`sums of ${area} accumulators in [${low}, ${high}] overflow 32 bits`);
  }
  return E.right(
    valueType(int(Math.max(16, element.bits)), shape, {
      _tag: 'scaled',
      scale: scaleBy(x.meaning.scale, 1 / area),
      lo,
      hi,
    }),
  );
};

export const pool = defineOp<'pool', PoolAttrs, 'value'>({
  kind: 'pool',
  role: { _tag: 'value', gives: 'accumulators' },
  summary:
    'mean or max over windows; of accumulators the mean is their sum, with the division in the scale of the result',
  doc: {
    does: 'mean or max over windows',
    text: [
      '`reduce` over every window of a channel: f32[n, C, H, W] or accumulators to [n, C, OH, OW]. `window`: with one group.',
      '',
      '- `"max"`: the largest of the pixels, as Math.max has it: NaN wins, and 0 over -0. Every window must hold a pixel.',
      '- `"mean"`: their sum over the area of the kernel, padding counting as 0, in double and rounded once. Of accumulators the sum itself, and the area divides the scale of the result.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({ reduce: t.union([t.literal('mean'), t.literal('max')]), window: WindowCodec }, {}),
  infer: (a, [x]) => inferPool(a, x),
  check: (a, [x]) =>
    a.reduce === 'max' && !everyWindowHoldsPixels(a.window, x!.shape[1]!, x!.shape[2]!)
      ? E.left('a window lies in the padding altogether')
      : HOLDS,
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const [channels, height, width] = [x!.type.shape[0]!, x!.type.shape[1]!, x!.type.shape[2]!];
    const positions = sizeOf(type) / channels;
    const acc = new Float64Array(positions);
    const area = x!.type.element.kind === 'f32' ? a.window.kernel[0] * a.window.kernel[1] : 1;
    for (let map = 0; map < x!.batch * channels; map++) {
      const from = map * height * width;
      acc.fill(a.reduce === 'max' ? Number.NEGATIVE_INFINITY : 0);
      forEachTap(a.window, height, width, (position, _, y, xx) => {
        const v = x!.data[from + y * width + xx]!;
        acc[position] = a.reduce === 'mean' ? acc[position]! + v : Math.max(acc[position]!, v);
      });
      for (let p = 0; p < positions; p++)
        result.data[map * positions + p] = a.reduce === 'mean' ? acc[p]! / area : acc[p]!;
    }
    return result;
  },
  lower: ({ reduce, window }, [x]) =>
    x?.element.kind === 'f32'
      ? undefined
      : program(reduce, { _tag: 'windows', reduce: reduce === 'mean' ? 'sum' : reduce, window }),
  cost: (a, [x], type) => ({
    ...NO_COST,
    adds: sizeOf(type) * a.window.kernel[0] * a.window.kernel[1],
    addBits: x!.element.kind === 'f32' ? 32 : x!.element.bits,
  }),
});
