/** The interval analysis against all codes there are: the bounds hold, and some codes reach each. */
import { describe, expect, it } from 'vitest';
import {
  basisTableRange,
  edgeTableRange,
  isPadded,
  layerInputs,
  slabOf,
  sumRange,
  type TableBasisAttrs,
  type TableEdgeAttrs,
  type Window,
} from '../../src/ir/index.js';
import type { Interval } from '../../src/numeric/ranges.js';
import { anyBasisTable, anyEdge } from '../support/layers.js';
import { at } from '../support/naive-basis.js';
import { anyTableSum } from '../support/ops.js';
import { type Random, randomOf } from '../support/random.js';

/** Every sequence of `inputs` codes below `levels`. */
const allCodes = (inputs: number, levels: number): ReadonlyArray<ReadonlyArray<number>> =>
  inputs === 0
    ? [[]]
    : allCodes(inputs - 1, levels).flatMap((rest) => Array.from({ length: levels }, (_, c) => [...rest, c]));

interface Layer {
  /** Inputs and outputs of a group. */
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  /** Codes of an input; the one after those of the quantizer stands for the padding. */
  readonly codes: number;
  readonly bias: ArrayLike<number> | undefined;
  /** What input i of all adds to output o of its group, in order. */
  readonly terms: (i: number, code: number, o: number) => ReadonlyArray<number>;
}

/** The hull of 0 and of all partial sums, whatever the codes are. */
const bruteForce = ({ inputs, outputs, groups, codes, bias, terms }: Layer): Interval => {
  let [lo, hi] = [0, 0];
  const see = (v: number): void => {
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  };
  const all = allCodes(inputs, codes);
  for (let g = 0; g < groups; g++) {
    for (const sequence of all) {
      for (let o = 0; o < outputs; o++) {
        let sum = bias?.[g * outputs + o] ?? 0;
        see(sum);
        for (const term of sequence.flatMap((code, i) => terms(g * inputs + i, code, o))) {
          sum += term;
          see(sum);
        }
      }
    }
  }
  return { lo, hi };
};

const edgeLayer = (a: TableEdgeAttrs, all: number): Layer => ({
  inputs: all / (a.window?.groups ?? 1),
  outputs: a.table.shape[2]!,
  groups: a.window?.groups ?? 1,
  codes: a.table.shape[1]!,
  bias: a.bias?.data,
  terms: (i, code, o) => [at(a.table, slabOf(a, i), code, o)],
});

const basisLayer = (a: TableBasisAttrs, all: number): Layer => {
  const levels = a.span.shape[1]!;
  return {
    inputs: all / (a.window?.groups ?? 1),
    outputs: a.coefficients.shape[2]!,
    groups: a.window?.groups ?? 1,
    codes: a.window !== undefined && isPadded(a.window) ? levels + 1 : levels,
    bias: a.bias?.data,
    terms: (i, code, o) => {
      if (code === levels) return [];
      const row = a.rows?.data[i] ?? 0;
      const spline = Array.from(
        { length: a.basis.shape[1]! },
        (_, j) =>
          at(a.coefficients, i, at(a.span, row, code) + j, o) *
          at(a.basis, at(a.frac, row, code), j) *
          2 ** a.shift,
      );
      return a.base === undefined || a.baseTable === undefined
        ? spline
        : [...spline, at(a.base, i, o) * at(a.baseTable, row, code)];
    },
  };
};

/** What was seen of windows: each form must occur often enough to mean something. */
const formsOf = (window: Window | undefined): ReadonlyArray<string> =>
  window === undefined
    ? ['dense']
    : [isPadded(window) ? 'padded' : 'unpadded', window.groups > 1 ? 'groups' : 'one group'];

/** Calls `check` with layers on few enough codes to try them all. */
const everyForm = (
  check: (r: Random, seed: number) => readonly [Window | undefined, number] | undefined,
): void => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 600; seed++) {
    const checked = check(randomOf(seed), seed);
    if (checked === undefined) continue;
    for (const form of formsOf(checked[0])) seen.set(form, (seen.get(form) ?? 0) + 1);
  }
  for (const form of ['dense', 'padded', 'unpadded', 'groups', 'one group']) {
    expect(seen.get(form) ?? 0, form).toBeGreaterThan(20);
  }
};

const anyShape = (r: Random): ReadonlyArray<number> =>
  r.chance(0.4) ? [r.whole(1, 3)] : [r.whole(1, 3), r.whole(1, 2), r.whole(1, 2)];

/** Whether all codes of a layer can be tried in a moment. */
const isSmall = ({ inputs, codes }: Layer): boolean => codes ** inputs <= 300;

describe('ranges', () => {
  it('of edge tables are exact', () => {
    everyForm((r, seed) => {
      const shape = anyShape(r);
      const a = anyEdge(r, shape, r.whole(1, 4));
      if (a === undefined) return undefined;
      const inputs = layerInputs(shape, a.window);
      const layer = edgeLayer(a, inputs);
      if (!isSmall(layer)) return undefined;
      expect(edgeTableRange(a, inputs), `seed ${seed}`).toStrictEqual(bruteForce(layer));
      return [a.window, inputs];
    });
  });

  it('of basis tables are exact, and beyond their limit hold all sums', () => {
    everyForm((r, seed) => {
      const shape = anyShape(r);
      const a = anyBasisTable(r, shape, r.whole(1, 4));
      if (a === undefined) return undefined;
      const inputs = layerInputs(shape, a.window);
      const layer = basisLayer(a, inputs);
      if (!isSmall(layer)) return undefined;
      const all = bruteForce(layer);
      expect(basisTableRange(a, inputs), `seed ${seed}`).toStrictEqual(all);
      const rough = basisTableRange(a, inputs, 0);
      expect(rough.lo, `seed ${seed}`).toBeLessThanOrEqual(all.lo);
      expect(rough.hi, `seed ${seed}`).toBeGreaterThanOrEqual(all.hi);
      return [a.window, inputs];
    });
  });

  it('of sums of tables are exact', () => {
    let checked = 0;
    for (let seed = 0; seed < 200; seed++) {
      const r = randomOf(seed);
      const channels = r.whole(1, 3);
      const a = anyTableSum(
        r,
        channels,
        Array.from({ length: r.whole(1, 3) }, () => r.whole(1, 5)),
      );
      if (a === undefined) continue;
      checked++;
      // Each channel by itself is a layer whose inputs are the operands.
      const hulls = Array.from({ length: channels }, (_, c) =>
        bruteForce({
          inputs: a.tables.length,
          outputs: 1,
          groups: 1,
          codes: 5,
          bias: a.bias === undefined ? undefined : [at(a.bias, c)],
          terms: (k, code) => {
            const table = a.tables[k]!;
            return [at(table, table.shape[0] === 1 ? 0 : c, code % table.shape[1]!)];
          },
        }),
      );
      expect(sumRange(a, channels), `seed ${seed}`).toStrictEqual({
        lo: Math.min(...hulls.map((h) => h.lo)),
        hi: Math.max(...hulls.map((h) => h.hi)),
      });
    }
    expect(checked).toBeGreaterThan(150);
  });
});
