/** What mixes elements by nature and is known as a whole: norms, softmax, the extremes of a plane. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { ScalarFunction } from '../../numeric/scalar.js';
import { type Shape, stridesOf, type TensorNode, type TensorOp, type ValueId } from '../../tensor/program.js';
import {
  asSources,
  elementsAt,
  functionAt,
  NO_SOURCE,
  type Traced,
  type Varying,
  varyingOf,
} from '../traced.js';
import { offsets } from './linear.js';
import { multiplied } from './maps.js';
import { cutLike, entangled, type Tracer } from './state.js';
import { traceMaxPool } from './windows.js';

/** For each element the number of the group that it shares all indices but those along `axes` with. */
export const groupsAlong = (shape: Shape, axes: ReadonlyArray<number>): Int32Array => {
  const kept = shape.map((n, d) => (axes.includes(d) ? 1 : n));
  const strides = stridesOf(kept);
  return offsets(shape.map((size, d) => ({ size, stride: axes.includes(d) ? 0 : strides[d]! })));
};

export const traceStandardize = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  op: Extract<TensorOp, { kind: 'standardize' }>,
  traced: Traced,
): Checked<Traced> => {
  const operand = asSources(varyingOf(t.table, traced));
  const group = groupsAlong(node.type.shape, op.axes);
  return cutLike(t, node, value, { kind: 'standardize', operand, group, epsilon: op.epsilon }, operand);
};

/** Only outputs may have it: what comes out of it is no sum of functions of what went in. */
export const traceSoftmax = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  op: Extract<TensorOp, { kind: 'softmax' }>,
  traced: Traced,
): Checked<Traced> => {
  const next = t.consumers.only(value);
  if (next !== undefined || !isOutput(t, value)) {
    return entangled(
      t,
      node,
      `takes a softmax whose result '${next?.origin.op ?? 'other nodes'}' goes on to compute with`,
    );
  }
  const operand = asSources(varyingOf(t.table, traced));
  const group = groupsAlong(node.type.shape, [op.axis]);
  return cutLike(t, node, value, { kind: 'softmax', operand, group, log: op.log }, operand);
};

/** Whether an output of the program is the value itself or its elements moved. */
const isOutput = (t: Tracer, value: ValueId): boolean => {
  const { nodes, outputs } = t.program;
  const reaches = (id: ValueId): boolean =>
    outputs.includes(id) || nodes.some((n, user) => user > id && n.operands.includes(id) && reaches(user));
  return t.consumers.count(value) === 1 && reaches(value);
};

const COMBINES: Readonly<Record<'max' | 'min' | 'prod', ScalarFunction>> = {
  max: 'max',
  min: 'min',
  prod: 'mul',
};

/** Extremes and products: of functions of one source each, or over the whole plane of an image. */
export const traceExtreme = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  op: Extract<TensorOp, { kind: 'reduce' }> & { readonly fn: 'max' | 'min' | 'prod' },
  traced: Traced,
): Checked<Traced> => {
  const { shape } = t.program.nodes[node.operands[0]!]!.type;
  const operand = asSources(varyingOf(t.table, traced));
  const of = folded(t, operand, groupsAlong(shape, op.axes), COMBINES[op.fn]);
  if (of !== undefined) return E.right(of);
  if (op.fn === 'prod') return productOf(t, node, value, operand, groupsAlong(shape, op.axes));
  const spatial = shape.length > 2 && op.axes.length === shape.length - 2 && op.axes.every((d) => d >= 2);
  if (op.fn !== 'max' || !spatial) {
    return entangled(t, node, `takes the ${op.fn} of several elements`);
  }
  const [ones, zeros] = [op.axes.map(() => 1), op.axes.map(() => 0)];
  const kernel = shape.slice(2);
  const windows = { kernel, stride: ones, dilation: ones, before: zeros, after: zeros };
  return traceMaxPool(t, node, value, windows, operand);
};

/** Each group as one function, if it has one source. */
const folded = (t: Tracer, v: Varying, group: Int32Array, combine: ScalarFunction): Varying | undefined => {
  const groups = group.reduce((n, g) => Math.max(n, g + 1), 0);
  const source = new Int32Array(groups).fill(NO_SOURCE);
  const fn = new Int32Array(groups).fill(-1);
  for (let e = 0; e < group.length; e++) {
    const g = group[e]!;
    const s = v.source[e]!;
    if (s !== NO_SOURCE) {
      if (source[g] !== NO_SOURCE && source[g] !== s) return undefined;
      source[g] = s;
    }
    const f = functionAt(t.table, v, e);
    fn[g] = fn[g]! < 0 ? f : t.table.call(combine, fn[g]!, f);
  }
  return { tag: 'varying', source, fn };
};

/** Most factors of a product: each is a multiplication of its own, and so is its rounding. */
const MOST_FACTORS = 8;

/** The product of the elements of each group, one factor after the other. */
const productOf = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  operand: Varying,
  group: Int32Array,
): Checked<Traced> => {
  const groups = group.reduce((n, g) => Math.max(n, g + 1), 0);
  const factors = group.length / groups;
  if (factors > MOST_FACTORS) return entangled(t, node, `multiplies ${factors} elements`);
  const next = new Int32Array(groups);
  const places = Array.from({ length: factors }, () => new Int32Array(groups));
  for (const [e, g] of group.entries()) places[next[g]!++]![g] = e;
  let product: Checked<Varying> = E.right(elementsAt(t.table, operand, places[0]!));
  for (const place of places.slice(1)) {
    if (E.isLeft(product)) return product;
    product = multiplied(t, node, value, product.right, elementsAt(t.table, operand, place));
  }
  return product;
};
