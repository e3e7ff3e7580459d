/**
 * Folds what stands between tables into quantizers, maps and requantizations:
 *
 *   observe(x)                     -> x
 *   quantize(decode(code))         -> recode(code)          exact
 *   quantize(affine(x)), scale > 0 -> quantize(x)           exact, by thresholds
 *   quantize(dequantize(acc))      -> requantize(acc)       integer rounding in place of float rounding
 *   recode(recode(code))           -> recode(code)          exact
 *   requantize(table + bias)       -> requantize with the bias, table without   exact
 *   reshape, gather(dequantize(a)) -> dequantize(reshape, gather(a))           exact
 */
import { type Rewriter, rewrite } from '../ir/builder.js';
import { channel, constant, perChannel } from '../ir/constant.js';
import { allocate, F32, int, uint } from '../ir/element.js';
import type { Node, ValueName } from '../ir/graph.js';
import { decodedValue } from '../ir/ops/decode.js';
import type { Op, OpOf } from '../ir/ops/index.js';
import { coderOf, decodeValue, isShared, type Quantizer, type Scaled } from '../ir/quantizer.js';
import { channelsOf, levelsOf } from '../ir/types.js';
import { multiplierFor, shiftFor } from '../numeric/fixed-point.js';
import { thresholdsOf } from '../numeric/uniform.js';
import { declareOptions } from './options.js';
import { definePass, note, type Remark, withRemarks } from './pass.js';
import { withoutBias } from './table-parts.js';

const { codec, help } = declareOptions({});

type Folded = { readonly op: Op; readonly operand: ValueName; readonly said: string };

export const fold = definePass<'table', 'table', Record<never, never>>({
  name: 'fold',
  summary:
    'folds normalisation, pixel decoding and float round trips into maps, thresholds and requantizations',
  options: codec,
  help,
  from: 'table',
  to: 'table',
  run: () => (graph) => {
    const remarks: Remark[] = [];
    const result = rewrite<'table'>(graph, 'table', (node, r) => {
      if (node.op.kind === 'observe') return r.of(node.operands[0]!);
      let folded = foldNode(node.op, r.of(node.operands[0]!), r);
      if (folded === undefined) return r.keep(node);
      // A fold can make room for another: recode of recode, requantize over a bias.
      for (let next = foldNode(folded.op, folded.operand, r); next !== undefined; ) {
        remarks.push(note(folded.said, node.name));
        folded = next;
        next = foldNode(folded.op, folded.operand, r);
      }
      remarks.push(note(folded.said, node.name));
      return r.add(node.name, folded.op, [folded.operand]);
    });
    return withRemarks(result, remarks);
  },
});

const foldNode = (op: Op, operand: ValueName, r: Rewriter<'table'>): Folded | undefined => {
  const before = r.nodeOf(operand);
  if (before === undefined) return undefined;
  if (op.kind === 'quantize') {
    if (before.op.kind === 'decode') return quantizeDecode(op, before, before.op, r);
    if (before.op.kind === 'affine') return quantizeAffine(op, before, before.op, r);
    if (before.op.kind === 'dequantize') return quantizeDequantize(op, before, r);
  }
  if (op.kind === 'recode' && before.op.kind === 'recode') return recodeRecode(op, before, before.op, r);
  if (op.kind === 'requantize') return requantizeBias(op, before, r);
  if ((op.kind === 'reshape' || op.kind === 'gather') && before.op.kind === 'dequantize') {
    const moved = r.add(`${before.name}_moved`, op, before.operands);
    return { op: before.op, operand: moved, said: 'accumulators are rearranged instead of floats' };
  }
  return undefined;
};

const quantizeDecode = (
  { attrs }: OpOf<'quantize'>,
  before: Node,
  { attrs: decode }: OpOf<'decode'>,
  r: Rewriter<'table'>,
): Folded => {
  const source = before.operands[0]!;
  const type = r.typeOf(source);
  const levels = levelsOf(type);
  const shared =
    isShared(attrs.quantizer) &&
    (decode.values === undefined ? typeShared(type.meaning) : decode.values.shape[0] === 1);
  const rows = shared ? 1 : channelsOf(type);
  const map = allocate(uint(attrs.bits), rows * levels);
  for (let f = 0; f < rows; f++) {
    const coder = coderOf(attrs.quantizer, f);
    for (let c = 0; c < levels; c++) map[f * levels + c] = coder(decodedValue(decode, type, f, c));
  }
  return {
    op: {
      kind: 'recode',
      attrs: {
        map: constant(uint(attrs.bits), [rows, levels], map),
        bits: attrs.bits,
        quantizer: attrs.quantizer,
      },
    },
    operand: source,
    said: 'codes are looked up from codes, without floats between',
  };
};

const typeShared = (meaning: Quantizer | Scaled | undefined): boolean =>
  meaning !== undefined && meaning._tag !== 'scaled' && isShared(meaning);

const quantizeAffine = (
  { attrs }: OpOf<'quantize'>,
  before: Node,
  { attrs: affine }: OpOf<'affine'>,
  r: Rewriter<'table'>,
): Folded | undefined => {
  const source = before.operands[0]!;
  const features = channelsOf(r.typeOf(source));
  for (let f = 0; f < features; f++) if (!(channel(affine.scale, f) > 0)) return undefined;
  const { quantizer } = attrs;
  const shared = isShared(quantizer) && typeof affine.scale === 'number' && typeof affine.shift === 'number';
  const rows = shared ? 1 : features;
  const count = quantizer.levels - 1;
  const thresholds = new Float32Array(rows * count);
  const values = new Float32Array(rows * quantizer.levels);
  for (let f = 0; f < rows; f++) {
    const coder = coderOf(quantizer, f);
    const [scale, shift] = [channel(affine.scale, f), channel(affine.shift, f)];
    const normalise = (x: number): number => Math.fround(Math.fround(x * scale) + shift);
    thresholds.set(
      thresholdsOf((x) => coder(normalise(x)), quantizer.levels),
      f * count,
    );
    for (let c = 0; c < quantizer.levels; c++) {
      values[f * quantizer.levels + c] = (decodeValue(quantizer, f, c) - shift) / scale;
    }
  }
  const folded: Quantizer = {
    _tag: 'thresholds',
    levels: quantizer.levels,
    thresholds: constant(F32, [rows, count], thresholds),
    values: constant(F32, [rows, quantizer.levels], values),
  };
  return {
    op: { kind: 'quantize', attrs: { ...attrs, quantizer: folded } },
    operand: source,
    said: 'the normalisation is part of the thresholds',
  };
};

/** code = round((acc * scale - lo) / step), as ((acc + bias) * mul + half) >> shift. */
const quantizeDequantize = (
  { attrs }: OpOf<'quantize'>,
  before: Node,
  r: Rewriter<'table'>,
): Folded | undefined => {
  const { quantizer } = attrs;
  const source = before.operands[0]!;
  const { meaning, shape } = r.typeOf(source);
  if (quantizer._tag !== 'uniform' || meaning?._tag !== 'scaled') return undefined;
  const outputs = shape[0]!;
  const ratios = Float64Array.from(
    { length: outputs },
    (_, o) => channel(meaning.scale, o) / channel(quantizer.step, o),
  );
  const shift = shiftFor(
    ratios.reduce((a, b) => Math.max(a, b)),
    quantizer.levels,
  );
  const mul = Int32Array.from(ratios, (ratio) => multiplierFor(ratio, shift));
  // Rounding mul moves the top code by levels / (2 * mul) at most: beyond a quarter of a code the float form,
  // which is exact by definition, stays. It happens when accumulators are very much finer than codes.
  if (mul.some((m) => m < 2 * quantizer.levels)) return undefined;
  const bias = Float64Array.from({ length: outputs }, (_, o) =>
    Math.round(-channel(quantizer.lo, o) / channel(meaning.scale, o)),
  );
  if (bias.some((b) => !fitsBiased(meaning, b))) return undefined;
  return {
    op: {
      kind: 'requantize',
      attrs: {
        mul: perChannel(int(32), mul),
        shift,
        bias: constant(int(32), [outputs], Int32Array.from(bias)),
        bits: attrs.bits,
        quantizer,
      },
    },
    operand: source,
    said: 'accumulators become codes by one multiplication and one shift',
  };
};

/**
 * Whether accumulators of a range stay in 32 bits when the bias is added. Where they do not, the float form,
 * or the bias in the table, stays.
 */
const fitsBiased = ({ lo, hi }: Pick<Scaled, 'lo' | 'hi'>, bias: number): boolean =>
  Math.abs(bias) < 2 ** 31 && lo + bias >= -(2 ** 31) && hi + bias < 2 ** 31;

const recodeRecode = (
  { attrs }: OpOf<'recode'>,
  before: Node,
  { attrs: inner }: OpOf<'recode'>,
  r: Rewriter<'table'>,
): Folded => {
  const source = before.operands[0]!;
  const features = channelsOf(r.typeOf(source));
  const [innerRows, levels] = [inner.map.shape[0]!, inner.map.shape[1]!];
  const [outerRows, middle] = [attrs.map.shape[0]!, attrs.map.shape[1]!];
  const rows = innerRows === 1 && outerRows === 1 ? 1 : features;
  const map = allocate(uint(attrs.bits), rows * levels);
  for (let f = 0; f < rows; f++) {
    for (let c = 0; c < levels; c++) {
      const code = inner.map.data[(innerRows === 1 ? 0 : f * levels) + c]!;
      map[f * levels + c] = attrs.map.data[(outerRows === 1 ? 0 : f * middle) + code]!;
    }
  }
  return {
    op: { kind: 'recode', attrs: { ...attrs, map: constant(uint(attrs.bits), [rows, levels], map) } },
    operand: source,
    said: 'two maps become one',
  };
};

const requantizeBias = (
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
