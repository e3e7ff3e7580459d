/** `quantize`: levels, ranges, alignment to knots, and the values that codes stand for. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  channel,
  coderOf,
  constant,
  decodeValue,
  F32,
  type Graph,
  type Quantizer,
} from '../../src/ir/index.js';
import { randomOf } from '../support/random.js';
import {
  asDataset,
  calibrationOf,
  compiled,
  floatInput,
  nodesOf,
  outputOf,
  randomKan,
  rmsDifference,
  runText,
  uniformValues,
  valuesOf,
} from './support.js';

const quantizers = (graph: Graph): ReadonlyArray<Quantizer> =>
  nodesOf(graph, 'quantize').map((n) => n.op.attrs.quantizer);

const uniformOf = (q: Quantizer | undefined) => {
  if (q?._tag !== 'uniform') throw new Error('a uniform quantizer');
  return q;
};

const data = calibrationOf(3, 11);
const net = randomKan(1, { layers: [3, 4, 2] });
const quantized = (options: string, from = net, given = data) =>
  compiled(from, `calibrate{data=x},quantize{${options}}`, given);

describe('bits', () => {
  it('are what was asked for, with all levels, inputs and hidden values apart', () => {
    const graph = quantized('act=5,hidden=3,table=7,coef=6,basis=4');
    expect(nodesOf(graph, 'quantize').map((n) => n.op.attrs.bits)).toEqual([5, 3]);
    expect(quantizers(graph).map((q) => q.levels)).toEqual([32, 8]);
    expect(nodesOf(graph, 'kan').map((n) => n.op.attrs.precision)).toEqual([
      { table: 7, coef: 6, basis: 4 },
      { table: 7, coef: 6, basis: 4 },
    ]);
  });

  it('of hidden values are those of inputs unless given; one bit and sixteen work', () => {
    for (const act of [1, 16]) {
      const graph = quantized(`act=${act}`);
      expect(nodesOf(graph, 'quantize').map((n) => n.op.attrs.bits)).toEqual([act, act]);
      expect(quantizers(graph).map((q) => q.levels)).toEqual([2 ** act, 2 ** act]);
    }
  });

  it('auto: 8, fewer where the edge table would outgrow the budget, never below 5', () => {
    const bitsAt = (budget: string) =>
      nodesOf(quantized(`budget=${budget}`), 'quantize').map((n) => n.op.attrs.bits);
    // 3 * 4 edges and 4 * 2 edges, one byte an entry: 3072 and 2048 bytes at 8 bits.
    expect(bitsAt('3072B')).toEqual([8, 8]);
    expect(bitsAt('3071B')).toEqual([7, 8]);
    expect(bitsAt('1023B')).toEqual([6, 6]);
    expect(bitsAt('1B')).toEqual([5, 5]);
    const wide = quantized('budget=3072B,table=9');
    expect(nodesOf(wide, 'quantize').map((n) => n.op.attrs.bits)).toEqual([7, 7]);
  });
});

describe('free quantizers', () => {
  it('stand at both ends of the range of the inputs', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: -100, max: 100, noNaN: true }),
        // Wide enough for f32 to tell the levels apart.
        fc.double({ min: 1, max: 50, noNaN: true }),
        (seed, bits, lo, width) => {
          const values = uniformValues(randomOf(seed), 40, 3, lo, lo + width);
          const q = quantizers(quantized(`act=${bits}`, net, asDataset(3, values)))[0]!;
          const [least, most] = [Math.min(...values), Math.max(...values)];
          const coder = coderOf(q, 0);
          expect(coder(least)).toBe(0);
          expect(coder(most)).toBe(q.levels - 1);
          expect(decodeValue(q, 0, 0)).toBe(least);
          const slack = 2 ** -22 * Math.max(Math.abs(least), Math.abs(most));
          expect(Math.abs(decodeValue(q, 0, q.levels - 1) - most)).toBeLessThanOrEqual(slack);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('cover a grid that is wider than the data with range=extend', () => {
    const narrow = asDataset(3, uniformValues(randomOf(2), 50, 3, -0.1, 0.1));
    for (const align of ['free', 'knots']) {
      const clamped = uniformOf(quantizers(quantized(`align=${align}`, net, narrow))[0]);
      const extended = uniformOf(quantizers(quantized(`align=${align},range=extend`, net, narrow))[0]);
      // Four intervals of 0.5 on [-1, 1] and three more on each side: knots from -2.5 to 2.5.
      expect(decodeValue(extended, 0, 0)).toBeLessThanOrEqual(-2.5);
      expect(decodeValue(extended, 0, extended.levels - 1)).toBeGreaterThanOrEqual(2.5 - 1e-5);
      expect(channel(clamped.step, 0)).toBeLessThan(channel(extended.step, 0));
    }
  });

  it('cut outliers off with clip', () => {
    const values = uniformValues(randomOf(2), 200, 3);
    values[0] = 1000;
    const whole = uniformOf(quantizers(quantized('act=8', net, asDataset(3, values)))[0]);
    const cut = uniformOf(quantizers(quantized('act=8,clip=0.5', net, asDataset(3, values)))[0]);
    expect(decodeValue(whole, 0, 255)).toBe(1000);
    expect(decodeValue(cut, 0, 255)).toBeLessThan(10);
  });
});

describe('hidden ranges', () => {
  /** A network whose hidden values have very different sizes: output o of the first layer is scaled by size[o]. */
  const uneven = (sizes: ReadonlyArray<number>): Graph<'float'> => {
    const graph = randomKan(3, { layers: [3, sizes.length, 2] });
    return {
      ...graph,
      nodes: graph.nodes.map((node, l) => {
        if (l > 0 || node.op.kind !== 'kan') return node;
        const branches = node.op.attrs.branches.map((b) => ({
          ...b,
          weights: constant(
            F32,
            b.weights.shape,
            Float32Array.from(b.weights.data, (w, e) => w * sizes[e % sizes.length]!),
          ),
        }));
        return { ...node, op: { kind: 'kan', attrs: { branches } } };
      }),
    };
  };

  it('are one for each feature, or one for all on request', () => {
    const graph = uneven([1, 0.1, 3]);
    const each = uniformOf(quantizers(quantized('act=8', graph))[1]);
    const one = uniformOf(quantizers(quantized('act=8,hiddenRanges=tensor', graph))[1]);
    expect(typeof each.lo).toBe('object');
    expect(typeof one.lo).toBe('number');
    expect(channel(each.step, 1)).toBeLessThan(channel(one.step, 1) / 10);
  });

  it('hold the calibration values of every feature, however much the sizes differ', () => {
    const sizes = [1, 0.1, 0.001, 1000];
    const graph = uneven(sizes);
    const q = quantizers(quantized('act=8,margin=0', graph))[1]!;
    const hidden = valuesOf(graph, floatInput(3, data.array.data)).get('layer0')!;
    for (let f = 0; f < sizes.length; f++) {
      const values = Array.from({ length: hidden.batch }, (_, n) => hidden.data[n * sizes.length + f]!);
      const step = decodeValue(q, f, 1) - decodeValue(q, f, 0);
      const slack = step / 2 + 1e-6 * sizes[f]!;
      expect(decodeValue(q, f, 0) - slack, `feature ${f}`).toBeLessThanOrEqual(Math.min(...values));
      expect(decodeValue(q, f, 255) + slack, `feature ${f}`).toBeGreaterThanOrEqual(Math.max(...values));
    }
  });

  it('grow by the margin at each end', () => {
    const none = uniformOf(quantizers(quantized('act=8,margin=0'))[1]);
    const some = uniformOf(quantizers(quantized('act=8,margin=10'))[1]);
    for (let f = 0; f < 4; f++) {
      const [a, b] = [none, some].map((q) => [decodeValue(q, f, 0), decodeValue(q, f, 255)] as const);
      const width = a![1] - a![0];
      expect(a![0] - b![0]).toBeCloseTo(width / 10, 4);
      expect(b![1] - a![1]).toBeCloseTo(width / 10, 4);
    }
  });
});

describe('aligned quantizers', () => {
  it('have the interval in the high bits of a code and the fraction in the low ones', () => {
    for (const [grid, order, bits] of [
      [4, 3, 8],
      [5, 2, 6],
      [7, 1, 10],
      [5, 3, 4],
    ] as const) {
      const graph = randomKan(5, { layers: [3, 2], grid, order });
      const whole = asDataset(3, uniformValues(randomOf(1), 100, 3, -1, 1));
      whole.array.data.set([-1, 1, -1]);
      const q = uniformOf(quantizers(quantized(`act=${bits},align=knots`, graph, whole))[0]);
      const h = 2 / grid;
      const fractionBits = Math.round(Math.log2(h / channel(q.step, 0)));
      expect(channel(q.step, 0) * 2 ** fractionBits).toBeCloseTo(h, 5);
      expect(q.levels).toBe(grid * 2 ** fractionBits + 1);
      // One more bit of fraction would not have fit.
      expect(grid * 2 ** (fractionBits + 1) + 1).toBeGreaterThan(2 ** bits);
      const coder = coderOf(q, 0);
      for (let k = 0; k <= grid; k++) {
        const knot = Math.fround(-1 + k * h);
        expect(coder(knot) >> fractionBits).toBe(k);
        expect(coder(knot) & (2 ** fractionBits - 1)).toBe(0);
      }
    }
  });

  it('are refused, with a note, on knots that differ or on too few bits', () => {
    const uneven = randomKan(5, { layers: [3, 2], uneven: true });
    const refused = runText(uneven, 'calibrate{data=x},quantize{align=knots}', data);
    expect(refused.remarks.join()).toContain('not aligned to the knots: its knots are not uniform');
    const fine = randomKan(5, { layers: [3, 2], grid: 20 });
    const few = runText(fine, 'calibrate{data=x},quantize{align=knots,act=4}', data);
    expect(few.remarks.join()).toContain('4 bits are too few');
    expect(quantizers(few.graph)[0]!.levels).toBe(16);
  });
});

describe('values of codes', () => {
  it('lie in the cell of their code, and are the means of the data there', () => {
    const graph = quantized('act=4');
    for (const node of nodesOf(graph, 'quantize')) {
      const decode = nodesOf(graph, 'decode').find((n) => n.operands[0] === node.name)!;
      const { quantizer: q } = node.op.attrs;
      const { values } = decode.op.attrs;
      expect(values?.shape).toEqual([node.type.shape[0], 16]);
      for (let f = 0; f < node.type.shape[0]!; f++) {
        const coder = coderOf(q, f);
        for (let c = 0; c < 16; c++) expect(coder(values!.data[f * 16 + c]!)).toBe(c);
      }
    }
  });

  it('serve the data better than the middles of cells', () => {
    const skewed = asDataset(
      3,
      uniformValues(randomOf(4), 400, 3).map((v) => v ** 3),
    );
    const x = floatInput(3, skewed.array.data);
    const exact = valuesOf(net, x);
    const error = (options: string): number => {
      const values = valuesOf(quantized(options, net, skewed), x);
      let sum = 0;
      values.get('layer0_in')!.data.forEach((v: number, j: number) => {
        sum += (v - exact.get('x')!.data[j]!) ** 2;
      });
      return sum;
    };
    expect(error('act=3,values=mean')).toBeLessThan(error('act=3,values=middle') * 0.95);
  });

  it('are those of the quantizer without data, or where alignment needs them', () => {
    for (const graph of [
      compiled(net, 'calibrate,quantize'),
      quantized('align=knots'),
      quantized('values=middle'),
    ]) {
      expect(nodesOf(graph, 'decode').every((n) => n.op.attrs.values === undefined)).toBe(true);
    }
  });
});

it('more bits come closer to the float network', () => {
  const x = floatInput(3, uniformValues(randomOf(77), 200, 3));
  const exact = outputOf(net, x);
  const errors = [2, 4, 6, 8, 10].map((act) => {
    return rmsDifference(outputOf(quantized(`act=${act}`), x), exact);
  });
  for (let k = 1; k < errors.length; k++) expect(errors[k]).toBeLessThan(errors[k - 1]! / 2);
});

it('NaN has code 0 and the policy is recorded', () => {
  const graph = quantized('nan=refuse');
  expect(nodesOf(graph, 'quantize').map((n) => n.op.attrs.nan)).toEqual(['refuse', 'refuse']);
  expect(coderOf(quantizers(graph)[0]!, 0)(Number.NaN)).toBe(0);
});

it('layers that were not calibrated are left alone', () => {
  const { graph } = runText(net, 'quantize');
  expect(graph.level).toBe('quantized');
  expect(nodesOf(graph, 'quantize')).toHaveLength(0);
  const x = floatInput(3, data.array.data);
  expect(outputOf(graph, x).data).toEqual(outputOf(net, x).data);
});

it('constant inputs get a quantizer that holds them', () => {
  const constantData = asDataset(3, new Float32Array(30).fill(-0.7));
  const graph = quantized('act=4', net, constantData);
  const q = quantizers(graph)[0]!;
  expect(decodeValue(q, 0, coderOf(q, 0)(Math.fround(-0.7)))).toBe(Math.fround(-0.7));
});
