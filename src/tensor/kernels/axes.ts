/** Along axes: reductions, norms, softmax, tables. */
import { exp, log } from '../../numeric/transcendental.js';
import { stridedIndex } from '../movement.js';
import { type Shape, sizeOfShape, stridesOf } from '../program.js';
import { gathered, type Held } from './elements.js';

type Reduction = 'sum' | 'mean' | 'max' | 'min' | 'prod';

/** Where the elements of each group along the axes stand, one group behind the other; and how large a group is. */
const groupsOf = (
  shape: Shape,
  axes: ReadonlyArray<number>,
): { readonly index: Int32Array; readonly size: number } => {
  const strides = stridesOf(shape);
  const kept = shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const inner = [...axes].sort((a, b) => a - b);
  const order = [...kept, ...inner];
  return {
    index: stridedIndex(
      order.map((d) => shape[d]!),
      order.map((d) => strides[d]!),
      0,
    ),
    size: sizeOfShape(inner.map((d) => shape[d]!)),
  };
};

const FOLDS: Readonly<
  Record<Reduction, { readonly first: number; readonly join: (a: number, b: number) => number }>
> = {
  sum: { first: 0, join: (a, b) => a + b },
  mean: { first: 0, join: (a, b) => a + b },
  prod: { first: 1, join: (a, b) => a * b },
  max: { first: Number.NEGATIVE_INFINITY, join: Math.max },
  min: { first: Number.POSITIVE_INFINITY, join: Math.min },
};

export const reduced = (x: Held, fn: Reduction, axes: ReadonlyArray<number>): Float64Array => {
  const { index, size } = groupsOf(x.shape, axes);
  const groups = sizeOfShape(x.shape.filter((_, d) => !axes.includes(d)));
  const { first, join } = FOLDS[fn];
  const result = new Float64Array(groups);
  for (let g = 0, at = 0; g < groups; g++) {
    let value = first;
    for (let i = 0; i < size; i++) value = join(value, x.data[index[at++]!]!);
    result[g] = fn === 'mean' ? value / size : value;
  }
  return result;
};

export const standardized = (x: Held, axes: ReadonlyArray<number>, epsilon: number): Float64Array => {
  const { index, size } = groupsOf(x.shape, axes);
  const result = new Float64Array(x.data.length);
  for (let from = 0; from < index.length; from += size) {
    let sum = 0;
    for (let i = from; i < from + size; i++) sum += x.data[index[i]!]!;
    const mean = sum / size;
    let squares = 0;
    for (let i = from; i < from + size; i++) squares += (x.data[index[i]!]! - mean) ** 2;
    const deviation = Math.sqrt(squares / size + epsilon);
    for (let i = from; i < from + size; i++) result[index[i]!] = (x.data[index[i]!]! - mean) / deviation;
  }
  return result;
};

export const softmax = (x: Held, axis: number, logarithm: boolean): Float64Array => {
  const { index, size } = groupsOf(x.shape, [axis]);
  const result = new Float64Array(x.data.length);
  for (let from = 0; from < index.length; from += size) {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = from; i < from + size; i++) most = Math.max(most, x.data[index[i]!]!);
    let sum = 0;
    for (let i = from; i < from + size; i++) sum += exp(x.data[index[i]!]! - most);
    const logSum = log(sum);
    for (let i = from; i < from + size; i++) {
      const above = x.data[index[i]!]! - most;
      result[index[i]!] = logarithm ? above - logSum : exp(above) / sum;
    }
  }
  return result;
};

/** Rows of a table along an axis by the numbers of an index; NaN where the table has no such row. */
export const lookedUp = (table: Held, at: Held, axis: number): Float64Array => {
  const outer = sizeOfShape(table.shape.slice(0, axis));
  const rows = table.shape[axis] ?? 1;
  const width = sizeOfShape(table.shape.slice(axis + 1));
  const count = at.data.length;
  const index = new Int32Array(outer * count * width);
  for (let o = 0, e = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      const row = at.data[i]!;
      const known = Number.isInteger(row) && row >= 0 && row < rows;
      for (let w = 0; w < width; w++) index[e++] = known ? (o * rows + row) * width + w : table.data.length;
    }
  }
  return gathered(table.data, index);
};
