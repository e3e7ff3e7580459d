/** Functions of tensor programs come out as the bases that they are. */
import { describe, expect, it } from 'vitest';
import { functionTable } from '../../../src/lift/functions.js';
import { randomOf } from '../../support/random.js';
import { layerOf, num, pointsOf, raisedAndCompared, splineProgram, writer } from './programs.js';

const SEEDS = [1, 2, 3, 4, 5];

const uniform = (from: number, to: number, intervals: number, order: number): Float32Array =>
  Float32Array.from(
    { length: intervals + 2 * order + 1 },
    (_, k) => from + ((k - order) * (to - from)) / intervals,
  );

describe('linear parts and activations', () => {
  it('are identity, bias and one branch each', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(7);
    const silu = w.mul(w.x, w.sigmoid(w.x));
    const relu = w.max(w.x, num(0));
    const affine = w.add(w.mul(w.x, num(3)), num(0.5));
    const mixed = w.add(w.mul(silu, num(2)), affine);
    const terms = layerOf([[silu, affine], [mixed, relu], []], 3, random);
    const { found, branches } = raisedAndCompared(table, terms, pointsOf(random, 60, 8));
    expect(found).toEqual(['silu', 'relu', 'a linear part']);
    expect(branches.map((b) => b.weights.shape)).toEqual([
      [3, 1, 3],
      [3, 1, 3],
      [3, 1, 3],
    ]);
  });

  const table = functionTable();
  const w = writer(table);
  const { x } = w;
  const half = w.mul(x, num(0.5));
  const softplus = w.log(w.add(w.exp(x), num(1)));
  const cube = w.pow(x, num(3));
  it.each([
    ['silu', w.div(x, w.add(w.exp(w.neg(x)), num(1)))],
    ['gelu', w.mul(half, w.add(w.erf(w.div(x, num(Math.SQRT2))), num(1)))],
    [
      'gelu_tanh',
      w.mul(half, w.add(w.tanh(w.mul(w.add(x, w.mul(cube, num(0.044715))), num(0.7978845608))), num(1))),
    ],
    ['leaky_relu', w.where(w.ge(x, num(0)), x, w.mul(x, num(0.01)))],
    ['elu', w.where(w.gt(x, num(0)), x, w.sub(w.exp(w.min(x, num(0))), num(1)))],
    ['softplus', w.where(w.gt(x, num(20)), x, softplus)],
    ['mish', w.mul(x, w.tanh(w.where(w.gt(x, num(20)), x, softplus)))],
    ['sigmoid', w.div(num(1), w.add(num(1), w.exp(w.neg(x))))],
    ['tanh', w.sub(w.mul(w.sigmoid(w.mul(x, num(2))), num(2)), num(1))],
  ])('%s is known however it is written', (name, id) => {
    const random = randomOf(11);
    const { found } = raisedAndCompared(table, layerOf([[id], [id]], 2, random), pointsOf(random, 80, 20));
    expect(found).toEqual([name]);
  });

  it('ReLUs of any slope and ELUs of any alpha are sums of the usual ones', () => {
    const random = randomOf(3);
    const leaky = table.call('prelu', x, table.constant(0.23));
    const elu = w.where(w.lt(x, num(0)), w.mul(w.sub(w.exp(x), num(1)), num(0.4)), x);
    const { found } = raisedAndCompared(table, layerOf([[leaky, elu]], 2, random), pointsOf(random, 80, 20));
    expect(found).toEqual(['relu', 'elu', 'a linear part']);
  });
});

describe('B-splines', () => {
  it('of shared equal knots are one branch, beside silu', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(1);
    const knots = uniform(-1, 1, 8, 3);
    const functions = [w.mul(w.x, w.sigmoid(w.x)), ...splineProgram(w, knots, 3)];
    const terms = layerOf([functions, functions], 4, random);
    const { found, branches } = raisedAndCompared(table, terms, [...pointsOf(random, 200, 2), ...knots]);
    expect(found).toEqual(['silu', 'B-splines of order 3 on 8 intervals from -1 to 1, equal knots']);
    expect(branches[1]!.basis).toMatchObject({ _tag: 'bspline', order: 3 });
    const basis = branches[1]!.basis;
    expect(basis._tag === 'bspline' && [...basis.knots.data]).toEqual([...knots]);
  });

  it.each(SEEDS)('on knots of each input, of any order, some never used (seed %i)', (seed) => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(seed);
    const order = random.whole(0, 4);
    const count = random.whole(4, 9) + 2 * order;
    const lists = Array.from({ length: 4 }, () => {
      const knots = Float32Array.from({ length: count }, () => random.unit() * 4 - 2).sort();
      return splineProgram(w, knots, order).filter(() => random.chance(0.8));
    });
    const { found } = raisedAndCompared(table, layerOf(lists, 3, random), pointsOf(random, 300, 3), 2e-5);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^B-splines of order ${order} on \\d+ intervals? .*unequal knots$`));
  });

  it.each([false, true])('with repeated knots at the ends, guarded as a whole: %s', (guarded) => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(5);
    const knots = Float32Array.of(0, 0, 0, 0, 1, 2, 2.5, 3, 3, 3, 3);
    const guard = (f: number): number => w.where(w.isNan(f), num(0), f);
    const bases = guarded ? splineProgram(w, knots, 3, true) : clampedProgram(w, knots, 3, guard);
    const { branches } = raisedAndCompared(table, layerOf([bases], 2, random), pointsOf(random, 200, 4));
    expect(branches).toHaveLength(1);
    const basis = branches[0]!.basis;
    if (basis._tag !== 'bspline') throw new Error(basis._tag);
    expect(basis.repeated).toBe(guarded ? 'vanish' : undefined);
    if (!guarded) expect([...basis.knots.data]).toEqual([...knots]);
  });

  it('behind a linear map to whole numbers have their knots on x', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(9);
    const mapped = w.div(w.sub(w.x, num(-2)), num(0.5));
    const bases = splineProgram(
      w,
      Float32Array.from({ length: 12 }, (_, k) => k - 2),
      2,
      false,
      mapped,
    );
    const { found } = raisedAndCompared(table, layerOf([bases], 2, random), pointsOf(random, 200, 4), 2e-5);
    expect(found).toEqual(['B-splines of order 2 on 7 intervals from -2 to 1.5, equal knots']);
  });

  it('of order 1 are hats, however they are cut off', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(2);
    const hats = [-1, -0.5, 0, 0.5, 1].map((c, k) => {
      const slope = w.sub(num(1), w.mul(w.abs(w.sub(w.x, num(c))), num(2)));
      return k % 2 === 0 ? w.relu(slope) : w.max(num(0), slope);
    });
    const { found } = raisedAndCompared(table, layerOf([hats], 2, random), pointsOf(random, 200, 3));
    expect(found).toEqual(['B-splines of order 1 on 4 intervals from -1 to 1, equal knots']);
  });

  it('of order 1 with slopes that were rounded are on one row', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(2);
    const third = Math.fround(1 / 3);
    const hats = Array.from({ length: 7 }, (_, k) =>
      w.relu(w.sub(num(1), w.abs(w.div(w.sub(w.x, num(Math.fround((k - 3) * third))), num(third))))),
    );
    const { found } = raisedAndCompared(table, layerOf([hats], 2, random), pointsOf(random, 200, 3));
    expect(found).toEqual(['B-splines of order 1 on 6 intervals from -1 to 1, equal knots']);
  });

  it('summed for each edge before they meet are taken apart again', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(2);
    const bases = splineProgram(w, uniform(-2, 2, 5, 3), 3);
    const silu = w.mul(w.x, w.sigmoid(w.x));
    const edges = Array.from({ length: 6 }, () =>
      w.add(
        w.mul(silu, num(random.unit())),
        w.mul(
          w.sum(
            bases,
            Array.from(bases, () => random.unit() - 0.5),
          ),
          num(random.unit()),
        ),
      ),
    );
    const { branches, found } = raisedAndCompared(
      table,
      layerOf([edges], 6, random),
      pointsOf(random, 200, 3),
    );
    expect(found).toHaveLength(2);
    expect(branches[1]!.weights.shape).toEqual([1, 8, 6]);
  });
});

/** The recursion that leaves out the terms that divide by 0. */
const clampedProgram = (
  w: ReturnType<typeof writer>,
  knots: ArrayLike<number>,
  order: number,
  guard: (f: number) => number,
): ReadonlyArray<number> => {
  let bases = Array.from({ length: knots.length - 1 }, (_, k) =>
    w.and(w.ge(w.x, num(knots[k]!)), w.lt(w.x, num(knots[k + 1]!))),
  );
  for (let p = 1; p <= order; p++) {
    bases = Array.from({ length: bases.length - 1 }, (_, k) => {
      const rise = w.div(w.sub(w.x, num(knots[k]!)), num(knots[k + p]! - knots[k]!));
      const fall = w.div(w.sub(num(knots[k + p + 1]!), w.x), num(knots[k + p + 1]! - knots[k + 1]!));
      return w.add(guard(w.mul(rise, bases[k]!)), guard(w.mul(fall, bases[k + 1]!)));
    });
  }
  return bases;
};

describe('radial basis functions', () => {
  it.each(SEEDS)('are Gaussians in all ways of writing (seed %i)', (seed) => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(seed);
    const width = Math.fround(0.2 + random.unit());
    const centers = Array.from({ length: 6 }, () => Math.fround(random.unit() * 4 - 2));
    const ways = [
      (u: number) => w.exp(w.neg(w.pow(u, num(2)))),
      (u: number) => w.exp(w.mul(w.mul(u, u), num(-1))),
      (u: number) => w.mul(w.exp(w.div(w.pow(w.abs(u), num(2)), num(-1))), num(3)),
      (u: number) => w.pow(num(Math.E), w.neg(w.mul(u, u))),
    ];
    const functions = centers.map((c) => random.pick(ways)(w.div(w.sub(w.x, num(c)), num(width))));
    const terms = layerOf([functions, functions.slice(2)], 3, random);
    const { found } = raisedAndCompared(table, terms, pointsOf(random, 200, 5));
    expect(found).toEqual(['Gaussians, 6 centers']);
  });

  it('are reflectional switches', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(4);
    const functions = [-1.5, -0.5, 0, 0.5].map((c) =>
      w.sub(num(1), w.pow(w.tanh(w.mul(w.sub(w.x, num(c)), num(2))), num(2))),
    );
    const { found, branches } = raisedAndCompared(
      table,
      layerOf([functions], 3, random),
      pointsOf(random, 99, 5),
    );
    expect(found).toEqual(['reflectional switch functions, 4 centers']);
    expect(branches[0]!.basis).toMatchObject({ width: 0.5, kernel: 'reflectional-switch' });
  });
});

describe('polynomials', () => {
  it('cos(n acos(tanh x)) are those of Chebyshev', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(4);
    const angle = w.acos(w.min(w.max(w.tanh(w.x), num(-1)), num(1)));
    const functions = Array.from({ length: 7 }, (_, n) => w.cos(w.mul(angle, num(n))));
    const { found, branches } = raisedAndCompared(
      table,
      layerOf([functions, functions], 3, random),
      pointsOf(random, 99, 5),
    );
    expect(found).toEqual(['polynomials of degree 6 of tanh(x), as Chebyshev polynomials']);
    expect(branches[0]!.weights.shape).toEqual([2, 7, 3]);
  });

  it('cos(n acos(x)) are those of Chebyshev of x, where they are numbers at all', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(4);
    const functions = Array.from({ length: 5 }, (_, n) => w.cos(w.mul(w.acos(w.x), num(n))));
    const { found } = raisedAndCompared(table, layerOf([functions], 3, random), pointsOf(random, 99, 1));
    expect(found).toEqual(['polynomials of degree 4 of x, as Chebyshev polynomials']);
  });

  it.each(SEEDS)('recurrences of any kind are polynomials of one branch (seed %i)', (seed) => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(seed);
    const s = random.chance(0.5) ? w.tanh(w.x) : w.x;
    const functions = [w.id(num(1)), s];
    for (let n = 2; n <= random.whole(2, 9); n++) {
      const [a, b, c] = [random.unit() * 2, random.unit() - 0.5, random.unit()];
      functions.push(
        w.sub(w.mul(w.add(w.mul(num(a), s), num(b)), functions[n - 1]!), w.mul(num(c), functions[n - 2]!)),
      );
    }
    const { branches } = raisedAndCompared(table, layerOf([functions], 3, random), pointsOf(random, 99, 3));
    expect(branches).toHaveLength(1);
    expect(branches[0]!.basis).toMatchObject({ squash: s === w.x ? 'none' : 'tanh' });
  });

  it.each(['gram', 'legendre', 'none'])(
    'under silu are a branch where a recurrence gives them: %s',
    (family) => {
      const table = functionTable();
      const w = writer(table);
      const random = randomOf(8);
      const s = w.tanh(w.x);
      const betas = [0, 0.3, 0.21, 0.17];
      const polynomials = [w.id(num(1)), s];
      for (let n = 1; n < 4; n++) {
        const a = family === 'legendre' ? (2 * n + 1) / (n + 1) : family === 'gram' ? 1 : 1.3;
        const b = family === 'legendre' ? n / (n + 1) : betas[n]!;
        const up = w.mul(w.mul(num(a), s), polynomials[n]!);
        polynomials.push(w.sub(up, w.mul(polynomials[n - 1]!, num(b))));
      }
      const functions = polynomials.map((p) => w.mul(p, w.sigmoid(p)));
      const terms = layerOf([functions, functions], 3, random);
      const { found, branches } = raisedAndCompared(table, terms, pointsOf(random, 99, 5));
      if (family === 'none') expect(found.every((f) => f.startsWith('expression'))).toBe(true);
      else {
        expect(found).toHaveLength(1);
        expect(found[0]).toMatch(/^silu of (Gram|Legendre) polynomials of degree 4 of tanh\(x\)$/);
        expect(branches[0]!.basis).toMatchObject({ family, outer: 'silu', squash: 'tanh' });
      }
    },
  );

  it('sums of powers for each edge are one branch', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(8);
    const powers = [1, 2, 3, 4].map((n) => w.pow(w.x, num(n)));
    const edges = Array.from({ length: 9 }, () =>
      w.sum(
        powers,
        powers.map(() => random.unit()),
      ),
    );
    const { branches } = raisedAndCompared(table, layerOf([edges], 9, random), pointsOf(random, 99, 3));
    expect(branches.map((b) => b.weights.shape)).toEqual([[1, 5, 9]]);
  });
});
