/** What is linear in one operand, as rows of weights over patches of it: contractions, sums, means. */
import type { Checked } from '../../diagnostics/index.js';
import { stridedIndex } from '../../tensor/movement.js';
import {
  type Equation,
  type Shape,
  stridesOf,
  type TensorNode,
  type TensorOp,
  type ValueId,
} from '../../tensor/program.js';
import { NO_SOURCE, type Traced, type Varying, varyingOf } from '../traced.js';
import { type Rows, traceRows } from './rows.js';
import { entangled, type Tracer } from './state.js';

/** A dimension that indices go along, with the distance from one to the next. */
interface Stride {
  readonly size: number;
  readonly stride: number;
}

/** A number for each combination of indices along some dimensions, in row-major order of these. */
export const offsets = (dims: ReadonlyArray<Stride>): Int32Array =>
  stridedIndex(
    dims.map(({ size }) => size),
    dims.map(({ stride }) => stride),
    0,
  );

/** The strides of letters in a tensor; 0 for letters that it does not have. */
const strideOf = (letters: string, shape: Shape): ((letter: string) => number) => {
  const strides = stridesOf(shape);
  return (letter) => {
    const at = letters.indexOf(letter);
    return at < 0 ? 0 : strides[at]!;
  };
};

/** The constant operand with the letters that only it has summed away. */
const presummed = (
  data: Float64Array,
  letters: string,
  shape: Shape,
  kept: string,
): { data: Float64Array; letters: string; shape: Shape } => {
  const keep = [...letters].filter((l) => kept.includes(l)).join('');
  if (keep === letters) return { data, letters, shape };
  const stride = strideOf(letters, shape);
  const size = (l: string): number => shape[letters.indexOf(l)]!;
  const dims = (some: Iterable<string>) => [...some].map((l) => ({ size: size(l), stride: stride(l) }));
  const outer = offsets(dims(keep));
  const inner = offsets(dims([...letters].filter((l) => !keep.includes(l))));
  const sums = Float64Array.from(outer, (o) => inner.reduce((n, i) => n + data[o + i]!, 0));
  return { data: sums, letters: keep, shape: [...keep].map(size) };
};

/** Rows of a contraction of a value with constants. */
const contractRows = (
  operand: Varying,
  [letters, shape]: readonly [string, Shape],
  constant: { data: Float64Array; letters: string; shape: Shape },
  [result, resultShape]: readonly [string, Shape],
): Rows => {
  const weights = presummed(constant.data, constant.letters, constant.shape, letters + result);
  const own = strideOf(letters, shape);
  const other = strideOf(weights.letters, weights.shape);
  const size = (l: string): number =>
    letters.includes(l) ? shape[letters.indexOf(l)]! : weights.shape[weights.letters.indexOf(l)]!;
  const dims = (some: ReadonlyArray<string>, stride: (l: string) => number) =>
    some.map((l) => ({ size: size(l), stride: stride(l) }));
  const patchLetters = [...result].filter((l) => letters.includes(l));
  const rowLetters = [...result].filter((l) => weights.letters.includes(l));
  const tapLetters = [...letters].filter((l) => !result.includes(l));
  const numbering = (some: ReadonlyArray<string>): ((l: string) => number) =>
    strideOf(some.join(''), some.map(size));
  const tapsInWeights = offsets(dims(tapLetters, other));
  const rowsInWeights = offsets(dims(rowLetters, other));
  const table = new Float64Array(rowsInWeights.length * tapsInWeights.length);
  for (let r = 0; r < rowsInWeights.length; r++) {
    for (let j = 0; j < tapsInWeights.length; j++) {
      table[r * tapsInWeights.length + j] = weights.data[rowsInWeights[r]! + tapsInWeights[j]!]!;
    }
  }
  const everywhere = [...result].map((l, d) => ({ l, size: resultShape[d]! }));
  const numbered = (some: ReadonlyArray<string>): Int32Array =>
    offsets(everywhere.map(({ l, size: s }) => ({ size: s, stride: numbering(some)(l) })));
  return {
    operand,
    patch: numbered(patchLetters),
    row: numbered(rowLetters),
    offset: offsets(dims(patchLetters, own)),
    tap: offsets(dims(tapLetters, own)),
    weights: table,
  };
};

export const traceContract = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  { left, right, result }: Equation,
  [a, b]: readonly [Traced, Traced],
): Checked<Traced> => {
  const shapes = node.operands.map((o) => t.program.nodes[o]!.type.shape);
  const isConstant = (v: Traced): boolean => v.tag === 'constant' || v.source.every((s) => s === NO_SOURCE);
  if (!isConstant(a) && !isConstant(b)) {
    return entangled(t, node, 'multiplies two values that both depend on the input, and sums the products');
  }
  const swapped = isConstant(a);
  const [value0, constant] = swapped ? [b, a] : [a, b];
  const [letters, other] = swapped ? [right, left] : [left, right];
  const [shape, otherShape] = swapped ? [shapes[1]!, shapes[0]!] : [shapes[0]!, shapes[1]!];
  const rows = contractRows(
    varyingOf(t.table, value0),
    [letters, shape],
    { data: dataOf(t, constant), letters: other, shape: otherShape },
    [result, node.type.shape],
  );
  return traceRows(t, node, value, rows);
};

const dataOf = (t: Tracer, traced: Traced): Float64Array =>
  traced.tag === 'constant'
    ? traced.data
    : Float64Array.from(
        traced.fn,
        (fn, e) => (t.table.constantOf(fn) ?? Number.NaN) * (traced.factor?.[e] ?? 1),
      );

/** Sums and means over dimensions. */
export const traceSum = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  op: Extract<TensorOp, { kind: 'reduce' }>,
  operand: Traced,
): Checked<Traced> => {
  const { shape } = t.program.nodes[node.operands[0]!]!.type;
  const letters = [...shape.keys()].map((d) => String.fromCharCode(97 + d)).join('');
  const result = [...letters].filter((_, d) => !op.axes.includes(d)).join('');
  const resultShape = shape.filter((_, d) => !op.axes.includes(d));
  const count = op.axes.reduce((n, d) => n * shape[d]!, 1);
  const weight = op.fn === 'mean' ? 1 / count : 1;
  const rows = contractRows(
    varyingOf(t.table, operand),
    [letters, shape],
    { data: Float64Array.of(weight), letters: '', shape: [] },
    [result, resultShape],
  );
  return traceRows(t, node, value, rows);
};
