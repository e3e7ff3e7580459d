/** Windows of images: convolutions and pools. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import { movementOf } from '../../tensor/movement.js';
import {
  type Shape,
  sizeOfShape,
  stridesOf,
  type TensorNode,
  type TensorOp,
  type ValueId,
  type Windows,
} from '../../tensor/program.js';
import { asSources, elementsAt, type Traced, type Varying, varyingOf } from '../traced.js';
import { offsets } from './linear.js';
import { type Rows, traceRows } from './rows.js';
import { addCut, elementsOf, entangled, samplesOf, type Tracer } from './state.js';

/** Elements of an image with what windows see outside of it. */
export const paddedImage = (
  t: Tracer,
  v: Varying,
  shape: Shape,
  { before, after }: Windows,
  fill: number,
): { operand: Varying; shape: Shape } => {
  const padded = shape.map((n, d) => (d < 2 ? n : before[d - 2]! + n + after[d - 2]!));
  if (padded.every((n, d) => n === shape[d])) return { operand: v, shape };
  const index = movementOf({ kind: 'pad', before: [0, 0, ...before], value: fill }, [shape], padded);
  return { operand: elementsAt(t.table, v, index, fill), shape: padded };
};

/** Where the windows of an image begin in one channel of it, and where their taps lie from there. */
const windowOffsets = (
  padded: Shape,
  out: Shape,
  { kernel, stride, dilation }: Windows,
): { places: Int32Array; taps: Int32Array } => {
  const strides = stridesOf(padded).slice(2);
  return {
    places: offsets(out.slice(2).map((size, d) => ({ size, stride: strides[d]! * stride[d]! }))),
    taps: offsets(kernel.map((size, d) => ({ size, stride: strides[d]! * dilation[d]! }))),
  };
};

/** Height and width of an image of one or two spatial dimensions. */
const planeOf = (padded: Shape): Pick<Rows, 'plane'> =>
  padded.length === 4
    ? { plane: [padded[2]!, padded[3]!] }
    : padded.length === 3
      ? { plane: [1, padded[2]!] }
      : {};

export const traceConv = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  op: Extract<TensorOp, { kind: 'conv' }>,
  [image, weights]: readonly [Traced, Traced],
): Checked<Traced> => {
  if (weights.tag !== 'constant') return entangled(t, node, 'has weights that depend on the input');
  const { shape } = t.program.nodes[node.operands[0]!]!.type;
  const { operand, shape: padded } = paddedImage(
    t,
    asSources(varyingOf(t.table, image)),
    shape,
    op.windows,
    0,
  );
  const out = node.type.shape;
  const [samples, outputs] = [out[0]!, out[1]!];
  const { places, taps } = windowOffsets(padded, out, op.windows);
  const plane = sizeOfShape(padded.slice(2));
  const perGroup = padded[1]! / op.groups;
  const perRow = outputs / op.groups;
  const channels = offsets([{ size: perGroup, stride: plane }]);
  const tap = new Int32Array(perGroup * taps.length);
  for (let c = 0; c < perGroup; c++) {
    for (let j = 0; j < taps.length; j++) tap[c * taps.length + j] = channels[c]! + taps[j]!;
  }
  const groups = [
    { size: samples, stride: padded[1]! * plane },
    { size: op.groups, stride: perGroup * plane },
  ];
  const starts = offsets(groups);
  const offset = new Int32Array(starts.length * places.length);
  for (const [g, start] of starts.entries()) {
    for (let p = 0; p < places.length; p++) offset[g * places.length + p] = start + places[p]!;
  }
  const patch = new Int32Array(samples * outputs * places.length);
  const row = new Int32Array(patch.length);
  for (let n = 0, e = 0; n < samples; n++) {
    for (let o = 0; o < outputs; o++) {
      const group = n * op.groups + Math.floor(o / perRow);
      for (let p = 0; p < places.length; p++, e++) {
        patch[e] = group * places.length + p;
        row[e] = o;
      }
    }
  }
  const rows: Rows = { operand, patch, row, offset, tap, weights: weights.data, ...planeOf(padded) };
  return traceRows(t, node, value, rows);
};

/** Means over windows: depthwise rows of equal weights. Where padding does not count, windows at edges have fewer. */
export const traceMeanPool = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  op: Extract<TensorOp, { kind: 'pool' }>,
  image: Traced,
): Checked<Traced> => {
  const { shape } = t.program.nodes[node.operands[0]!]!.type;
  const { operand, shape: padded } = paddedImage(
    t,
    asSources(varyingOf(t.table, image)),
    shape,
    op.windows,
    0,
  );
  const out = node.type.shape;
  const { places, taps } = windowOffsets(padded, out, op.windows);
  const plane = sizeOfShape(padded.slice(2));
  const offset = new Int32Array(out[0]! * out[1]! * places.length);
  for (let c = 0; c < out[0]! * out[1]!; c++) {
    for (let p = 0; p < places.length; p++) offset[c * places.length + p] = c * plane + places[p]!;
  }
  const inside = insideOf(shape, op.windows, padded);
  const counts = Float64Array.from(places, (from) =>
    op.countPadding ? taps.length : taps.reduce((n, j) => n + inside[from + j]!, 0),
  );
  const distinct = [...new Set(counts)];
  const rowOf = Int32Array.from(counts, (n) => distinct.indexOf(n));
  const weights = new Float64Array(distinct.length * taps.length);
  for (const [r, n] of distinct.entries()) weights.fill(1 / n, r * taps.length, (r + 1) * taps.length);
  const patch = Int32Array.from(offset, (_, e) => e);
  const row = Int32Array.from(offset, (_, e) => rowOf[e % places.length]!);
  return traceRows(t, node, value, { operand, patch, row, offset, tap: taps, weights, ...planeOf(padded) });
};

/** 1 for the elements of a padded plane that are in the image. */
const insideOf = (shape: Shape, windows: Windows, padded: Shape): Uint8Array => {
  const from = shape.slice(2);
  const index = movementOf({ kind: 'pad', before: windows.before, value: 0 }, [from], padded.slice(2));
  return Uint8Array.from(index, (i) => (i >= 0 ? 1 : 0));
};

/** The largest of every window, which is a value of its own. */
export const traceMaxPool = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  windows: Windows,
  image: Traced,
): Checked<Traced> => {
  const { shape } = t.program.nodes[node.operands[0]!]!.type;
  const operand = asSources(varyingOf(t.table, image));
  const definition = { kind: 'pool', operand, shape, windows } as const;
  // The samples lie as in the operand, one after the other along the first dimension.
  const known = samplesOf(t, operand);
  const perSample = operand.source.length / shape[0]!;
  const out = sizeOfShape(node.type.shape);
  const sample = Uint16Array.from(
    { length: out },
    (_, e) => known[Math.floor((e * shape[0]!) / out) * perSample]!,
  );
  const cut = addCut(t, node, value, definition, sample, out);
  return E.isLeft(cut) ? cut : E.right(elementsOf(t, cut.right, 'sources'));
};
