/**
 * Folds what stands between tables into quantizers, maps and requantizations:
 *
 *   observe(x)                     -> x
 *   quantize(decode(code))         -> recode(code)          exact
 *   quantize(affine(x)), scale > 0 -> quantize(x)           exact, by thresholds
 *   quantize(dequantize(acc))      -> requantize(acc)       integer rounding in place of float rounding
 *                                  or bucketize(acc)        exact, where the quantizer is not uniform or the above is too coarse
 *   recode(recode(code))           -> recode(code)          exact
 *   requantize(table + bias)       -> requantize with the bias, table without   exact; bucketize likewise
 *   layout(dequantize(acc))        -> dequantize(layout(acc))                  exact
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Rewriter, rewrite } from '../ir/builder.js';
import { channel, constant } from '../ir/constant.js';
import { allocate, F32, uint } from '../ir/element.js';
import type { Node, ValueName } from '../ir/graph.js';
import { decodedValue } from '../ir/ops/decode.js';
import { hasRole, inferType, type Op, type OpOf } from '../ir/ops/index.js';
import { coderOf, decodeValue, isShared, type Quantizer, type Scaled } from '../ir/quantizer.js';
import { channelsOf, levelsOf } from '../ir/types.js';
import { thresholdsOf } from '../numeric/uniform.js';
import { joinsThresholds } from './code-points.js';
import { bucketizeBias, type Folded, quantizeDequantize, requantizeBias } from './fold-codes.js';
import { declareOptions } from './options.js';
import { definePass, note, type Remark, withRemarks } from './pass.js';

const { codec, help } = declareOptions({});

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
      if (hasRole(node.op, 'observer')) return r.of(node.operands[0]!);
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
    if (joinsThresholds(before.op, channelsOf(before.type))) return quantizeAffine(op, before, before.op, r);
    if (before.op.kind === 'dequantize') return quantizeDequantize(op, before, r);
  }
  if (op.kind === 'recode' && before.op.kind === 'recode') return recodeRecode(op, before, before.op, r);
  if (op.kind === 'requantize') return requantizeBias(op, before, r);
  if (op.kind === 'bucketize') return bucketizeBias(op, before, r);
  if (before.op.kind === 'dequantize' && hasRole(op, 'layout') && takes(op, before.operands, r)) {
    const moved = r.add(`${before.name}_moved`, op, before.operands);
    return { op: before.op, operand: moved, said: 'accumulators are rearranged instead of floats' };
  }
  return undefined;
};

/** Whether an op stands on values by its type rule. */
const takes = (op: Op, operands: ReadonlyArray<ValueName>, r: Rewriter<'table'>): boolean =>
  E.isRight(inferType(op, operands.map(r.typeOf)));

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

/** Whether all channels of a meaning share one code function. */
const typeShared = (meaning: Quantizer | Scaled | undefined): boolean =>
  meaning !== undefined && meaning._tag !== 'scaled' && isShared(meaning);

const quantizeAffine = (
  { attrs }: OpOf<'quantize'>,
  before: Node,
  { attrs: affine }: OpOf<'affine'>,
  r: Rewriter<'table'>,
): Folded => {
  const source = before.operands[0]!;
  const features = channelsOf(r.typeOf(source));
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
