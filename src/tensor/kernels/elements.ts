/** Element by element: movements and scalar functions over arrays. */
import {
  BINARY_SCALARS,
  isBinaryScalar,
  isUnaryScalar,
  type ScalarFunction,
  TERNARY_SCALARS,
  UNARY_SCALARS,
} from '../../numeric/scalar.js';
import { broadcastStrides, movementOf, PADDING, stridedIndex } from '../movement.js';
import { type Movement, type Shape, sizeOfShape } from '../program.js';

/** A tensor with its numbers. */
export interface Held {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export const gathered = (data: Float64Array, index: Int32Array): Float64Array => {
  const result = new Float64Array(index.length);
  for (let e = 0; e < index.length; e++) result[e] = data[index[e]!]!;
  return result;
};

const joined = (operands: ReadonlyArray<Held>): Float64Array => {
  const first = operands[0]?.data ?? new Float64Array(0);
  if (operands.length <= 1) return first;
  const all = new Float64Array(operands.reduce((n, o) => n + o.data.length, 0));
  let at = 0;
  for (const { data } of operands) {
    all.set(data, at);
    at += data.length;
  }
  return all;
};

export const moved = (op: Movement, operands: ReadonlyArray<Held>, shape: Shape): Float64Array => {
  const data = joined(operands);
  if (op.kind === 'reshape') return data;
  const index = movementOf(
    op,
    operands.map((o) => o.shape),
    shape,
  );
  const result = gathered(data, index);
  if (op.kind === 'pad')
    for (let e = 0; e < index.length; e++) if (index[e] === PADDING) result[e] = op.value;
  return result;
};

/** The numbers of an operand as they stand in a shape it is broadcast to; one number alone stays alone. */
const spread = (operand: Held, shape: Shape): Float64Array =>
  operand.data.length === 1 || operand.data.length === sizeOfShape(shape)
    ? operand.data
    : gathered(operand.data, stridedIndex(shape, broadcastStrides(operand.shape, shape), 0));

/** How far to go on in an operand from element to element: not at all where it is one number. */
const paceOf = (data: Float64Array): number => (data.length === 1 ? 0 : 1);

const sums = (a: Float64Array, b: Float64Array, sign: number, result: Float64Array): void => {
  const [pa, pb] = [paceOf(a), paceOf(b)];
  for (let e = 0; e < result.length; e++) result[e] = a[e * pa]! + sign * b[e * pb]!;
};

const products = (a: Float64Array, b: Float64Array, result: Float64Array): void => {
  const [pa, pb] = [paceOf(a), paceOf(b)];
  for (let e = 0; e < result.length; e++) result[e] = a[e * pa]! * b[e * pb]!;
};

/** A scalar function over operands that are broadcast to the shape. */
export const mapped = (fn: ScalarFunction, operands: ReadonlyArray<Held>, shape: Shape): Float64Array => {
  const none = new Float64Array(1);
  const [a = none, b = none, c = none] = operands.map((o) => spread(o, shape));
  const [pa, pb, pc] = [paceOf(a), paceOf(b), paceOf(c)];
  const result = new Float64Array(sizeOfShape(shape));
  if (fn === 'add' || fn === 'sub') sums(a, b, fn === 'add' ? 1 : -1, result);
  else if (fn === 'mul') products(a, b, result);
  else if (isUnaryScalar(fn)) {
    const f = UNARY_SCALARS[fn];
    for (let e = 0; e < result.length; e++) result[e] = f(a[e * pa]!);
  } else if (isBinaryScalar(fn)) {
    const f = BINARY_SCALARS[fn];
    for (let e = 0; e < result.length; e++) result[e] = f(a[e * pa]!, b[e * pb]!);
  } else {
    const f = TERNARY_SCALARS[fn];
    for (let e = 0; e < result.length; e++) result[e] = f(a[e * pa]!, b[e * pb]!, c[e * pc]!);
  }
  return result;
};
