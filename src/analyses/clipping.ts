/**
 * What share of values lies outside the range of the quantizer that codes them, so that they are clipped.
 *
 * - `quantize`: the f32 is more than half a step below the value of code 0 or above that of the last code; NaN counts.
 * - `bucketize`: the same, of the values that accumulators stand for.
 * - `requantize`: the code before clamping is outside 0..levels-1.
 * - `recode` of raw pixels: floats are gone, but a map tells how many pixels a code spans; pixels beyond one such
 *   span at either end are clipped.
 *
 * Quantizers whose values are not equally spaced clip nothing: their first and last cells have no width that values
 * could lie outside of.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../diagnostics/index.js';
import { batchesOf, samplesAtOnce } from '../ir/batches.js';
import { channel } from '../ir/constant.js';
import { definitionsOf, type Graph, type Node, type ValueName } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import { hasRole, type OpOf } from '../ir/ops/index.js';
import { decodeValue, isShared, type Quantizer } from '../ir/quantizer.js';
import type { Tensor } from '../ir/tensor.js';
import { channelIndex, channelsOf, floatType } from '../ir/types.js';

export interface ClippedShares {
  /** Of input values; null where the program quantizes no input. */
  readonly input: number | null;
  /** Of values between layers; null where there are none. */
  readonly hidden: number | null;
}

interface Count {
  clipped: number;
  total: number;
}

/** Measures the shares on a batch, by the interpreter. */
export const clippedShares = (graph: Graph, input: Tensor): Checked<ClippedShares> => {
  const definitions = definitionsOf(graph);
  const counts = { input: { clipped: 0, total: 0 }, hidden: { clipped: 0, total: 0 } };
  const count = (values: Map<ValueName, Tensor>) => (name: ValueName, value: Tensor) => {
    values.set(name, value);
    const node = definitions.get(name);
    const operand = node === undefined ? undefined : values.get(node.operands[0]!);
    if (node === undefined || operand === undefined) return;
    const clipped = clippedIn(node, operand);
    if (clipped === undefined) return;
    const kind: Count = isFromInput(node, definitions) ? counts.input : counts.hidden;
    kind.clipped += clipped;
    kind.total += operand.data.length;
  };
  for (const part of batchesOf(input, samplesAtOnce([graph], input.batch))) {
    const ran = interpret(graph, [part], count(new Map()));
    if (E.isLeft(ran)) return ran;
  }
  const share = ({ clipped, total }: Count): number | null => (total === 0 ? null : clipped / total);
  return E.right({ input: share(counts.input), hidden: share(counts.hidden) });
};

/** Whether nothing stands before the value but what is univariate, moves elements or codes them. */
const isFromInput = (node: Node, definitions: ReadonlyMap<ValueName, Node>): boolean =>
  node.operands.every((name) => {
    const before = definitions.get(name);
    if (before === undefined) return true;
    return !hasRole(before.op, 'value', 'table') && isFromInput(before, definitions);
  });

/** How many elements of the operand the node clips; undefined for nodes that clip nothing by their nature. */
const clippedIn = ({ op }: Node, operand: Tensor): number | undefined => {
  if (op.kind === 'requantize') return beyondCodes(op, operand);
  if (op.kind !== 'quantize' && op.kind !== 'bucketize' && op.kind !== 'recode') return undefined;
  if (!hasRange(op.attrs.quantizer)) return undefined;
  if (op.kind === 'recode') return operand.type.meaning === undefined ? beyondSpans(op, operand) : undefined;
  return beyondLevels(op.attrs.quantizer, op.kind === 'quantize' ? operand : valuesOf(operand));
};

/** Whether values of the first channel are equally spaced, as those of uniform quantizers behind a normalisation are. */
const hasRange = (q: Quantizer): boolean => {
  const step = (decodeValue(q, 0, q.levels - 1) - decodeValue(q, 0, 0)) / (q.levels - 1);
  for (let c = 1; q._tag === 'thresholds' && c < q.levels; c++) {
    if (Math.abs(decodeValue(q, 0, c) - decodeValue(q, 0, c - 1) - step) > 0.01 * step) return false;
  }
  return true;
};

/** [lo, hi] of one channel, half a step beyond its first and last values. */
const boundsOf = (q: Quantizer, feature: number): readonly [number, number] => {
  const at = (code: number): number => decodeValue(q, feature, code);
  const last = q.levels - 1;
  return [at(0) - (at(1) - at(0)) / 2, at(last) + (at(last) - at(last - 1)) / 2];
};

const beyondLevels = (q: Quantizer, { data, type }: Tensor): number => {
  const channelOf = channelIndex(type);
  const bounds = Array.from({ length: isShared(q) ? 1 : channelsOf(type) }, (_, c) => boundsOf(q, c));
  let clipped = 0;
  for (let j = 0; j < data.length; j++) {
    const [lo, hi] = bounds.length === 1 ? bounds[0]! : bounds[channelOf(j)]!;
    // Written so that NaN counts.
    if (!(data[j]! >= lo && data[j]! <= hi)) clipped++;
  }
  return clipped;
};

/** What accumulators stand for. */
const valuesOf = ({ type, batch, data }: Tensor): Tensor => {
  const { meaning } = type;
  if (meaning?._tag !== 'scaled') return { type, batch, data };
  const channelOf = channelIndex(type);
  const { scale } = meaning;
  return {
    type: floatType(type.shape),
    batch,
    data: Float32Array.from(data, (acc: number, j: number) => acc * channel(scale, channelOf(j))),
  };
};

const beyondCodes = ({ attrs }: OpOf<'requantize'>, { data, type }: Tensor): number => {
  const channelOf = channelIndex(type);
  const half = 2 ** (attrs.shift - 1);
  const end = attrs.quantizer.levels * 2 ** attrs.shift;
  let clipped = 0;
  for (let j = 0; j < data.length; j++) {
    const o = channelOf(j);
    const rounded = (data[j]! + (attrs.bias?.data[o] ?? 0)) * channel(attrs.mul, o) + half;
    if (rounded < 0 || rounded >= end) clipped++;
  }
  return clipped;
};

/** The first and last pixel that one row of a map does not clip. */
const spanOf = (map: ArrayLike<number>, offset: number, count: number): readonly [number, number] => {
  let [first, last, changes] = [0, 0, 0];
  for (let p = 1; p < count; p++) {
    if (map[offset + p] === map[offset + p - 1]) continue;
    if (changes === 0) first = p;
    last = p;
    changes++;
  }
  // Fewer than two changes do not tell how wide a code is.
  if (changes < 2) return [0, count - 1];
  const codes = Math.abs(map[offset + last]! - map[offset + first]!);
  const width = (last - first) / Math.max(1, codes);
  // One pixel of slack: changes are known to whole pixels.
  return [first - width - 1, last + width];
};

const beyondSpans = ({ attrs }: OpOf<'recode'>, { data, type }: Tensor): number => {
  const channelOf = channelIndex(type);
  const [rows, count] = [attrs.map.shape[0]!, attrs.map.shape[1]!];
  const spans = Array.from({ length: rows }, (_, r) => spanOf(attrs.map.data, r * count, count));
  let clipped = 0;
  for (let j = 0; j < data.length; j++) {
    const [lo, hi] = rows === 1 ? spans[0]! : spans[channelOf(j)]!;
    if (data[j]! < lo || data[j]! > hi) clipped++;
  }
  return clipped;
};
