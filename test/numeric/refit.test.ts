/** The numerics of refitting tables: the solver, the Gram matrix, ridge regression and rounding, against plain ones. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementMatrix } from '../../src/numeric/agreement.js';
import { solvePositiveDefinite } from '../../src/numeric/cholesky.js';
import { type CodeSamples, correctTable, residuals } from '../../src/numeric/table-fit.js';
import { nearestEntry, roundTogether } from '../../src/numeric/table-round.js';
import { clippingFactors } from '../../src/numeric/table-scale.js';
import { randomOf } from '../support/random.js';

const numbers = (seed: number, length: number): Float64Array => {
  const r = randomOf(seed);
  return Float64Array.from({ length }, () => r.unit() * 2 - 1);
};

const sumOfSquares = (v: ArrayLike<number>): number => Array.from(v).reduce((n, x) => n + x * x, 0);

const codeSamples = (
  seed: number,
  samples: number,
  inputs: number,
  levels: number,
  outputs: number,
): CodeSamples => {
  const r = randomOf(seed);
  const codes = Uint16Array.from({ length: samples * inputs }, () => Math.floor(r.unit() * levels));
  return { samples, inputs, levels, outputs, codes };
};

/** Gaussian elimination with pivoting, one right-hand side. */
const eliminate = (matrix: ReadonlyArray<ReadonlyArray<number>>, right: ReadonlyArray<number>): number[] => {
  const rows = matrix.map((row, k) => [...row, right[k]!]);
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  return rows.map((row, k) => row[n]! / row[k]!);
};

describe('solvePositiveDefinite', () => {
  it.each([1, 3, 63, 64, 65, 130, 203])('solves systems of %i unknowns', (n) => {
    const m = 3;
    const g = numbers(n, n * n);
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = i === j ? 1 : 0;
        for (let k = 0; k < n; k++) sum += g[i * n + k]! * g[j * n + k]!;
        a[i * n + j] = sum;
      }
    }
    const x = numbers(n + 1, n * m);
    const b = new Float64Array(n * m);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < n; k++) for (let o = 0; o < m; o++) b[i * m + o]! += a[i * n + k]! * x[k * m + o]!;
    }
    // Only the lower triangle may be read.
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) a[i * n + j] = Number.NaN;
    expect(solvePositiveDefinite(a, b, n, m)).toBe(true);
    for (let j = 0; j < b.length; j++) expect(b[j]).toBeCloseTo(x[j]!, 8);
  });

  it('refuses what is not positive definite, and NaN', () => {
    expect(solvePositiveDefinite(Float64Array.of(1, 2, 2, 1), new Float64Array(2), 2, 1)).toBe(false);
    expect(solvePositiveDefinite(Float64Array.of(Number.NaN), new Float64Array(1), 1, 1)).toBe(false);
  });
});

describe('agreementMatrix', () => {
  it('counts the codes that two samples share', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom(1, 2, 5, 16, 300),
        (seed, inputs, levels) => {
          const { codes } = codeSamples(seed, 9, inputs, levels, 1);
          const k = agreementMatrix(codes, 9, inputs);
          for (let a = 0; a < 9; a++) {
            for (let b = 0; b <= a; b++) {
              let shared = 0;
              for (let i = 0; i < inputs; i++) if (codes[a * inputs + i] === codes[b * inputs + i]) shared++;
              expect(k[a * 9 + b]).toBe(shared);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

/** The same ridge regression in its primal form, by elimination: the changes of the entries of one output. */
const primal = (at: CodeSamples, residual: Float64Array, ridge: number, o: number): number[] => {
  const { samples, inputs, levels, outputs, codes } = at;
  const size = inputs * levels;
  const normal = Array.from({ length: size }, (_, k) =>
    Array.from({ length: size }, (__, j) => (j === k ? ridge : 0)),
  );
  const right = new Array<number>(size).fill(0);
  for (let n = 0; n < samples; n++) {
    const ones = Array.from({ length: inputs }, (_, i) => i * levels + codes[n * inputs + i]!);
    for (const k of ones) {
      right[k]! += residual[n * outputs + o]!;
      for (const j of ones) normal[k]![j]!++;
    }
  }
  return eliminate(normal, right);
};

describe('correctTable', () => {
  const at = codeSamples(3, 25, 4, 3, 2);
  const wanted = numbers(4, at.samples * at.outputs);
  const table = Float32Array.from(numbers(5, at.inputs * at.levels * at.outputs));
  const offset = [0.5, -0.25];
  const before = residuals(at, table, offset, wanted);
  const corrected = (ridge: number): Float32Array => {
    const result = table.slice();
    correctTable(at, result, before, ridge);
    return result;
  };

  it('residuals are wanted minus offset minus one entry for each input', () => {
    const [n, o] = [7, 1];
    let given = offset[o]!;
    for (let i = 0; i < at.inputs; i++) {
      given += table[(i * at.levels + at.codes[n * at.inputs + i]!) * at.outputs + o]!;
    }
    expect(before[n * at.outputs + o]).toBeCloseTo(wanted[n * at.outputs + o]! - given, 10);
  });

  it.each([0.01, 1, 30])(
    'is ridge regression: the primal normal equations give the same (ridge %d)',
    (ridge) => {
      const result = corrected(ridge);
      for (let o = 0; o < at.outputs; o++) {
        primal(at, before, ridge, o).forEach((change, k) => {
          const e = k * at.outputs + o;
          expect(result[e]! - table[e]!).toBeCloseTo(change, 5);
        });
      }
    },
  );

  it('reduces errors, the more the smaller the ridge, and leaves tables alone at an infinite one', () => {
    const errors = [1e-3, 1, 100].map((ridge) =>
      sumOfSquares(residuals(at, corrected(ridge), offset, wanted)),
    );
    expect(errors[0]).toBeLessThan(errors[1]!);
    expect(errors[1]).toBeLessThan(errors[2]!);
    expect(errors[2]).toBeLessThan(sumOfSquares(before));
    expect(corrected(1e30)).toEqual(table);
  });

  it('leaves codes alone that no sample has', () => {
    const wide = { ...at, levels: 5 };
    const given = new Float32Array(wide.inputs * 5 * at.outputs).fill(0.125);
    const result = given.slice();
    correctTable(wide, result, residuals(wide, given, offset, wanted), 1);
    for (let i = 0; i < wide.inputs; i++) {
      for (let c = 0; c < 5; c++) {
        const row = (i * 5 + c) * at.outputs;
        if (c >= at.levels) expect([...result.slice(row, row + 2)]).toEqual([0.125, 0.125]);
        else expect(result[row]).not.toBe(0.125);
      }
    }
  });
});

describe('roundTogether', () => {
  const at = codeSamples(8, 60, 12, 4, 3);
  const wanted = Float32Array.from(numbers(9, at.inputs * at.levels * at.outputs), (v) => v * 3.4);
  const zeros = new Float64Array(at.samples * at.outputs);
  const targets = (() => {
    const r = residuals(at, wanted, [0, 0, 0], zeros);
    return Float64Array.from(r, (v) => -v);
  })();
  const rounded = (ridge: number, sweeps: number): { table: Float32Array; residual: Float64Array } => {
    const residual = residuals(at, wanted, [0, 0, 0], targets);
    return { table: roundTogether(at, wanted, residual, { top: 3, ridge, sweeps }), residual };
  };
  const nearest = wanted.map((v) => nearestEntry(v, 3));
  const error = (table: Float32Array): number => sumOfSquares(residuals(at, table, [0, 0, 0], targets));

  it('gives integers within the range, and the residual that they have', () => {
    const { table, residual } = rounded(2, 3);
    expect(table.every((v) => Number.isInteger(v) && Math.abs(v) <= 3)).toBe(true);
    const left = residuals(at, table, [0, 0, 0], targets);
    for (let j = 0; j < left.length; j++) expect(residual[j]).toBeCloseTo(left[j]!, 9);
  });

  it('is better for the sums than the nearest integers, and each sweep improves on the one before', () => {
    const objective = (sweeps: number): number => {
      const { table } = rounded(2, sweeps);
      return error(table) + 2 * sumOfSquares(table.map((v, e) => v - wanted[e]!));
    };
    expect(error(rounded(2, 3).table)).toBeLessThan(0.75 * error(nearest));
    expect(objective(2)).toBeLessThanOrEqual(objective(1));
    expect(objective(3)).toBeLessThanOrEqual(objective(2));
  });

  it('is rounding to the nearest at an infinite ridge', () => {
    expect(rounded(1e12, 2).table).toEqual(nearest);
  });
});

describe('clippingFactors', () => {
  it('clip one wide edge for the sake of the others, and nothing where all are alike', () => {
    const at = codeSamples(2, 50, 40, 2, 2);
    // Output 0: one entry of 3 beside many near 0.7; output 1: entries that are integers already.
    const table = Float32Array.from({ length: 160 }, (_, e) =>
      e === 0 ? 3 : e % 2 === 0 ? (e % 4 === 0 ? 0.7 : -0.7) : (e % 7) - 3,
    );
    const [narrow, full] = clippingFactors(at, table, 3);
    expect(narrow).toBeLessThan(1);
    expect(full).toBe(1);
  });
});
