/** Where each element of a movement's result comes from. */
import { match } from 'ts-pattern';
import { type Movement, type Shape, sizeOfShape, stridesOf } from './program.js';

/** What `movementOf` says of elements that are the constant of a padding. */
export const PADDING = -1;

interface Walk {
  readonly dims: ReadonlyArray<number>;
  readonly steps: ReadonlyArray<number>;
}

/** The same walk in as few dimensions as it needs: those of one element go, neighbours that run on are joined. */
const joined = (shape: Shape, strides: ReadonlyArray<number>): Walk => {
  const dims: number[] = [];
  const steps: number[] = [];
  for (const [d, size] of shape.entries()) {
    if (size === 1) continue;
    const step = strides[d]!;
    const last = dims.length - 1;
    if (last >= 0 && steps[last] === step * size) {
      dims[last] = dims[last]! * size;
      steps[last] = step;
    } else {
      dims.push(size);
      steps.push(step);
    }
  }
  return { dims, steps };
};

/**
 * offset + sum of i[d] * strides[d] for all i in the shape, row-major: the elements of a view. Strides may be zero or
 * negative.
 */
export const stridedIndex = (shape: Shape, strides: ReadonlyArray<number>, offset: number): Int32Array => {
  const size = sizeOfShape(shape);
  const index = new Int32Array(size);
  const { dims, steps } = joined(shape, strides);
  const outer = dims.length - 1;
  const run = dims[outer] ?? 1;
  const step = steps[outer] ?? 0;
  const counters = new Int32Array(Math.max(outer, 0));
  let base = offset;
  for (let e = 0; e < size; ) {
    for (let i = 0, v = base; i < run; i++, v += step) index[e++] = v;
    for (let d = outer - 1; d >= 0; d--) {
      base += steps[d]!;
      counters[d]!++;
      if (counters[d]! < dims[d]!) break;
      base -= steps[d]! * dims[d]!;
      counters[d] = 0;
    }
  }
  return index;
};

/** The strides with which a shape is read when it is broadcast to another: zero where it has one element or none. */
export const broadcastStrides = (from: Shape, to: Shape): ReadonlyArray<number> => {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, d) => (d < missing || from[d - missing] === 1 ? 0 : strides[d - missing]!));
};

const concatIndex = (operands: ReadonlyArray<Shape>, axis: number, shape: Shape): Int32Array => {
  const index = new Int32Array(sizeOfShape(shape));
  const outer = sizeOfShape(shape.slice(0, axis));
  const row = sizeOfShape(shape.slice(axis));
  let base = 0;
  let column = 0;
  for (const operand of operands) {
    const width = sizeOfShape(operand.slice(axis));
    for (let o = 0, v = base; o < outer; o++) {
      for (let e = o * row + column, end = e + width; e < end; e++) index[e] = v++;
    }
    base += outer * width;
    column += width;
  }
  return index;
};

const padIndex = (operand: Shape, before: ReadonlyArray<number>, shape: Shape): Int32Array => {
  const index = new Int32Array(sizeOfShape(shape)).fill(PADDING);
  const to = before.map((b) => Math.max(b, 0));
  const from = before.map((b) => Math.max(-b, 0));
  const region = shape.map((size, d) => Math.max(0, Math.min(size - to[d]!, operand[d]! - from[d]!)));
  const read = stridesOf(operand);
  const write = stridesOf(shape);
  const offset = (at: ReadonlyArray<number>, strides: ReadonlyArray<number>): number =>
    at.reduce((sum, a, d) => sum + a * strides[d]!, 0);
  const sources = stridedIndex(region, read, offset(from, read));
  const places = stridedIndex(region, write, offset(to, write));
  for (let e = 0; e < sources.length; e++) index[places[e]!] = sources[e]!;
  return index;
};

/**
 * For each element of the result of a movement, row-major, the number of an element of its operands, all operands'
 * elements being numbered one operand after the other; `PADDING` where it is the constant of a padding. The shapes
 * must be right (`typeOfOp`). What is returned may be the index of the op itself and is not to be written to.
 */
export const movementOf = (op: Movement, operands: ReadonlyArray<Shape>, shape: Shape): Int32Array => {
  const operand = operands[0] ?? [];
  return match(op)
    .with({ kind: 'reshape' }, () => stridedIndex([sizeOfShape(shape)], [1], 0))
    .with({ kind: 'transpose' }, ({ perm }) => {
      const strides = stridesOf(operand);
      return stridedIndex(
        shape,
        perm.map((p) => strides[p]!),
        0,
      );
    })
    .with({ kind: 'slice' }, ({ start, step }) => {
      const strides = stridesOf(operand);
      return stridedIndex(
        shape,
        strides.map((s, d) => s * step[d]!),
        strides.reduce((sum, s, d) => sum + s * start[d]!, 0),
      );
    })
    .with({ kind: 'expand' }, () => stridedIndex(shape, broadcastStrides(operand, shape), 0))
    .with({ kind: 'concat' }, ({ axis }) => concatIndex(operands, axis, shape))
    .with({ kind: 'pad' }, ({ before }) => padIndex(operand, before, shape))
    .with({ kind: 'pick' }, ({ index }) => index)
    .exhaustive();
};
