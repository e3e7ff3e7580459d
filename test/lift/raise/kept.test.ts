/** Functions without a name are kept as expressions. */
import { describe, expect, it } from 'vitest';
import { functionTable } from '../../../src/lift/functions.js';
import { branchesOf } from '../../../src/lift/raise/index.js';
import { codeOf, messageOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { layerOf, num, pointsOf, raisedAndCompared, splineProgram, writer } from './programs.js';

const SEEDS = [1, 2, 3, 4, 5];

describe('expressions', () => {
  it('of one form are one branch that all inputs share', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(1);
    const functions = [1, 2, 3, 4, 5].map((n) => w.sin(w.mul(w.x, num(n))));
    const { found, branches } = raisedAndCompared(
      table,
      layerOf([functions, functions.slice(1)], 3, random),
      pointsOf(random, 60, 3),
    );
    expect(found).toEqual(['expression sin(x * p0)']);
    const { basis } = branches[0]!;
    expect(basis._tag === 'expression' && basis.parameters.shape).toEqual([1, 5, 1]);
  });

  it.each(SEEDS)(
    'of every edge are one function of the edge, not as many as there are outputs (seed %i)',
    (seed) => {
      const table = functionTable();
      const w = writer(table);
      const random = randomOf(seed);
      const outputs = random.whole(4, 9);
      const inputs = random.whole(1, 5);
      const wavelet = (): number => {
        const u = w.div(w.sub(w.x, num(Math.fround(random.unit()))), num(Math.fround(random.unit() + 0.3)));
        const square = w.pow(u, num(2));
        return w.mul(num(0.867), w.mul(w.sub(square, num(1)), w.exp(w.mul(num(-0.5), square))));
      };
      const functions = Array.from({ length: inputs }, () => Array.from({ length: outputs }, wavelet));
      const terms = layerOf(functions, outputs, random);
      const own = {
        ...terms,
        weights: terms.weights.map((rows) => rows.map((row, m) => row.map((v, o) => (o === m ? v : 0)))),
      };
      const { found, branches } = raisedAndCompared(table, own, pointsOf(random, 60, 3));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(/^expression of each edge let t0 = pow\(\(x - p0\) \/ p1, 2\);/);
      const { basis } = branches[0]!;
      expect(basis._tag === 'expression' && basis.parameters.shape).toEqual([inputs, 1, outputs, 2]);
    },
  );

  it('Gaussians of many widths are expressions', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(1);
    const functions = [1, 2, 3, 4, 5].map((n) => w.exp(w.neg(w.pow(w.mul(w.x, num(n)), num(2)))));
    const { found } = raisedAndCompared(table, layerOf([functions], 3, random), pointsOf(random, 60, 3));
    expect(found).toEqual(['expression exp(-pow(x * p0, 2))']);
  });

  it('ReLUs to a power on intervals that do not form a row are expressions', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(1);
    const functions = Array.from({ length: 8 }, (_, k) => {
      const [low, high] = [num((k - 3) / 5), num((k + 1) / 5)];
      return w.pow(w.mul(w.relu(w.sub(w.x, low)), w.relu(w.sub(high, w.x))), num(2));
    });
    const { found } = raisedAndCompared(table, layerOf([functions], 3, random), pointsOf(random, 90, 2));
    expect(found).toEqual(['expression pow(relu(x - p0) * relu(p1 - x), 2)']);
  });

  it.each(['bounded', 'unbounded'])('are one for all degrees of what is %s', (kind) => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(6);
    const lists = [0.5, 1.5].map((slope) => {
      const inner = w.add(w.mul(w.x, num(slope)), num(0.25));
      const s = kind === 'bounded' ? w.tanh(inner) : w.exp(inner);
      const functions = [w.id(num(1)), s];
      for (let n = 2; n < 6; n++) {
        functions.push(w.sub(w.mul(w.mul(num(1.7), s), functions[n - 1]!), functions[n - 2]!));
      }
      return functions;
    });
    const { found, branches } = raisedAndCompared(table, layerOf(lists, 3, random), pointsOf(random, 60, 2));
    const [name, shape] =
      kind === 'bounded'
        ? ['cos(p1 * acos(tanh(x * p0 + 0.25)))', [2, 5, 2]]
        : ['pow(exp(x * p0 + 0.25), p1)', [2, 5, 2]];
    expect(found).toEqual([`expression ${name}`]);
    const { basis } = branches[0]!;
    expect(basis._tag === 'expression' && basis.parameters.shape).toEqual(shape);
  });

  it('keep polynomials whose coefficients would cancel', () => {
    const table = functionTable();
    const w = writer(table);
    const s = w.sub(w.mul(w.x, num(2)), num(1));
    const polynomials = [w.id(num(1)), s];
    for (let n = 1; n < 8; n++) {
      const up = w.mul(w.mul(num((2 * n + 1) / (n + 1)), s), polynomials[n]!);
      polynomials.push(w.sub(up, w.mul(num(n / (n + 1)), polynomials[n - 1]!)));
    }
    const points = pointsOf(randomOf(3), 60, 1).map(Math.abs);
    const { found } = raisedAndCompared(table, layerOf([[polynomials[8]!]], 2, randomOf(1)), points);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^expression /);
  });

  it('keep what has different forms in branches of their own', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(6);
    const s = w.sigmoid(w.x);
    const functions = [w.mul(s, s), w.div(w.x, w.add(num(1), w.abs(w.x))), w.mul(w.sin(w.x), s)];
    const { found } = raisedAndCompared(
      table,
      layerOf([functions, [], functions], 3, random),
      pointsOf(random, 60, 3),
    );
    expect(found).toEqual([
      'expression let t0 = sigmoid(x); t0 * t0',
      'expression x / (1 + abs(x))',
      'expression sin(x) * sigmoid(x)',
    ]);
  });
});

describe('functions of inputs', () => {
  it.each(SEEDS)('have parameters of each input, filled up where one has fewer (seed %i)', (seed) => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(seed);
    const counts = [5, 4, 0, 5];
    const functions = counts.map((count) =>
      Array.from({ length: count }, () => {
        const center = num(Math.fround(random.unit() * 2 - 1));
        return w.exp(w.neg(w.pow(w.div(w.sub(w.x, center), num(0.5)), num(2))));
      }),
    );
    const terms = layerOf(functions, 3, random);
    const { found, branches } = raisedAndCompared(table, terms, pointsOf(random, 60, 3));
    expect(found).toEqual(['expression exp(-pow((x - p0) / 0.5, 2))']);
    const { basis } = branches[0]!;
    expect(basis._tag === 'expression' && basis.parameters.shape).toEqual([4, 5, 1]);
  });
});

describe('tables that are looked up', () => {
  it('become functions that are 1 at an entry', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(6);
    const columns = Array.from({ length: 3 }, () => Float64Array.from({ length: 5 }, () => random.unit()));
    const functions = columns.map((column) => table.lookup(column, w.x));
    const clipped = columns.map((column) => table.lookup(column, w.min(w.max(w.x, num(0)), num(4))));
    const points = [-5, -4.5, -1, -0.5, 0, 0.5, 3, 4.999];
    const { found } = raisedAndCompared(table, layerOf([functions], 3, random), points);
    expect(found).toEqual(['expression let t0 = floor(x); or(eq(t0, p0), eq(t0, p1))']);
    const { branches } = raisedAndCompared(table, layerOf([clipped], 3, random), [...points, -90, 90]);
    expect(branches.map((b) => b.weights.shape)).toEqual([[1, 5, 3]]);
  });

  it('stay tables behind other functions', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(6);
    const entry = table.lookup(Float64Array.of(0.3, -0.2, 0.9), w.min(w.max(w.x, num(0)), num(2)));
    const splines = splineProgram(w, Float32Array.of(-2, -1, -0.5, 0, 0.5, 1, 2), 2, false, entry);
    const functions = [w.tanh(entry), ...splines, w.mul(w.x, num(2))];
    const terms = layerOf([functions], 3, random);
    const { found } = raisedAndCompared(table, terms, [0, 0.5, 1, 1.2, 2, 2.9]);
    expect(found).toEqual(['a linear part', 'expression eq(floor(min(max(x, 0), 2)), p0)']);
  });

  it('are refused where the index is used beside them', () => {
    const table = functionTable();
    const entry = table.lookup(Float64Array.of(1, 2, 3), table.x);
    const id = table.call('tanh', table.call('mul', entry, table.x));
    const result = branchesOf(table, layerOf([[id]], 2, randomOf(1)));
    expect(codeOf(result)).toBe('K0224');
    expect(messageOf(result)).toContain('a table of 3 entries');
  });

  it('are refused with more entries than a basis has functions', () => {
    const table = functionTable();
    const id = table.lookup(new Float64Array(5000), table.x);
    expect(codeOf(branchesOf(table, layerOf([[id]], 2, randomOf(1))))).toBe('K0224');
  });
});

describe('texts', () => {
  it('leave out ones and zeros that change nothing', () => {
    const table = functionTable();
    const w = writer(table);
    const u = w.add(w.pow(w.mul(w.div(w.x, num(1)), num(1)), num(1)), num(0));
    const id = w.sin(w.sub(w.mul(num(1), w.add(num(0), w.mul(u, num(3)))), num(0)));
    const { found } = raisedAndCompared(table, layerOf([[id]], 2, randomOf(1)), pointsOf(randomOf(2), 20, 3));
    expect(found).toEqual(['expression sin(x * 3)']);
  });

  it('of functions that nest deeply have names for their parts, and are read', () => {
    const table = functionTable();
    const w = writer(table);
    let id = table.x;
    for (let n = 0; n < 400; n++) id = w.sin(w.add(id, w.mul(w.x, num(1 + n / 100))));
    const { found } = raisedAndCompared(table, layerOf([[id]], 2, randomOf(1)), pointsOf(randomOf(2), 20, 3));
    expect(found[0]).toMatch(/^expression let t0 = /);
  });
});

describe('refusals', () => {
  it('say what is too large', () => {
    const table = functionTable();
    let id = table.x;
    for (let n = 0; n < 1500; n++) id = table.call('sin', table.call('mul', id, table.constant(1 + n)));
    expect(messageOf(branchesOf(table, layerOf([[id]], 2, randomOf(1))))).toContain(
      'more than 2000 operations',
    );
  });

  it('are given for more parameters than a function may have', () => {
    const table = functionTable();
    const random = randomOf(3);
    const function300 = (): number => {
      let id = table.x;
      for (let n = 0; n < 300; n++)
        id = table.call('sin', table.call('mul', id, table.constant(random.unit())));
      return id;
    };
    expect(codeOf(branchesOf(table, layerOf([[function300(), function300()]], 2, random)))).toBe('K0224');
  });
});

describe('numbers that are not finite', () => {
  it('are refused', () => {
    const table = functionTable();
    const nan = table.constant(Number.NaN);
    expect(codeOf(branchesOf(table, layerOf([[table.x, nan]], 2, randomOf(1))))).toBe('K0204');
    const terms = layerOf([[table.x]], 2, randomOf(1));
    terms.weights[0]![0]![1] = Number.POSITIVE_INFINITY;
    expect(codeOf(branchesOf(table, terms))).toBe('K0204');
  });
});

describe('speed', () => {
  it('follows the number of different lists of functions, not that of inputs', () => {
    const table = functionTable();
    const w = writer(table);
    const random = randomOf(3);
    const knots = Float32Array.from({ length: 15 }, (_, k) => (k - 7) / 4);
    const functions = [w.mul(w.x, w.sigmoid(w.x)), ...splineProgram(w, knots, 3)];
    const terms = layerOf(
      Array.from({ length: 784 }, () => functions),
      64,
      random,
    );
    const start = performance.now();
    expect(codeOf(branchesOf(table, terms))).toBe('ok');
    expect(performance.now() - start).toBeLessThan(1500);
  });
});
