/** Sums of products, reductions and norms against loops over their definitions. */
import { describe, expect, it } from 'vitest';
import {
  both,
  element,
  f,
  fixed,
  type Given,
  i,
  list,
  type Options,
  places,
  type Result,
  random,
} from './one-node.js';

const near = (found: Result, expected: Result, within = 3e-6): void => {
  expect(found.shape).toEqual(expected.shape);
  for (const [k, y] of expected.data.entries())
    expect(Math.abs(found.data[k]! - y), `element ${k}`).toBeLessThanOrEqual(
      within * Math.max(1, Math.abs(y)),
    );
};

const only = (
  op: string,
  operands: ReadonlyArray<Given | undefined>,
  options: Options = {},
  apart = 0,
): Result => {
  const { varying, folded } = both(op, operands, options);
  near(varying[0]!, folded[0]!, apart);
  return varying[0]!;
};

const made = (shape: ReadonlyArray<number>, at: (place: ReadonlyArray<number>) => number): Result => ({
  shape,
  data: places(shape).map(at),
});

const total = (n: number, term: (k: number) => number): number => {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += term(k);
  return sum;
};

/** A place in a shape that is broadcast: the last dimensions, zero where there is one element. */
const broadcast = (shape: ReadonlyArray<number>, place: ReadonlyArray<number>): ReadonlyArray<number> =>
  shape.map((n, d) => (n === 1 ? 0 : place[place.length - shape.length + d]!));

describe('MatMul', () => {
  it.each([
    [
      [2, 3],
      [3, 4],
      [2, 4],
    ],
    [
      [5, 2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [5, 2, 3],
      [3, 9],
      [5, 2, 9],
    ],
    [
      [2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [5, 1, 2, 3],
      [1, 6, 3, 4],
      [5, 6, 2, 4],
    ],
    [
      [6, 2, 3],
      [5, 1, 3, 4],
      [5, 6, 2, 4],
    ],
    [
      [1, 2, 3],
      [1, 3, 4],
      [1, 2, 4],
    ],
  ])('%j by %j', (left, right, shape) => {
    const [a, c] = [random(left, 1), random(right, 2)];
    const expected = made(shape, (place) => {
      const lead = place.slice(0, -2);
      const [r, k] = place.slice(-2);
      return total(
        3,
        (n) =>
          element(a, [...broadcast(left.slice(0, -2), lead), r!, n]) *
          element(c, [...broadcast(right.slice(0, -2), lead), n, k!]),
      );
    });
    near(only('MatMul', [a, c]), expected);
  });

  it('of rows and columns', () => {
    const [a, c] = [random([3], 1), random([2, 3, 4], 2)];
    near(
      only('MatMul', [a, c]),
      made([2, 4], ([n, k]) => total(3, (j) => a.data[j]! * element(c, [n!, j, k!]))),
    );
    near(
      only('MatMul', [c, random([4], 3)]),
      made([2, 3], ([n, j]) => total(4, (k) => element(c, [n!, j!, k]) * random([4], 3).data[k]!)),
    );
    near(
      only('MatMul', [a, random([3], 5)]),
      made([], () => total(3, (k) => a.data[k]! * random([3], 5).data[k]!)),
    );
  });

  it('refuses what does not fit', () => {
    for (const [left, right] of [
      [
        [2, 3],
        [4, 2],
      ],
      [
        [2, 3],
        [1, 3],
      ],
      [
        [2, 1],
        [3, 2],
      ],
      [[2, 1], [3]],
    ] as const)
      expect(() => only('MatMul', [random(left), random(right)])).toThrow(/K0214.*MatMul/);
  });
});

describe('Gemm', () => {
  it.each([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ])('transA %i transB %i', (transA, transB) => {
    const a = random(transA === 1 ? [3, 2] : [2, 3], 1);
    const c = random(transB === 1 ? [4, 3] : [3, 4], 2);
    const bias = random([4], 3);
    const product = (r: number, k: number): number =>
      total(
        3,
        (n) => element(a, transA === 1 ? [n, r] : [r, n]) * element(c, transB === 1 ? [k, n] : [n, k]),
      );
    const attributes = { transA, transB };
    near(
      only('Gemm', [a, c], { attributes }),
      made([2, 4], ([r, k]) => product(r!, k!)),
    );
    near(
      only('Gemm', [a, c, bias], { attributes: { ...attributes, alpha: 0.5, beta: 0.25 } }),
      made([2, 4], ([r, k]) => 0.5 * product(r!, k!) + 0.25 * bias.data[k!]!),
    );
  });
});

describe('Einsum', () => {
  /** The sum over all letters that the result lacks, by the definition. */
  const naive = (equation: string, operands: ReadonlyArray<Given>): Result => {
    const [left = '', result = ''] = equation.split('->');
    const terms = left.split(',');
    const sizes = new Map(
      terms.flatMap((t, k) => [...t].map((l, d) => [l, operands[k]!.shape[d]!] as const)),
    );
    const letters = [...sizes.keys()];
    const summed = letters.filter((l) => !result.includes(l));
    return made(
      [...result].map((l) => sizes.get(l)!),
      (place) => {
        let sum = 0;
        for (const rest of places(summed.map((l) => sizes.get(l)!))) {
          const at = (l: string): number =>
            result.includes(l) ? place[result.indexOf(l)]! : rest[summed.indexOf(l)]!;
          sum += terms.reduce((p, t, k) => p * element(operands[k]!, [...t].map(at)), 1);
        }
        return sum;
      },
    );
  };
  const S: Readonly<Record<string, number>> = { a: 2, b: 3, c: 4, d: 2, i: 3, j: 2, k: 4, l: 3, o: 2 };
  it.each([
    'ab->ba',
    'ab->a',
    'abc->cb',
    'ii->i',
    'ii->',
    'iij->ji',
    'ab,bc->ac',
    'ijk,jlk->ijl',
    'bid,iod->bo',
    'dbik,djik->bj',
    'ab,ab->ab',
    'ab,cd->acbd',
    'ab,b->',
    'abc,cd->b',
    'ii,ij->j',
    'ab,bc,cd->ad',
    'ab,ac,ad->abcd',
    'ab,ab,b->a',
  ])('%s', (equation) => {
    const operands = equation
      .split('->')[0]!
      .split(',')
      .map((t, k) =>
        random(
          [...t].map((l) => S[l]!),
          k + 1,
        ),
      );
    near(only('Einsum', operands, { attributes: { equation } }), naive(equation, operands));
  });

  it('with dots, with spaces, without a result', () => {
    const [a, c] = [random([5, 2, 3], 1), random([3, 4], 2)];
    near(
      only('Einsum', [a, c], { attributes: { equation: ' ...ij, jk -> ...ik' } }),
      naive('xij,jk->xik', [a, c]),
    );
    near(only('Einsum', [a, c], { attributes: { equation: 'xij,jk' } }), naive('xij,jk->ikx', [a, c]));
    const [p, q] = [random([1, 2, 3], 1), random([4, 3, 2], 2)];
    const widened = { ...p, shape: [4, 2, 3], data: [...p.data, ...p.data, ...p.data, ...p.data] };
    near(
      only('Einsum', [p, q], { attributes: { equation: '...ij,...jk->...ik' } }),
      naive('xij,xjk->xik', [widened, q]),
    );
  });

  it('refuses what does not fit', () => {
    const two = [random([2, 3]), random([3, 2])];
    for (const equation of ['ab->a', 'abc,bc->a', 'ab,b$->a', 'ab,ba->c'])
      expect(() => only('Einsum', two, { attributes: { equation } })).toThrow(/K0214.*Einsum/);
  });
});

describe('reductions', () => {
  const x = random([2, 3, 4], 4);
  const all = (ns: ReadonlyArray<number>): Readonly<Record<string, number>> => ({
    ReduceSum: ns.reduce((s, v) => s + v, 0),
    ReduceMean: ns.reduce((s, v) => s + v, 0) / ns.length,
    ReduceMax: Math.max(...ns),
    ReduceMin: Math.min(...ns),
    ReduceProd: ns.reduce((s, v) => s * v, 1),
    ReduceL1: ns.reduce((s, v) => s + Math.abs(v), 0),
    ReduceL2: Math.sqrt(ns.reduce((s, v) => s + v * v, 0)),
    ReduceSumSquare: ns.reduce((s, v) => s + v * v, 0),
    ReduceLogSumExp: Math.log(ns.reduce((s, v) => s + Math.exp(v), 0)),
  });
  it.each(Object.keys(all([1])))('%s over an axis, several, all; axes as attribute or input', (op) => {
    const row = (n: number, c: number): number => all([0, 1, 2].map((k) => element(x, [n, k, c])))[op]!;
    const kept = made([2, 1, 4], ([n, , c]) => row(n!, c!));
    near(only(op, [x, list(1)], { opset: 18 }), kept);
    near(only(op, [x], { attributes: { axes: [-2] }, opset: 12 }), kept);
    near(only(op, [x, list(1)], { attributes: { keepdims: 0 } }), { ...kept, shape: [2, 4] });
    near(
      only(op, [x]),
      made([1, 1, 1], () => all(x.data)[op]!),
    );
    near(
      only(op, [x, list(0, 2)], { attributes: { keepdims: 0 } }),
      made([3], ([k]) => all(places([2, 4]).map(([n, c]) => element(x, [n!, k!, c!])))[op]!),
    );
    expect(() => only(op, [x, list(3)])).toThrow(/no axis 3/);
  });

  it('does nothing without axes where it says so', () => {
    expect(only('ReduceSum', [x], { attributes: { noop_with_empty_axes: 1 } }).data).toEqual(x.data);
  });

  it('ReduceLogSum', () => {
    const y = f([2, 2], [1, 2, 3, 4]);
    near(
      only('ReduceLogSum', [y, list(1)]),
      made([2, 1], ([n]) => Math.log(n === 0 ? 3 : 7)),
    );
  });

  it.each([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ])('CumSum exclusive %i reverse %i', (exclusive, reverse) => {
    const expected = made([2, 3, 4], ([n, k, c]) =>
      total(3, (j) => {
        const before = reverse === 1 ? j - k! : k! - j;
        return before > 0 || (before === 0 && exclusive === 0) ? element(x, [n!, j, c!]) : 0;
      }),
    );
    near(only('CumSum', [x, fixed(i([], [1]))], { attributes: { exclusive, reverse } }), expected);
  });

  it('Softmax and LogSoftmax: one axis now, all from the axis on before opset 13', () => {
    const row = (n: number, k: number): number => total(4, (j) => Math.exp(element(x, [n, k, j])));
    const soft = made([2, 3, 4], ([n, k, c]) => Math.exp(element(x, [n!, k!, c!])) / row(n!, k!));
    near(only('Softmax', [x]), soft);
    near(only('LogSoftmax', [x]), { ...soft, data: soft.data.map(Math.log) });
    const column = made(
      [2, 3, 4],
      ([n, k, c]) => Math.exp(element(x, [n!, k!, c!])) / total(3, (j) => Math.exp(element(x, [n!, j, c!]))),
    );
    near(only('Softmax', [x], { attributes: { axis: 1 } }), column);
    const flat = made(
      [2, 3, 4],
      ([n, k, c]) => Math.exp(element(x, [n!, k!, c!])) / total(3, (j) => row(n!, j)),
    );
    near(only('Softmax', [x], { opset: 11 }), flat);
  });
});

describe('norms', () => {
  const x = random([2, 4, 3, 2], 5);
  const [scale, shift] = [random([4], 6), random([4], 7)];
  /** Mean and variance of the elements of a set of places. */
  const standard = (set: ReadonlyArray<ReadonlyArray<number>>, value: number): number => {
    const ns = set.map((p) => element(x, p));
    const mean = ns.reduce((s, v) => s + v, 0) / ns.length;
    const variance = ns.reduce((s, v) => s + (v - mean) ** 2, 0) / ns.length;
    return (value - mean) / Math.sqrt(variance + 1e-3);
  };
  const attributes = { epsilon: 1e-3 };
  const image = (n: number, channels: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
    channels.flatMap((c) => places([3, 2]).map(([h, w]) => [n, c, h!, w!]));

  it('BatchNormalization is a scale and a shift of each channel', () => {
    const [mean, variance] = [random([4], 8), f([4], [0.5, 1, 2, 0.1])];
    const expected = made(
      x.shape,
      (p) =>
        ((element(x, p) - mean.data[p[1]!]!) / Math.sqrt(variance.data[p[1]!]! + 1e-3)) * scale.data[p[1]!]! +
        shift.data[p[1]!]!,
    );
    // Constants are folded in double, so that the two ways differ in the last bit.
    near(only('BatchNormalization', [x, scale, shift, mean, variance], { attributes }, 1e-6), expected);
    const constants = [scale, shift, mean, variance].map(fixed);
    near(only('BatchNormalization', [x, ...constants], { attributes }), expected);
    const training = { attributes: { ...attributes, training_mode: 1 } };
    expect(() => both('BatchNormalization', [x, ...constants], training)).toThrow(/training mode/);
  });

  it('LayerNormalization', () => {
    const [g, h] = [random([3, 2], 6), random([3, 2], 7)];
    near(
      only('LayerNormalization', [x, g, h], { attributes: { ...attributes, axis: 2 } }),
      made(
        x.shape,
        (p) =>
          standard(image(p[0]!, [p[1]!]), element(x, p)) * element(g, p.slice(2)) + element(h, p.slice(2)),
      ),
    );
  });

  it('InstanceNormalization and GroupNormalization', () => {
    near(
      only('InstanceNormalization', [x, scale, shift], { attributes }),
      made(
        x.shape,
        (p) => standard(image(p[0]!, [p[1]!]), element(x, p)) * scale.data[p[1]!]! + shift.data[p[1]!]!,
      ),
    );
    const grouped = (s: Given, t: Given, k: (c: number) => number): Result =>
      made(x.shape, (p) => {
        const first = p[1]! < 2 ? [0, 1] : [2, 3];
        return standard(image(p[0]!, first), element(x, p)) * s.data[k(p[1]!)]! + t.data[k(p[1]!)]!;
      });
    const options = { attributes: { ...attributes, num_groups: 2 } };
    near(
      only('GroupNormalization', [x, scale, shift], options),
      grouped(scale, shift, (c) => c),
    );
    const [two, three] = [random([2], 8), random([2], 9)];
    near(
      only('GroupNormalization', [x, two, three], options),
      grouped(two, three, (c) => Math.floor(c / 2)),
    );
  });

  it('RMSNormalization, LpNormalization, MeanVarianceNormalization', () => {
    const g = random([2], 3);
    const square = (p: ReadonlyArray<number>): number =>
      total(2, (w) => element(x, [p[0]!, p[1]!, p[2]!, w]) ** 2);
    near(
      only('RMSNormalization', [x, g], { attributes }),
      made(x.shape, (p) => (element(x, p) / Math.sqrt(square(p) / 2 + 1e-3)) * g.data[p[3]!]!),
    );
    near(
      only('LpNormalization', [x]),
      made(x.shape, (p) => element(x, p) / Math.sqrt(square(p))),
    );
    const channel = (c: number): ReadonlyArray<number> =>
      [0, 1].flatMap((n) => image(n, [c]).map((p) => element(x, p)));
    near(
      only('MeanVarianceNormalization', [x]),
      made(x.shape, (p) => {
        const ns = channel(p[1]!);
        const mean = ns.reduce((s, v) => s + v, 0) / ns.length;
        return (element(x, p) - mean) / Math.sqrt(ns.reduce((s, v) => s + (v - mean) ** 2, 0) / ns.length);
      }),
    );
  });
});
