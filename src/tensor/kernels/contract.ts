/** Sums of products of two tensors, in double. */
import { stridedIndex } from '../movement.js';
import { type Equation, type Shape, sizeOfShape, stridesOf } from '../program.js';
import { gathered, type Held } from './elements.js';

const without = (letters: string, others: string): string =>
  [...letters].filter((l) => !others.includes(l)).join('');

const within = (letters: string, others: string): string =>
  [...letters].filter((l) => others.includes(l)).join('');

/** The elements with dimensions in the order of `order`; what stands in none of it is summed over. */
const arranged = (operand: Held, letters: string, order: string): Float64Array => {
  const rest = without(letters, order);
  const strides = stridesOf(operand.shape);
  const places = [...order, ...rest].map((l) => letters.indexOf(l));
  const shape = places.map((d) => operand.shape[d]!);
  const data =
    order + rest === letters
      ? operand.data
      : gathered(
          operand.data,
          stridedIndex(
            shape,
            places.map((d) => strides[d]!),
            0,
          ),
        );
  if (rest === '') return data;
  const run = sizeOfShape(shape.slice(order.length));
  const sums = new Float64Array(sizeOfShape(shape.slice(0, order.length)));
  for (let e = 0, at = 0; e < sums.length; e++) {
    let sum = 0;
    for (let r = 0; r < run; r++) sum += data[at++]!;
    sums[e] = sum;
  }
  return sums;
};

interface Sizes {
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** [batch, rows, inner] times [batch, inner, columns]. */
const multiplied = (
  a: Float64Array,
  b: Float64Array,
  { batch, rows, inner, columns }: Sizes,
): Float64Array => {
  const result = new Float64Array(batch * rows * columns);
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < rows; r++) {
      const row = (n * rows + r) * columns;
      for (let k = 0; k < inner; k++) {
        const factor = a[(n * rows + r) * inner + k]!;
        for (let c = 0, at = (n * inner + k) * columns; c < columns; c++)
          result[row + c]! += factor * b[at + c]!;
      }
    }
  }
  return result;
};

/** [batch, rows, inner] times [batch, columns, inner]: for few columns. */
const dotted = (a: Float64Array, b: Float64Array, { batch, rows, inner, columns }: Sizes): Float64Array => {
  const result = new Float64Array(batch * rows * columns);
  for (let n = 0, e = 0; n < batch; n++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        const left = (n * rows + r) * inner;
        const right = (n * columns + c) * inner;
        for (let k = 0; k < inner; k++) sum += a[left + k]! * b[right + k]!;
        result[e++] = sum;
      }
    }
  }
  return result;
};

/** From how many columns on a row of them is worth its own loop. */
const MANY = 8;

export const contracted = (equation: Equation, a: Held, b: Held): Float64Array => {
  const { left, right, result } = equation;
  const both = within(left, right);
  const batch = within(both, result);
  const inner = without(both, result);
  const rows = within(without(left, right), result);
  const columns = within(without(right, left), result);
  const sizeOf = (letters: string): number =>
    sizeOfShape(
      [...letters].map((l) => (left.includes(l) ? a.shape[left.indexOf(l)]! : b.shape[right.indexOf(l)]!)),
    );
  const sizes = { batch: sizeOf(batch), rows: sizeOf(rows), inner: sizeOf(inner), columns: sizeOf(columns) };
  const first = arranged(a, left, batch + rows + inner);
  const product =
    sizes.columns >= MANY
      ? multiplied(first, arranged(b, right, batch + inner + columns), sizes)
      : dotted(first, arranged(b, right, batch + columns + inner), sizes);
  const order = batch + rows + columns;
  const shape: Shape = [...order].map((l) => sizeOf(l));
  return arranged({ shape, data: product }, order, result);
};
