/** `tabulate{form=basis}` and the choice of the form: closeness to the quantized network, sharing of rows. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  channel,
  decodeValue,
  type Graph,
  knotRow,
  maxOf,
  type TableBasisAttrs,
  type Tensor,
  verify,
} from '../../src/ir/index.js';
import { basisAt } from '../../src/numeric/bspline.js';
import { codeOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import {
  calibrationOf,
  compiled,
  floatInput,
  type KanShape,
  nodesOf,
  onlyOf,
  outputOf,
  randomKan,
  rmsDifference,
  runText,
  uniformValues,
} from './support.js';

const INPUTS = 4;
const data = calibrationOf(INPUTS, 21);

/** A network, quantized and then tabulated. `values=middle`: the basis form takes what the quantizer says. */
const both = (net: Graph<'float'>, quantize = '') => {
  const text = `calibrate{data=x},quantize{values=middle${quantize === '' ? '' : `,${quantize}`}}`;
  const quantized = compiled(net, text, data);
  return { quantized, table: compiled(quantized, 'tabulate{form=basis}') };
};

const one = (seed: number, shape: Partial<KanShape> = {}) =>
  randomKan(seed, { layers: [INPUTS, 3], grid: 5, ...shape });

const basisOf = (graph: Graph): TableBasisAttrs => onlyOf(graph, 'table.basis').op.attrs;

const bitsOf = (c: { element: { kind: string; bits?: number } }): number => c.element.bits ?? 32;

/**
 * How far an output can be from the quantized network. A product of a coefficient c (within e_c of what it
 * should be) and a value v (within e_v) is within |c| e_v + |v| e_c + e_c e_v; basis values are positive and
 * sum to at most 1; half a unit more for the bias.
 */
const boundOf = (net: Graph<'float'>, a: TableBasisAttrs, o: number): number => {
  const { branches } = onlyOf(net, 'kan').op.attrs;
  const outputs = a.coefficients.shape[2]!;
  const largest = (k: number): number =>
    Math.max(0, ...(branches[k]?.weights.data ?? []).filter((_, e) => e % outputs === o).map(Math.abs));
  const coefficientScale = Math.max(largest(0), largest(1)) / maxOf(a.coefficients.element);
  const unit = channel(a.scale, o) / coefficientScale;
  const basisScale = unit * 2 ** a.shift;
  const width = a.basis.shape[1]!;
  const [ec, ev] = [coefficientScale / 2, basisScale / 2];
  const spline = width * largest(0) * ev + ec + width * ec * ev;
  const baseLargest = unit * Math.max(0, ...(a.baseTable?.data ?? []).map(Math.abs));
  const base = a.base === undefined ? 0 : largest(1) * (unit / 2) + ec * baseLargest + ec * (unit / 2);
  return INPUTS * (spline + base) * (1 + 1e-5) + channel(a.scale, o) / 2 + 1e-5;
};

const worst = (a: Tensor, b: Tensor, outputs: number, o: number): number => {
  let most = 0;
  for (let n = 0; n < a.batch; n++) {
    most = Math.max(most, Math.abs(a.data[n * outputs + o]! - b.data[n * outputs + o]!));
  }
  return most;
};

describe('outputs', () => {
  it('are as close to the quantized network as the units of coefficients and basis values say', () => {
    const options = fc.record({
      seed: fc.integer(),
      order: fc.constantFrom(0, 1, 2, 3, 5),
      uneven: fc.boolean(),
      base: fc.constantFrom('silu' as const, 'none' as const, 'tanh' as const),
      bias: fc.boolean(),
      coef: fc.integer({ min: 3, max: 10 }),
      basis: fc.integer({ min: 2, max: 10 }),
      range: fc.constantFrom('clamp', 'extend'),
    });
    fc.assert(
      fc.property(options, ({ seed, coef, basis, range, ...shape }) => {
        const net = one(seed, shape);
        const { quantized, table } = both(net, `act=6,coef=${coef},basis=${basis},range=${range}`);
        const x = floatInput(INPUTS, uniformValues(randomOf(seed), 80, INPUTS, -2, 2));
        const [approximate, exact] = [outputOf(table, x), outputOf(quantized, x)];
        const a = basisOf(table);
        for (let o = 0; o < 3; o++) {
          expect(worst(approximate, exact, 3, o)).toBeLessThanOrEqual(boundOf(net, a, o));
        }
      }),
      { numRuns: 80 },
    );
  });

  it('of two layers come closer with more bits of both', () => {
    const net = randomKan(3, { layers: [INPUTS, 5, 2], uneven: true });
    const x = floatInput(INPUTS, uniformValues(randomOf(2), 200, INPUTS));
    const errors = [4, 7, 10].map((bits) => {
      const { quantized, table } = both(net, `act=8,coef=${bits},basis=${bits}`);
      return rmsDifference(outputOf(table, x), outputOf(quantized, x));
    });
    expect(errors[1]).toBeLessThan(errors[0]! / 3);
    expect(errors[2]).toBeLessThan(errors[1]! / 2);
  });
});

describe('tables', () => {
  it('have the bits that were asked for', () => {
    const a = basisOf(both(one(1), 'act=6,coef=5,basis=3').table);
    expect([bitsOf(a.coefficients), bitsOf(a.basis)]).toEqual([5, 3]);
    expect(Math.max(...a.basis.data)).toBe(7);
    expect(Math.max(...a.coefficients.data.map(Math.abs), ...a.base!.data.map(Math.abs))).toBe(15);
  });

  it('hold every basis value to half a unit', () => {
    const net = one(1, { uneven: true });
    const { basis } = onlyOf(net, 'kan').op.attrs.branches[0]!;
    if (basis._tag !== 'bspline') throw new Error('a spline');
    for (const bits of [2, 3, 8]) {
      const { table } = both(net, `act=6,basis=${bits}`);
      const a = basisOf(table);
      const { quantizer: q } = onlyOf(table, 'quantize').op.attrs;
      const values = new Float64Array(a.basis.shape[1]!);
      const exact = Array.from({ length: INPUTS * q.levels }, (_, cell) => {
        const input = Math.floor(cell / q.levels);
        basisAt(knotRow(basis, input), basis.order, decodeValue(q, input, cell % q.levels), values);
        return [...values];
      });
      const unit = Math.max(...exact.flat()) / (2 ** bits - 1);
      exact.forEach((row, cell) => {
        row.forEach((value, j) => {
          const stored = a.basis.data[a.frac.data[cell]! * values.length + j]! * unit;
          expect(Math.abs(stored - value)).toBeLessThanOrEqual(unit / 2 + 1e-9);
        });
      });
    }
  });

  it('are one row for all inputs that share knots and quantizer, else one for each', () => {
    const shared = basisOf(both(one(1)).table);
    expect([shared.span.shape[0], shared.rows]).toEqual([1, undefined]);
    const uneven = basisOf(both(one(1, { uneven: true })).table);
    expect(uneven.span.shape[0]).toBe(INPUTS);
    expect([...uneven.rows!.data]).toEqual([0, 1, 2, 3]);
    // Hidden values have a quantizer of their own each, or share one.
    const deep = randomKan(3, { layers: [INPUTS, 5, 2] });
    const rows = (options: string) =>
      nodesOf(both(deep, options).table, 'table.basis').map((n) => n.op.attrs.span.shape[0]);
    expect(rows('hiddenRanges=feature')).toEqual([1, 5]);
    expect(rows('hiddenRanges=tensor')).toEqual([1, 1]);
  });

  it('on aligned codes hold one fraction row for each low part of the code, if the grid is uniform', () => {
    const net = one(1, { grid: 4, order: 2 });
    const whole = both(net, 'act=8,align=knots,range=extend').table;
    const a = basisOf(whole);
    const { levels } = onlyOf(whole, 'quantize').op.attrs.quantizer;
    // Four intervals of [-1, 1] and two more on each side, in 2^m parts each, and the last knot.
    const fractions = (levels - 1) / 8;
    expect(Number.isInteger(Math.log2(fractions))).toBe(true);
    // Rounding of f32 knots may tell rows apart by one unit at most here and there; sharing must still be large.
    const interior = new Set(
      Array.from({ length: levels }, (_, c) => c)
        .filter((c) => c >= 2 * fractions && c < 6 * fractions)
        .map((c) => a.frac.data[c]),
    );
    expect(interior.size).toBeLessThanOrEqual(fractions * 1.25);
  });

  it('span no function that does not exist, inside and outside of the knots', () => {
    for (const order of [0, 1, 3]) {
      const { table } = both(one(4, { order }), 'range=extend,align=knots,act=8');
      expect(codeOf(verify(table))).toBe('ok');
    }
  });
});

describe('the form', () => {
  it('auto takes edge tables where they fit and are cheaper, basis tables beyond the budget', () => {
    const kinds = (options: string) =>
      runText(one(1), `calibrate{data=x},quantize{act=8},tabulate{${options}}`, data).graph.nodes.map(
        (n) => n.op.kind,
      );
    expect(kinds('form=auto')).toContain('table.edge');
    // 4 * 256 * 3 bytes of edge tables.
    expect(kinds('form=auto,budget=3072B')).toContain('table.edge');
    expect(kinds('form=auto,budget=3071B')).toContain('table.basis');
    expect(kinds('form=basis')).toContain('table.basis');
  });

  it('edge replaces basis, with a warning, where there is no single spline branch', () => {
    const net = one(1, { base: 'silu' });
    const withoutSpline: Graph<'float'> = {
      ...net,
      nodes: net.nodes.map((n) =>
        n.op.kind === 'kan'
          ? { ...n, op: { kind: 'kan', attrs: { branches: [n.op.attrs.branches[1]!] } } }
          : n,
      ),
    };
    const { graph, remarks } = runText(
      withoutSpline,
      'calibrate{data=x},quantize,tabulate{form=basis}',
      data,
    );
    expect(nodesOf(graph, 'table.edge')).toHaveLength(1);
    expect(remarks.some((r) => r.startsWith('warning layer0: edge table'))).toBe(true);
  });
});
