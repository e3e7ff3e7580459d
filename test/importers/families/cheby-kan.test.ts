/** ChebyKAN checkpoints against cos(d * acos(tanh x)), and where normalisations are put. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { importTensors } from '../../../src/importers/index.js';
import { naturalOrder } from '../../../src/importers/natural-order.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { difference, f32, fileOf, run, uniform } from '../arch/support.js';

type Tensors = Readonly<Record<string, FileTensor>>;

const naiveCheby = ({ data, shape }: FileTensor, x: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [O, D] = [shape[1]!, shape[2]!];
  return Array.from({ length: O }, (_, o) =>
    x.reduce((sum, xi, i) => {
      let edge = 0;
      for (let d = 0; d < D; d++) edge += data[(i * O + o) * D + d]! * Math.cos(d * Math.acos(Math.tanh(xi)));
      return sum + edge;
    }, 0),
  );
};

const naiveNorm = (t: Tensors, name: string, x: ReadonlyArray<number>): ReadonlyArray<number> => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
  return x.map(
    (v, f) =>
      ((v - mean) / Math.sqrt(variance + 1e-5)) * t[`${name}.weight`]!.data[f]! + t[`${name}.bias`]!.data[f]!,
  );
};

/** Layers and normalisations of these names, in the order of the network; widths are those between the layers. */
const network = (seed: number, order: ReadonlyArray<string>, widths: ReadonlyArray<number>, degree = 3) => {
  const r = randomOf(seed);
  const tensors: Record<string, FileTensor> = {};
  let width = 0;
  const steps: ((x: ReadonlyArray<number>) => ReadonlyArray<number>)[] = [];
  for (const name of order) {
    if (name.includes('n')) {
      tensors[`${name}.weight`] = uniform(r, [widths[width]!], 0.5, 1.5);
      tensors[`${name}.bias`] = uniform(r, [widths[width]!]);
      steps.push((x) => naiveNorm(tensors, name, x));
    } else {
      const coefficients = uniform(r, [widths[width]!, widths[width + 1]!, degree + 1]);
      tensors[`${name}.cheby_coeffs`] = coefficients;
      tensors[`${name}.arange`] = f32(
        [degree + 1],
        Array.from({ length: degree + 1 }, (_, d) => d),
      );
      steps.push((x) => naiveCheby(coefficients, x));
      width++;
    }
  }
  return { tensors, naive: (x: ReadonlyArray<number>) => steps.reduce((v, step) => step(v), x) };
};

/** Tensors in another order than that of the network, as some containers store them. */
const shuffled = (t: Tensors): Tensors =>
  Object.fromEntries(Object.entries(t).sort(([a], [b]) => (a < b ? 1 : -1)));

const agrees = (seed: number, order: ReadonlyArray<string>, widths: ReadonlyArray<number>): void => {
  const { tensors, naive } = network(seed, order, widths);
  const r = randomOf(seed + 1);
  const x = Array.from({ length: widths[0]! }, () => Math.fround(r.unit() * 4 - 2));
  for (const file of [tensors, shuffled(tensors)]) {
    const values = run(rightOf(importTensors(fileOf(file))), x);
    expect(difference(values.get('outputs')!, naive(x)), order.join()).toBeLessThan(1e-4);
  }
};

describe('any network', () => {
  it('computes what the definition says, for any degree', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 9 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
        (seed, degree, widths) => {
          const names = widths.slice(1).map((_, l) => `c${l}`);
          const { tensors, naive } = network(seed, names, widths, degree);
          const x = Array.from({ length: widths[0]! }, (_, i) => Math.fround(Math.sin(seed + i)));
          const values = run(rightOf(importTensors(fileOf(tensors))), x);
          expect(difference(values.get('outputs')!, naive(x))).toBeLessThan(1e-4);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('may be one layer without a name', () => {
    const coefficients = uniform(randomOf(1), [2, 3, 4]);
    const graph = rightOf(importTensors(fileOf({ cheby_coeffs: coefficients })));
    expect(
      difference(run(graph, [0.5, -1]).get('outputs')!, naiveCheby(coefficients, [0.5, -1])),
    ).toBeLessThan(1e-6);
  });
});

describe('names', () => {
  it('are put in natural order', () => {
    expect(['a10', 'a2', 'a1', 'b', 'a', 'a02'].sort(naturalOrder)).toEqual([
      'a',
      'a1',
      'a2',
      'a02',
      'a10',
      'b',
    ]);
    agrees(1, ['c1', 'c2', 'c10'], [2, 4, 3, 1]);
  });

  it('place normalisations by the numbers of layers, or by those of one list, or by order', () => {
    agrees(2, ['cheby1', 'ln1', 'cheby2', 'ln2', 'cheby3'], [3, 4, 5, 2]);
    agrees(3, ['cheby1', 'ln1', 'cheby2', 'ln2', 'cheby3'], [3, 3, 3, 3]);
    agrees(4, ['cheby1', 'cheby2', 'ln2', 'cheby3'], [3, 4, 4, 2]);
    agrees(
      5,
      ['n1', 'x2', 'x3', 'n4', 'x5'].map((n) => `seq.${n.slice(1)}${n[0] === 'n' ? 'n' : ''}`),
      [3, 4, 4, 2],
    );
    agrees(
      6,
      ['first', 'normA', 'second', 'normB', 'third'].map((n, k) =>
        n.includes('norm') ? n : `l${'abc'[k / 2]}`,
      ),
      [2, 3, 4, 1],
    );
    agrees(7, ['ln1', 'cheby1', 'ln2', 'cheby2'], [3, 4, 2]);
  });

  it('of one list: a normalisation stands where its number stands', () => {
    const { tensors, naive } = network(8, ['0', '1n', '2', '3n', '4'], [3, 4, 4, 2]);
    const listed = Object.fromEntries(
      Object.entries(tensors).map(([k, v]) => [`net.${k.replace('n.', '.')}`, v]),
    );
    const x = [0.3, -0.2, 1.5];
    const values = run(rightOf(importTensors(fileOf(listed))), x);
    expect(difference(values.get('outputs')!, naive(x))).toBeLessThan(1e-4);
  });

  it('of a batch norm make it an affine map', () => {
    const { tensors } = network(9, ['c1', 'c2'], [2, 3, 1]);
    const file = {
      ...tensors,
      'bn1.weight': f32([3], [1, 2, 3]),
      'bn1.bias': f32([3], [0.5, 0, -1]),
      'bn1.running_mean': f32([3], [1, -1, 0]),
      'bn1.running_var': f32([3], [4, 1, 0.25]),
      'bn1.num_batches_tracked': f32([1], [7]),
    };
    const x = [0.7, -0.4];
    const hidden = naiveCheby(tensors['c1.cheby_coeffs']!, x);
    const normalised = hidden.map(
      (h, f) =>
        ((h - [1, -1, 0][f]!) / Math.sqrt([4, 1, 0.25][f]! + 1e-5)) * [1, 2, 3][f]! + [0.5, 0, -1][f]!,
    );
    const values = run(
      rightOf(importTensors(fileOf({ ...file, 'bn1.num_batches_tracked': f32([], [7]) }))),
      x,
    );
    expect(
      difference(values.get('outputs')!, naiveCheby(tensors['c2.cheby_coeffs']!, normalised)),
    ).toBeLessThan(1e-4);
    expect(codeOf(importTensors(fileOf({ ...file, 'bn1.running_var': f32([3], [-4, 1, 1]) })))).toBe('K0204');
  });
});

describe('errors', () => {
  const { tensors } = network(5, ['c1', 'ln1', 'c2'], [3, 4, 2]);

  it('K0201: a tensor of another kind of layer is told by its name', () => {
    const result = importTensors(fileOf({ ...tensors, 'fc.weight': f32([2, 2], [0, 0, 0, 0]) }));
    expect(codeOf(result)).toBe('K0201');
    expect(messageOf(result)).toContain('fc.weight');
    expect(codeOf(importTensors(fileOf({ ...tensors, gamma: f32([1], [0]) })))).toBe('K0201');
  });

  it('K0202, K0203, K0204: what is missing, does not fit, is not finite', () => {
    const { 'ln1.bias': _, ...without } = tensors;
    expect(codeOf(importTensors(fileOf(without)))).toBe('K0202');
    expect(
      codeOf(
        importTensors(fileOf({ ...tensors, 'ln1.weight': f32([2], [1, 1]), 'ln1.bias': f32([2], [1, 1]) })),
      ),
    ).toBe('K0203');
    expect(
      codeOf(
        importTensors(
          fileOf({ ...tensors, 'ln9.weight': f32([4], [1, 1, 1, 1]), 'ln9.bias': f32([4], [1, 1, 1, 1]) }),
        ),
      ),
    ).toBe('K0203');
    const swapped = { ...tensors, 'c0.cheby_coeffs': tensors['c2.cheby_coeffs']! };
    expect(messageOf(importTensors(fileOf(swapped)))).toContain('the one before it by name');
    expect(codeOf(importTensors(fileOf({ a: f32([1], [0]) }), { family: 'cheby-kan' }))).toBe('K0202');
    expect(codeOf(importTensors(fileOf({ 'c.cheby_coeffs': f32([1, 1, 65], new Array(65).fill(0)) })))).toBe(
      'K0203',
    );
    expect(codeOf(importTensors(fileOf({ 'c.cheby_coeffs': f32([1, 1, 1], [Number.NaN]) })))).toBe('K0204');
    expect(codeOf(importTensors(fileOf({ 'c.cheby_coeffs': f32([1, 1], [0]) })))).toBe('K0203');
  });
});
