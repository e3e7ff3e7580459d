/** From accumulators to codes without floats between: `quantize` of `dequantize` in integers. */
import type { Rewriter } from '../ir/builder.js';
import { channel, constant, perChannel } from '../ir/constant.js';
import { int } from '../ir/element.js';
import type { Node, ValueName } from '../ir/graph.js';
import type { Op, OpOf } from '../ir/ops/index.js';
import { coderOf, isShared, type Scaled } from '../ir/quantizer.js';
import { channelsOf, type ValueType } from '../ir/types.js';
import { multiplierFor, shiftFor } from '../numeric/fixed-point.js';
import { withoutBias } from './table-parts.js';

export type Folded = { readonly op: Op; readonly operand: ValueName; readonly said: string };

/** `requantize` where it is near the float form for every channel, `bucketize` elsewhere; neither where both would not fit. */
export const quantizeDequantize = (
  { attrs }: OpOf<'quantize'>,
  before: Node,
  r: Rewriter<'table'>,
): Folded | undefined => {
  const source = before.operands[0]!;
  const op = fixedPoint(attrs, r.typeOf(source)) ?? thresholded(attrs, r.typeOf(source));
  if (op === undefined) return undefined;
  const said =
    op.kind === 'requantize'
      ? 'accumulators become codes by one multiplication and one shift'
      : 'accumulators become codes by integer thresholds';
  return { op, operand: source, said };
};

type Quantizing = OpOf<'quantize'>['attrs'];

/** code = round((acc * scale - lo) / step), as ((acc + bias) * mul + half) >> shift. */
const fixedPoint = ({ quantizer, bits }: Quantizing, type: ValueType): Op | undefined => {
  const { meaning } = type;
  const outputs = channelsOf(type);
  if (quantizer._tag !== 'uniform' || meaning?._tag !== 'scaled') return undefined;
  const ratios = Float64Array.from(
    { length: outputs },
    (_, o) => channel(meaning.scale, o) / channel(quantizer.step, o),
  );
  const shift = shiftFor(
    ratios.reduce((a, b) => Math.max(a, b)),
    quantizer.levels,
  );
  const mul = Int32Array.from(ratios, (ratio) => multiplierFor(ratio, shift));
  // Rounding mul moves the top code by levels / (2 * mul) at most: beyond a quarter of a code another form, which is
  // exact by definition, serves. It happens when accumulators are very much finer than codes.
  if (mul.some((m) => m < 2 * quantizer.levels)) return undefined;
  const bias = Float64Array.from({ length: outputs }, (_, o) =>
    Math.round(-channel(quantizer.lo, o) / channel(meaning.scale, o)),
  );
  if (bias.some((b) => !fitsBiased(meaning, b))) return undefined;
  return {
    kind: 'requantize',
    attrs: {
      mul: perChannel(int(32), mul),
      shift,
      bias: constant(int(32), [outputs], Int32Array.from(bias)),
      bits,
      quantizer,
    },
  };
};

/** Thresholds, of all channels, up to which they are worth their memory: 4 MiB. */
const MOST_THRESHOLDS = 2 ** 20;

/**
 * The smallest accumulator of each code: the float form is monotone in the accumulator, so that bisection over the
 * proven range finds it, and the codes of all accumulators are those of the float form. A code that no accumulator of
 * the range reaches starts behind its end.
 */
const thresholded = ({ quantizer, bits }: Quantizing, type: ValueType): Op | undefined => {
  const { meaning } = type;
  if (meaning?._tag !== 'scaled') return undefined;
  const { scale, lo, hi } = meaning;
  const rows = typeof scale === 'number' && isShared(quantizer) ? 1 : channelsOf(type);
  const count = quantizer.levels - 1;
  if (rows * count > MOST_THRESHOLDS) return undefined;
  const thresholds = new Int32Array(rows * count);
  for (let o = 0; o < rows; o++) {
    const unit = channel(scale, o);
    if (!(unit > 0)) return undefined;
    const coder = coderOf(quantizer, o);
    // As `dequantize` computes it: the conversion is rounded, then the product.
    const codeOf = (acc: number): number => coder(Math.fround(Math.fround(acc) * unit));
    const top = codeOf(hi);
    // There is no integer of 32 bits behind this end.
    if (top < count && hi === 2 ** 31 - 1) return undefined;
    let from = lo;
    for (let k = 0; k < count; k++) {
      from = k < top ? smallestFrom(from, hi, (acc) => codeOf(acc) > k) : hi + 1;
      thresholds[o * count + k] = from;
    }
  }
  return {
    kind: 'bucketize',
    attrs: { thresholds: constant(int(32), [rows, count], thresholds), bits, quantizer },
  };
};

/** The smallest integer of [lo, hi] with a predicate that is monotone and holds at hi. */
const smallestFrom = (lo: number, hi: number, holds: (n: number) => boolean): number => {
  let [from, to] = [lo, hi];
  while (from < to) {
    const mid = Math.floor((from + to) / 2);
    if (holds(mid)) to = mid;
    else from = mid + 1;
  }
  return from;
};

/**
 * Whether accumulators of a range stay in 32 bits when the bias is added. Where they do not, thresholds or the float
 * form serve, or the bias stays in the table.
 */
const fitsBiased = ({ lo, hi }: Pick<Scaled, 'lo' | 'hi'>, bias: number): boolean =>
  Math.abs(bias) < 2 ** 31 && lo + bias >= -(2 ** 31) && hi + bias < 2 ** 31;

/** The bias of a table is added in the requantization that reads it: accumulators are narrower without. */
export const requantizeBias = (
  { attrs }: OpOf<'requantize'>,
  before: Node,
  r: Rewriter<'table'>,
): Folded | undefined => {
  const table = withoutBias(before.op);
  if (table === undefined) return undefined;
  const { bias, op } = table;
  const sum = Float64Array.from(bias.data, (b, o) => b + (attrs.bias?.data[o] ?? 0));
  const { lo, hi } = op.attrs;
  if (sum.some((b) => !fitsBiased({ lo, hi }, b))) return undefined;
  const unbiased = r.add(before.name, op, before.operands);
  return {
    op: {
      kind: 'requantize',
      attrs: { ...attrs, bias: constant(int(32), [sum.length], Int32Array.from(sum)) },
    },
    operand: unbiased,
    said: 'the bias of the table is added in the requantization',
  };
};

/** The bias of a table is taken from the thresholds behind it. */
export const bucketizeBias = (
  { attrs }: OpOf<'bucketize'>,
  before: Node,
  r: Rewriter<'table'>,
): Folded | undefined => {
  const table = withoutBias(before.op);
  if (table === undefined) return undefined;
  const { bias, op } = table;
  const channels = bias.data.length;
  const [rows, count] = [attrs.thresholds.shape[0]!, attrs.thresholds.shape[1]!];
  if (channels * count > MOST_THRESHOLDS) return undefined;
  const moved = Float64Array.from({ length: channels * count }, (_, e) => {
    const o = Math.floor(e / count);
    return attrs.thresholds.data[(rows === 1 ? 0 : o * count) + (e % count)]! - bias.data[o]!;
  });
  if (moved.some((t) => t < -(2 ** 31) || t >= 2 ** 31)) return undefined;
  const unbiased = r.add(before.name, op, before.operands);
  const thresholds = constant(int(32), [channels, count], Int32Array.from(moved));
  return {
    op: { kind: 'bucketize', attrs: { ...attrs, thresholds } },
    operand: unbiased,
    said: 'the bias of the table is taken from the thresholds',
  };
};
