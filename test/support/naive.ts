/**
 * The ops once more, straight from their definitions and with no thought of speed: full recursions, dense
 * loops, whole numbers as BigInt. The interpreter is tested against this.
 */
import {
  type Basis,
  type Branch,
  type BSpline,
  type Constant,
  type Node,
  type Op,
  type PerChannel,
  type Quantizer,
  type Tensor,
  thresholdList,
} from '../../src/ir/index.js';
import type { Activation } from '../../src/numeric/activations.js';

const at = (c: Constant, ...indices: number[]): number => {
  const flat = indices.reduce((n, index, axis) => n * c.shape[axis]! + index, 0);
  const value = c.data[flat];
  if (value === undefined) throw new Error(`index ${indices.join(',')} is outside [${c.shape.join(',')}]`);
  return value;
};

const channelOf = (p: PerChannel, f: number): number => (typeof p === 'number' ? p : at(p, f));

/** The row of a constant whose first dimension is 1 or the number of features. */
const rowOf = (c: Constant, feature: number): number => (c.shape[0] === 1 ? 0 : feature);

/** B_{k,p}(x) by the recursion itself, 0/0 = 0. */
export const coxDeBoor = (knots: ArrayLike<number>, k: number, order: number, x: number): number => {
  if (order === 0) return x >= knots[k]! && x < knots[k + 1]! ? 1 : 0;
  const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
  const left = ratio(x - knots[k]!, knots[k + order]! - knots[k]!);
  const right = ratio(knots[k + order + 1]! - x, knots[k + order + 1]! - knots[k + 1]!);
  return left * coxDeBoor(knots, k, order - 1, x) + right * coxDeBoor(knots, k + 1, order - 1, x);
};

/** erf by Simpson's rule. */
export const simpsonErf = (x: number): number => {
  const steps = 20000;
  const h = x / steps;
  let sum = 1 + Math.exp(-x * x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return (2 / Math.sqrt(Math.PI)) * (h / 3) * sum;
};

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const NAIVE_ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  silu: (x) => (x < -700 ? 0 : x * logistic(x)),
  gelu: (x) => 0.5 * x * (1 + (Math.abs(x) > 9 ? Math.sign(x) : simpsonErf(x / Math.SQRT2))),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  softplus,
  mish: (x) => x * Math.tanh(softplus(x)),
  tanh: Math.tanh,
  sigmoid: logistic,
  identity: (x) => x,
  zero: () => 0,
};

const splineValue = (basis: BSpline, input: number, k: number, x: number): number => {
  const row = rowOf(basis.knots, input);
  const knots = Array.from({ length: basis.knots.shape[1]! }, (_, i) => at(basis.knots, row, i));
  return coxDeBoor(knots, k, basis.order, x);
};

const basisValue = (basis: Basis, input: number, k: number, x: number): number =>
  basis._tag === 'base' ? NAIVE_ACTIVATIONS[basis.activation](x) : splineValue(basis, input, k, x);

/** A number, and how large the terms were that gave it: what rounding may be measured by. */
export interface Approximate {
  readonly value: number;
  readonly magnitude: number;
}

const kanOutput = (
  branches: ReadonlyArray<Branch>,
  bias: number,
  x: ReadonlyArray<number>,
  o: number,
): Approximate => {
  const terms = branches.flatMap(({ basis, weights }) =>
    x.flatMap((xi, i) =>
      Array.from({ length: weights.shape[1]! }, (_, k) => at(weights, i, k, o) * basisValue(basis, i, k, xi)),
    ),
  );
  return {
    value: terms.reduce((a, b) => a + b, bias),
    magnitude: terms.reduce((a, b) => a + Math.abs(b), Math.abs(bias)),
  };
};

/** How many of the thresholds of a feature are <= x. */
const countCode = (q: Quantizer, feature: number, x: number): number =>
  thresholdList(q, feature).filter((t) => t <= x).length;

const meant = (q: Quantizer, feature: number, code: number): number =>
  q._tag === 'uniform'
    ? Math.fround(channelOf(q.lo, feature) + code * channelOf(q.step, feature))
    : at(q.values, rowOf(q.values, feature), code);

/** floor(((acc + bias) * mul + 2^(shift-1)) / 2^shift), clamped: in whole numbers of any size. */
export const bigRequantize = (
  acc: number,
  bias: number,
  mul: number,
  shift: number,
  levels: number,
): number => {
  const sum = (BigInt(acc) + BigInt(bias)) * BigInt(mul) + (1n << BigInt(shift - 1));
  const code = sum >> BigInt(shift);
  const top = BigInt(levels - 1);
  return Number(code < 0n ? 0n : code > top ? top : code);
};

const edgeOutput = (
  op: Extract<Op, { kind: 'table.edge' }>['attrs'],
  codes: ReadonlyArray<number>,
  o: number,
): number =>
  codes.reduce(
    (acc, code, i) => acc + at(op.table, op.slabs === undefined ? i : at(op.slabs, i), code, o),
    op.bias === undefined ? 0 : at(op.bias, o),
  );

const basisOutput = (
  op: Extract<Op, { kind: 'table.basis' }>['attrs'],
  codes: ReadonlyArray<number>,
  o: number,
): number => {
  let acc = op.bias === undefined ? 0 : at(op.bias, o);
  for (const [i, code] of codes.entries()) {
    const row = op.rows === undefined ? 0 : at(op.rows, i);
    for (let j = 0; j < op.basis.shape[1]!; j++) {
      const b = at(op.basis, at(op.frac, row, code), j) * 2 ** op.shift;
      acc += at(op.coefficients, i, at(op.span, row, code) + j, o) * b;
    }
    if (op.base !== undefined && op.baseTable !== undefined)
      acc += at(op.base, i, o) * at(op.baseTable, row, code);
  }
  return acc;
};

/** Element j of one sample of a node's value, from the sample of its operand. */
const naiveElement = (
  node: Node,
  sample: ReadonlyArray<number>,
  type: Tensor['type'],
  j: number,
): number | Approximate => {
  const { op } = node;
  const x = sample[j]!;
  switch (op.kind) {
    case 'affine':
      return Math.fround(Math.fround(x * channelOf(op.attrs.scale, j)) + channelOf(op.attrs.shift, j));
    case 'observe':
      return x;
    case 'gather':
      return sample[at(op.attrs.indices, j)]!;
    case 'kan':
      return kanOutput(op.attrs.branches, op.attrs.bias === undefined ? 0 : at(op.attrs.bias, j), sample, j);
    case 'quantize':
      return countCode(op.attrs.quantizer, j, x);
    case 'recode':
      return at(op.attrs.map, rowOf(op.attrs.map, j), x);
    case 'decode': {
      const { values } = op.attrs;
      if (values !== undefined) return at(values, rowOf(values, j), x);
      if (type.meaning === undefined || type.meaning._tag === 'scaled')
        throw new Error('nothing to decode by');
      return meant(type.meaning, j, x);
    }
    case 'dequantize':
      if (type.meaning?._tag !== 'scaled') throw new Error('no scale');
      return Math.fround(Math.fround(x) * channelOf(type.meaning.scale, j));
    case 'requantize': {
      const { bias, mul, shift, quantizer } = op.attrs;
      return bigRequantize(
        x,
        bias === undefined ? 0 : at(bias, j),
        channelOf(mul, j),
        shift,
        quantizer.levels,
      );
    }
    case 'table.edge':
      return edgeOutput(op.attrs, sample, j);
    case 'table.basis':
      return basisOutput(op.attrs, sample, j);
  }
};

/** A node's value, element by element. */
export const naiveValue = (node: Node, operand: Tensor): ReadonlyArray<number | Approximate> => {
  const size = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1);
  const width = size(operand.type.shape);
  return Array.from({ length: operand.batch }, (_, n) => {
    const sample = Array.from(operand.data.subarray(n * width, (n + 1) * width));
    return Array.from({ length: size(node.type.shape) }, (_, j) =>
      naiveElement(node, sample, operand.type, j),
    );
  }).flat();
};
