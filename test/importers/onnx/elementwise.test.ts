/** Scalar functions of ONNX against JavaScript's own, written out by their definitions. */
import { describe, expect, it } from 'vitest';
import { b, both, f, fixed, type Given, i, type Options, type Result, random } from './one-node.js';

const only = (op: string, operands: ReadonlyArray<Given | undefined>, options: Options = {}): Result => {
  const { varying, folded } = both(op, operands, options);
  expect(varying).toEqual(folded);
  return varying[0]!;
};

const near = (found: ReadonlyArray<number>, expected: ReadonlyArray<number>, within = 2e-6): void => {
  expect(found.length).toBe(expected.length);
  for (const [k, y] of expected.entries()) {
    const x = found[k]!;
    if (Number.isFinite(y))
      expect(Math.abs(x - y), `${x} for ${y}`).toBeLessThanOrEqual(within * Math.max(1, Math.abs(y)));
    else expect(x).toBe(y);
  }
};

const xs = random([4, 5], 3);
const positive = f(
  [4, 5],
  xs.data.map((x) => Math.abs(x) + 0.1),
);
const within = f(
  [4, 5],
  xs.data.map((x) => x / 2.1),
);
/** The integral of exp(-t^2) by Simpson's rule. */
const erf = (x: number): number => {
  const n = 400;
  let sum = 0;
  for (let k = 0; k <= n; k++)
    sum += Math.exp(-(((x * k) / n) ** 2)) * (k === 0 || k === n ? 1 : k % 2 === 1 ? 4 : 2);
  return ((2 / Math.sqrt(Math.PI)) * sum * x) / n / 3;
};

describe('functions of one operand', () => {
  const cases: ReadonlyArray<[string, (x: number) => number, Given?]> = [
    ['Abs', Math.abs],
    ['Neg', (x) => -x],
    ['Sign', Math.sign],
    ['Reciprocal', (x) => 1 / x],
    ['Exp', Math.exp],
    ['Log', Math.log, positive],
    ['Sqrt', Math.sqrt, positive],
    ['Sin', Math.sin],
    ['Cos', Math.cos],
    ['Tan', Math.tan, within],
    ['Asin', Math.asin, within],
    ['Acos', Math.acos, within],
    ['Atan', Math.atan],
    ['Sinh', Math.sinh],
    ['Cosh', Math.cosh],
    ['Tanh', Math.tanh],
    ['Asinh', Math.asinh],
    [
      'Acosh',
      Math.acosh,
      f(
        [4, 5],
        xs.data.map((x) => Math.abs(x) + 1.1),
      ),
    ],
    ['Atanh', Math.atanh, within],
    ['Erf', erf],
    ['Floor', Math.floor],
    ['Ceil', Math.ceil],
    ['Sigmoid', (x) => 1 / (1 + Math.exp(-x))],
    ['Softplus', (x) => Math.log1p(Math.exp(x))],
    ['Softsign', (x) => x / (1 + Math.abs(x))],
    ['Relu', (x) => Math.max(x, 0)],
    ['HardSwish', (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1)],
    ['Mish', (x) => x * Math.tanh(Math.log1p(Math.exp(x)))],
    ['Swish', (x) => x / (1 + Math.exp(-x))],
    ['Gelu', (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))],
    ['Elu', (x) => (x < 0 ? Math.expm1(x) : x)],
    ['Selu', (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x)],
    ['Celu', (x) => Math.max(0, x) + Math.min(0, Math.expm1(x))],
    ['LeakyRelu', (x) => (x < 0 ? 0.01 * x : x)],
    ['ThresholdedRelu', (x) => (x > 1 ? x : 0)],
    ['HardSigmoid', (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1)],
    ['Shrink', (x) => (x < -0.5 || x > 0.5 ? x : 0)],
  ];
  it.each(cases)('%s', (op, fn, operand = xs) => {
    const { shape, data } = only(op, [operand], { opset: 20 });
    expect(shape).toEqual([4, 5]);
    near(data, operand.data.map(fn));
  });

  const withParameters: ReadonlyArray<
    readonly [string, Record<string, number | string>, (x: number) => number]
  > = [
    ['Elu', { alpha: 0.7 }, (x) => (x < 0 ? 0.7 * Math.expm1(x) : x)],
    ['Celu', { alpha: 0.6 }, (x) => Math.max(0, x) + Math.min(0, 0.6 * Math.expm1(x / 0.6))],
    ['Selu', { alpha: 1.3, gamma: 0.9 }, (x) => 0.9 * (x < 0 ? 1.3 * Math.expm1(x) : x)],
    ['LeakyRelu', { alpha: 0.3 }, (x) => (x < 0 ? 0.3 * x : x)],
    ['ThresholdedRelu', { alpha: 0.4 }, (x) => (x > 0.4 ? x : 0)],
    ['HardSigmoid', { alpha: 0.3, beta: 0.4 }, (x) => Math.min(Math.max(0.3 * x + 0.4, 0), 1)],
    ['Swish', { alpha: 1.7 }, (x) => x / (1 + Math.exp(-1.7 * x))],
    ['Shrink', { lambd: 0.7, bias: 0.2 }, (x) => (x < -0.7 ? x + 0.2 : x > 0.7 ? x - 0.2 : 0)],
    [
      'Gelu',
      { approximate: 'tanh' },
      (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ],
  ];
  it.each(withParameters)('%s with %j', (op, attributes, fn) => {
    near(only(op, [xs], { attributes, opset: 20 }).data, xs.data.map(fn));
  });

  it('Round goes to the even one of two that are equally near', () => {
    expect(only('Round', [f([6], [0.5, 1.5, 2.5, -0.5, -1.5, 2.4])]).data.map((x) => x + 0)).toEqual([
      0, 2, 2, 0, -2, 2,
    ]);
  });

  it('IsNaN and IsInf', () => {
    const odd = f([4], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1]);
    expect(only('IsNaN', [odd]).data).toEqual([1, 0, 0, 0]);
    expect(only('IsInf', [odd]).data).toEqual([0, 1, 1, 0]);
    expect(only('IsInf', [odd], { attributes: { detect_negative: 0 } }).data).toEqual([0, 1, 0, 0]);
    expect(only('IsInf', [odd], { attributes: { detect_positive: 0 } }).data).toEqual([0, 0, 1, 0]);
    expect(only('IsInf', [odd], { attributes: { detect_positive: 0, detect_negative: 0 } }).data).toEqual([
      0, 0, 0, 0,
    ]);
  });
});

describe('functions of several operands', () => {
  const row = random([5], 7);
  const pairs = (fn: (x: number, y: number) => number): ReadonlyArray<number> =>
    xs.data.map((x, e) => fn(x, row.data[e % 5]!));
  const cases: ReadonlyArray<readonly [string, (x: number, y: number) => number]> = [
    ['Add', (x, y) => x + y],
    ['Sub', (x, y) => x - y],
    ['Mul', (x, y) => x * y],
    ['Div', (x, y) => x / y],
    ['Max', Math.max],
    ['Min', Math.min],
    ['Sum', (x, y) => x + y],
    ['Mean', (x, y) => (x + y) / 2],
    ['PRelu', (x, y) => (x < 0 ? x * y : x)],
    ['Equal', (x, y) => Number(x === y)],
    ['Less', (x, y) => Number(x < y)],
    ['LessOrEqual', (x, y) => Number(x <= y)],
    ['Greater', (x, y) => Number(x > y)],
    ['GreaterOrEqual', (x, y) => Number(x >= y)],
  ];
  it.each(cases)('%s, broadcast', (op, fn) => {
    const { shape, data } = only(op, [xs, row]);
    expect(shape).toEqual([4, 5]);
    near(data, pairs(fn));
  });

  it('broadcasts both operands', () => {
    const result = only('Add', [f([2, 1], [1, 2]), f([1, 3], [10, 20, 30])]);
    expect(result).toEqual({ shape: [2, 3], data: [11, 21, 31, 12, 22, 32] });
    expect(() => only('Add', [f([2], [1, 2]), f([3], [1, 2, 3])])).toThrow(/K0214.*\[2\] and \[3\]/);
  });

  it('Pow', () => {
    near(
      only('Pow', [xs, f([], [3])]).data,
      xs.data.map((x) => x ** 3),
    );
    near(
      only('Pow', [positive, row]).data,
      positive.data.map((x, e) => x ** row.data[e % 5]!),
    );
    expect(only('Pow', [i([3], [2, 3, 5]), f([], [0.5])]).data).toEqual([1, 1, 2]);
  });

  it('truth', () => {
    const [p, q] = [b([4], [0, 0, 1, 1]), b([4], [0, 1, 0, 1])];
    expect(only('And', [p, q]).data).toEqual([0, 0, 0, 1]);
    expect(only('Or', [p, q]).data).toEqual([0, 1, 1, 1]);
    expect(only('Xor', [p, q]).data).toEqual([0, 1, 1, 0]);
    expect(only('Not', [p]).data).toEqual([1, 1, 0, 0]);
    expect(only('Where', [p, f([4], [1, 2, 3, 4]), f([], [9])]).data).toEqual([9, 9, 3, 4]);
  });

  it('integers divide towards zero and stay exact', () => {
    expect(only('Div', [i([4], [7, -7, 7, -8]), i([4], [2, 2, -2, 3])]).data).toEqual([3, -3, -3, -2]);
    const big = 2 ** 53 - 1;
    expect(only('Div', [i([1], [big]), i([1], [2])]).data).toEqual([2 ** 52 - 1]);
    expect(only('Add', [i([1], [2 ** 40]), i([1], [1])]).data).toEqual([2 ** 40 + 1]);
  });

  it('Mod takes the sign of the divisor, or with fmod that of the dividend', () => {
    const [x, y] = [i([4], [7, -7, 7, -7]), i([4], [3, 3, -3, -3])];
    expect(only('Mod', [x, y]).data).toEqual([1, 2, -2, -1]);
    expect(only('Mod', [x, y], { attributes: { fmod: 1 } }).data).toEqual([1, -1, 1, -1]);
  });

  it('Clip by inputs, one of which may be absent, and by attributes before opset 11', () => {
    const x = f([4], [-3, -0.5, 0.5, 3]);
    expect(only('Clip', [x, fixed(f([], [-1])), fixed(f([], [1]))]).data).toEqual([-1, -0.5, 0.5, 1]);
    expect(only('Clip', [x, undefined, fixed(f([], [0]))]).data).toEqual([-3, -0.5, 0, 0]);
    expect(only('Clip', [x, fixed(f([], [0]))]).data).toEqual([0, 0, 0.5, 3]);
    expect(only('Clip', [x], { attributes: { min: -0.5, max: 0.5 }, opset: 6 + 1 }).data).toEqual([
      -0.5, -0.5, 0.5, 0.5,
    ]);
  });

  it('floats are rounded to f32 after every op', () => {
    expect(only('Add', [f([1], [1]), f([1], [1e-9])]).data).toEqual([1]);
    expect(only('Mul', [f([1], [0.1]), f([1], [0.1])]).data).toEqual([
      Math.fround(Math.fround(0.1) * Math.fround(0.1)),
    ]);
  });
});
