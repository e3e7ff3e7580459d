/** The numerics of a refit: layers as functions of codes, rounding together and scales, against plain computations. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CodedLayer,
  type CodeSamples,
  columnMeans,
  meanOutputs,
  residuals,
} from '../../src/numeric/coded-layer.js';
import { codeLists, movableRows, roundTogether } from '../../src/numeric/table-descent.js';
import { clippingFactors, codeCounts, entryWeights, nearestEntry } from '../../src/numeric/table-scale.js';
import { randomOf } from '../support/random.js';

const numbers = (seed: number, length: number): Float64Array => {
  const r = randomOf(seed);
  return Float64Array.from({ length }, () => r.unit() * 2 - 1);
};

const sumOfSquares = (v: ArrayLike<number>): number => Array.from(v).reduce((n, x) => n + x * x, 0);

const edgeLayer = (inputs: number, levels: number, outputs: number): CodedLayer => ({
  inputs,
  levels,
  entries: levels,
  outputs,
});

/** Three functions at every code, of two rows that inputs use in turn. */
const basisLayer = (seed: number, inputs: number, levels: number, outputs: number): CodedLayer => ({
  inputs,
  levels,
  entries: 3,
  outputs,
  features: {
    values: numbers(seed, 2 * levels * 3).map((v, k) => (k % 4 === 0 ? 0 : v)),
    rowOf: Array.from({ length: inputs }, (_, i) => i % 2),
  },
});

const samplesOf = (seed: number, layer: CodedLayer, samples: number): CodeSamples => {
  const r = randomOf(seed);
  // Half of the codes are the last but one.
  const codes = Uint16Array.from({ length: samples * layer.inputs }, () =>
    r.unit() < 0.5 ? Math.max(0, layer.levels - 2) : Math.floor(r.unit() * layer.levels),
  );
  const targets = Float32Array.from(numbers(seed + 1, samples * layer.outputs));
  return { samples, codes, targets };
};

const tableOf = (seed: number, { inputs, entries, outputs }: CodedLayer, scale = 1): Float32Array =>
  Float32Array.from(numbers(seed, inputs * entries * outputs), (v) => v * scale);

/** What the layer gives at output o of sample n, by its definition. */
const outputAt = (
  { inputs, levels, entries, outputs, features }: CodedLayer,
  codes: Uint16Array,
  table: ArrayLike<number>,
  n: number,
  o: number,
): number => {
  let sum = 0;
  for (let i = 0; i < inputs; i++) {
    const code = codes[n * inputs + i]!;
    for (let k = 0; k < entries; k++) {
      const factor =
        features === undefined
          ? Number(k === code)
          : features.values[(features.rowOf[i]! * levels + code) * entries + k]!;
      sum += factor * table[(i * entries + k) * outputs + o]!;
    }
  }
  return sum;
};

const LAYERS: ReadonlyArray<readonly [string, CodedLayer]> = [
  ['edge tables', edgeLayer(7, 5, 13)],
  ['basis tables', basisLayer(5, 7, 6, 13)],
];

describe.each(LAYERS)('a layer of %s', (_, layer) => {
  const at = samplesOf(3, layer, 40);
  const table = tableOf(4, layer);

  it('has the residuals targets - offset - outputs, in units', () => {
    const offset = numbers(6, layer.outputs);
    const units = numbers(7, layer.outputs).map((v) => v + 2);
    const left = residuals(layer, at, table, offset, units);
    for (const [n, o] of [
      [0, 0],
      [17, 12],
      [39, 8],
    ] as const) {
      const wanted = at.targets[n * layer.outputs + o]! / units[o]! - offset[o]!;
      expect(left[n * layer.outputs + o]).toBeCloseTo(wanted - outputAt(layer, at.codes, table, n, o), 10);
    }
  });

  it('has mean outputs by its counts', () => {
    const means = meanOutputs(layer, at, codeCounts(layer, at), table);
    const left = residuals(layer, at, table, new Float64Array(layer.outputs));
    const expected = columnMeans(at.targets, layer.outputs);
    columnMeans(left, layer.outputs).forEach((mean, o) => {
      expect(means[o]).toBeCloseTo(expected[o]! - mean, 10);
    });
  });

  it('weighs entries by their squared factors', () => {
    const weights = entryWeights(layer, codeCounts(layer, at));
    for (const [i, k] of [
      [0, 0],
      [3, 2],
      [6, 1],
    ] as const) {
      const unit = new Float32Array(table.length);
      unit[(i * layer.entries + k) * layer.outputs] = 1;
      let sum = 0;
      for (let n = 0; n < at.samples; n++) sum += outputAt(layer, at.codes, unit, n, 0) ** 2;
      expect(weights[i * layer.entries + k]).toBeCloseTo(sum, 8);
    }
  });

  it('rounds to integers within the range, and knows the residuals that they have', () => {
    const towards = tableOf(9, layer, 4);
    const offset = new Float64Array(layer.outputs);
    const residual = residuals(layer, at, towards, offset);
    const made = roundTogether(layer, codeLists(layer, at), residual, {
      towards,
      penalty: 0.5,
      top: 3,
      sweeps: 3,
    });
    expect(made.every((v) => Number.isInteger(v) && Math.abs(v) <= 3)).toBe(true);
    const left = residuals(layer, at, made, offset);
    for (let j = 0; j < left.length; j++) expect(residual[j]).toBeCloseTo(left[j]!, 5);
  });

  it('gets better with every sweep, and at an infinite penalty takes the nearest integers', () => {
    const towards = tableOf(9, layer, 3.4);
    const offset = new Float64Array(layer.outputs);
    // What the unrounded table gives is wanted.
    const exact = {
      ...at,
      targets: Float32Array.from(at.targets, (_v, j) =>
        outputAt(layer, at.codes, towards, Math.floor(j / layer.outputs), j % layer.outputs),
      ),
    };
    const rounded = (penalty: number, sweeps: number): Float32Array =>
      roundTogether(layer, codeLists(layer, exact), residuals(layer, exact, towards, offset), {
        towards,
        penalty,
        top: 3,
        sweeps,
      });
    const objective = (made: Float32Array): number =>
      sumOfSquares(residuals(layer, exact, made, offset)) +
      0.2 * sumOfSquares(made.map((v, e) => v - towards[e]!));
    const nearest = towards.map((v) => nearestEntry(v, 3));
    expect(objective(rounded(0.2, 1))).toBeLessThan(0.8 * objective(nearest));
    expect(objective(rounded(0.2, 2))).toBeLessThanOrEqual(objective(rounded(0.2, 1)));
    expect(objective(rounded(0.2, 4))).toBeLessThanOrEqual(objective(rounded(0.2, 2)));
    expect(rounded(1e12, 2)).toEqual(nearest);
  });
});

describe('movableRows', () => {
  it('sums and moves the residuals of the samples of a code', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(1, 2, 5, 16),
        fc.constantFrom(1, 3, 4, 8, 21),
        (seed, samples, levels, outputs) => {
          const layer = edgeLayer(3, levels, outputs);
          const { codes } = samplesOf(seed, layer, samples);
          const residual = numbers(seed + 7, samples * outputs);
          const expected = residual.slice();
          const rows = movableRows(layer, codeLists(layer, { samples, codes }), residual);
          const samplesWith = (input: number, code: number): number[] =>
            Array.from({ length: samples }, (_, n) => n).filter((n) => codes[n * 3 + input] === code);
          for (const input of [0, 1, 2, 0]) {
            let seen = 0;
            rows.eachSum(input, (code, count, sums) => {
              const own = samplesWith(input, code);
              seen += own.length;
              expect(count).toBe(own.length);
              for (let o = 0; o < outputs; o++) {
                const sum = own.reduce((a, n) => a + expected[n * outputs + o]!, 0);
                expect(sums[o]).toBeCloseTo(sum, 9);
              }
            });
            expect(seen).toBe(samples);
            rows.moveEach(input, (code, move) => {
              for (let o = 0; o < outputs; o++) {
                move[o] = (code + 1) * 0.1 * (o % 3);
                for (const n of samplesWith(input, code)) expected[n * outputs + o]! -= move[o]!;
              }
            });
          }
          rows.finish();
          for (let j = 0; j < expected.length; j++) expect(residual[j]).toBeCloseTo(expected[j]!, 9);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('roundTogether', () => {
  it('rounds the entries of codes that no sample has to the nearest', () => {
    const layer = edgeLayer(2, 9, 2);
    const at = { samples: 4, codes: Uint16Array.of(0, 1, 1, 0, 0, 0, 1, 1), targets: new Float32Array(8) };
    const towards = tableOf(5, layer, 3);
    const residual = residuals(layer, at, towards, [0, 0]);
    const options = { towards, penalty: 0, top: 3, sweeps: 2 };
    const made = roundTogether(layer, codeLists(layer, at), residual, options);
    for (let e = 0; e < made.length; e++) {
      if (Math.floor(e / 2) % 9 > 1) expect(made[e]).toBe(nearestEntry(towards[e]!, 3));
    }
  });

  it('never does worse than every choice of integers for one entry, all others fixed', () => {
    const layer = basisLayer(8, 3, 4, 1);
    const at = samplesOf(2, layer, 25);
    const towards = tableOf(6, layer, 3);
    const offset = [0];
    const made = roundTogether(layer, codeLists(layer, at), residuals(layer, at, towards, offset), {
      towards,
      penalty: 0.1,
      top: 3,
      sweeps: 40,
    });
    const objective = (t: Float32Array): number =>
      sumOfSquares(residuals(layer, at, t, offset)) + 0.1 * sumOfSquares(t.map((v, e) => v - towards[e]!));
    const reached = objective(made);
    for (let e = 0; e < made.length; e++) {
      for (let v = -3; v <= 3; v++) {
        const other = made.slice();
        other[e] = v;
        expect(objective(other)).toBeGreaterThanOrEqual(reached - 1e-4);
      }
    }
  });
});

describe('clippingFactors', () => {
  const layer = edgeLayer(40, 2, 2);
  const at = samplesOf(2, layer, 50);
  const weights = entryWeights(layer, codeCounts(layer, at));
  // Output 0: one entry of 3 beside many near 0.7; output 1: entries that are integers already.
  const table = Float32Array.from({ length: 160 }, (_, e) =>
    e === 0 ? 3 : e % 2 === 0 ? (e % 4 === 0 ? 0.7 : -0.7) : (e % 7) - 3,
  );

  it('clip one wide edge for the sake of the others, and nothing where all are alike', () => {
    const [narrow, full] = clippingFactors([layer], [weights], table, 3);
    expect(narrow).toBeLessThan(1);
    expect(full).toBe(1);
  });

  it('are those of every group, or one for all', () => {
    const both = Float32Array.from({ length: 320 }, (_, e) => table[e % 160]!);
    const own = clippingFactors([layer], [weights], table, 3);
    expect(clippingFactors([layer, layer], [weights, weights], both, 3)).toEqual(
      Float64Array.of(...own, ...own),
    );
    const shared = clippingFactors([layer, layer], [weights, weights], both, 3, true);
    expect(new Set(shared).size).toBe(1);
  });
});
