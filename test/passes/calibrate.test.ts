/** `calibrate`: what it records of the data, and what it assumes without. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { type Graph, type ObserveAttrs, printGraph } from '../../src/ir/index.js';
import { calibrate, spread } from '../../src/passes/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import {
  asDataset,
  calibrationOf,
  contextOf,
  floatInput,
  nodesOf,
  outputOf,
  randomKan,
  runText,
  uniformValues,
  valuesOf,
} from './support.js';

const observed = (graph: Graph): ReadonlyArray<ObserveAttrs> =>
  nodesOf(graph, 'observe').map((n) => n.op.attrs);

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((n, v) => n + v, 0);

const total = (a: ObserveAttrs): number => sum(a.counts.data);

const net = randomKan(1, { layers: [3, 4, 2] });
const data = asDataset(3, uniformValues(randomOf(5), 500, 3, -2, 3));

describe('with data', () => {
  const { graph, remarks } = runText(net, 'calibrate{data=x,samples=64,bins=32}', data);
  const [input, hidden] = observed(graph);

  it('sees all samples of the input, and hidden values over the first `samples`', () => {
    expect(nodesOf(graph, 'observe')).toHaveLength(2);
    expect([input!.samples, total(input!)]).toEqual([500, 1500]);
    expect([hidden!.samples, total(hidden!)]).toEqual([64, 256]);
    expect(input!.counts.shape).toEqual([3, 32]);
    expect(hidden!.counts.shape).toEqual([4, 32]);
  });

  it('every feature has all of its samples', () => {
    for (const a of [input!, hidden!]) {
      const bins = a.counts.shape[1]!;
      for (let f = 0; f < a.counts.shape[0]!; f++) {
        const counts = a.counts.data.slice(f * bins, (f + 1) * bins);
        expect(sum(counts)).toBe(a.samples);
      }
    }
  });

  it('records the exact extremes', () => {
    const values = Float32Array.from(data.array.data);
    expect([input!.lo, input!.hi]).toEqual([Math.min(...values), Math.max(...values)]);
    // Hidden values come from samples that are spread over the file.
    const some = spread(floatInput(3, values), 64);
    const hiddenValues = Float32Array.from(valuesOf(net, some).get('layer0')!.data);
    expect([hidden!.lo, hidden!.hi]).toEqual([Math.min(...hiddenValues), Math.max(...hiddenValues)]);
  });

  it('keeps the mean of every bin inside the bin, and the middle where it is empty', () => {
    for (const a of [input!, hidden!]) {
      const bins = a.counts.shape[1]!;
      const width = (a.hi - a.lo) / bins;
      for (let cell = 0; cell < a.counts.data.length; cell++) {
        const left = a.lo + (cell % bins) * width;
        const mean = a.means.data[cell]!;
        expect(mean).toBeGreaterThanOrEqual(left - width * 1e-4);
        expect(mean).toBeLessThanOrEqual(left + width * 1.0001);
        if (a.counts.data[cell] === 0) expect(mean).toBeCloseTo(left + width / 2, 5);
      }
    }
  });

  it('counts times means are the sum of the data', () => {
    for (let f = 0; f < 3; f++) {
      let [recorded, expected] = [0, 0];
      for (let b = f * 32; b < (f + 1) * 32; b++) recorded += input!.counts.data[b]! * input!.means.data[b]!;
      for (let n = 0; n < 500; n++) expected += data.array.data[n * 3 + f]!;
      expect(recorded).toBeCloseTo(expected, 3);
    }
  });

  it('changes nothing of what the network computes', () => {
    const x = floatInput(3, data.array.data);
    expect(outputOf(graph, x).data).toEqual(outputOf(net, x).data);
  });

  it('says what it saw', () => {
    expect(remarks[0]).toBe('note : 500 samples, 64 of them through the whole network');
    expect(remarks.some((r) => /^note x: range \[/.test(r))).toBe(true);
    expect(remarks.some((r) => r.startsWith('warning'))).toBe(false);
  });
});

describe('data with gaps', () => {
  it('leaves NaN and infinite values out, with a warning', () => {
    const values = uniformValues(randomOf(3), 50, 3);
    values[4] = Number.NaN;
    values[7] = Number.POSITIVE_INFINITY;
    values[8] = Number.NEGATIVE_INFINITY;
    const { graph, remarks } = runText(net, 'calibrate{data=x}', asDataset(3, values));
    const [input, hidden] = observed(graph);
    expect(total(input!)).toBe(147);
    expect(Math.abs(input!.hi)).toBeLessThanOrEqual(1);
    expect(remarks).toContain(
      'warning x: 3 values are NaN or infinite and were left out (the first: sample 1, element 1)',
    );
    // The NaN makes the hidden values of its sample NaN, and so do the infinite ones, through silu.
    expect(total(hidden!)).toBeLessThan(200);
    expect(hidden!.means.data.every((m: number) => Number.isFinite(m))).toBe(true);
    expect(remarks.some((r) => /^warning layer0: \d+ values are NaN/.test(r))).toBe(true);
  });

  it('nothing but NaN still gives a graph that compiles', () => {
    const values = new Float32Array(30).fill(Number.NaN);
    const text = 'calibrate{data=x},quantize,tabulate,fold,prune,dedupe,narrow,dce';
    const { graph, remarks } = runText(net, text, asDataset(3, values));
    expect(graph.level).toBe('table');
    expect(remarks).toContain(
      'warning x: 30 values are NaN or infinite and were left out (the first: sample 0, element 0)',
    );
  });

  it('one constant sample is enough', () => {
    const { graph } = runText(net, 'calibrate{data=x}', asDataset(3, [0.25, 0.25, 0.25]));
    const [input] = observed(graph);
    expect([input!.lo, input!.hi, total(input!)]).toEqual([0.25, 0.25, 3]);
  });
});

describe('without data', () => {
  it('warns and takes the span of the grid', () => {
    const uneven = randomKan(2, { layers: [3, 2], uneven: true, order: 2 });
    const { graph, remarks } = runText(uneven, 'calibrate');
    expect(remarks[0]).toMatch(/^warning : no calibration data/);
    const [input] = observed(graph);
    const { op } = uneven.nodes[0]!;
    const basis = op.kind === 'kan' ? op.attrs.branches[0]!.basis : undefined;
    if (basis?._tag !== 'bspline') throw new Error('a spline');
    const count = basis.knots.shape[1]!;
    const rows = [0, 1, 2].map((i) => basis.knots.data.slice(i * count, (i + 1) * count));
    expect(input!.lo).toBe(Math.min(...rows.map((row) => row[2]!)));
    expect(input!.hi).toBe(Math.max(...rows.map((row) => row[count - 3]!)));
    expect([input!.samples, total(input!)]).toEqual([0, 0]);
  });

  it('takes the values that pixels decode to', () => {
    const { graph } = runText(net, 'input{dtype=u8,mean=0.5,std=0.25},calibrate');
    const [input, hidden] = observed(graph);
    expect([input!.lo, input!.hi]).toEqual([-2, 2]);
    // The grid, and what random inputs give: hidden values leave the grid.
    expect(hidden!.lo).toBeLessThanOrEqual(-1);
    expect(hidden!.hi).toBeGreaterThanOrEqual(1);
    expect(hidden!.samples).toBe(0);
  });

  it('hidden ranges hold what new random inputs give, and are the same each time', () => {
    const assumed = observed(runText(net, 'calibrate').graph).slice(1);
    const again = observed(runText(net, 'calibrate').graph).slice(1);
    expect(again.map((o) => [o.lo, o.hi])).toEqual(assumed.map((o) => [o.lo, o.hi]));
    const r = randomOf(99);
    const samples = Array.from({ length: 3 * 200 }, () => 2 * r.unit() - 1);
    const seen = observed(runText(net, 'calibrate{data=x}', asDataset(3, samples)).graph).slice(1);
    expect(seen.length).toBeGreaterThan(0);
    seen.forEach((o, k) => {
      expect(assumed[k]!.lo).toBeLessThanOrEqual(o.lo);
      expect(assumed[k]!.hi).toBeGreaterThanOrEqual(o.hi);
    });
  });

  it('takes [-1, 1] for a layer without splines', () => {
    const { op } = randomKan(4, { layers: [2, 2] }).nodes[0]!;
    expect(op.kind).toBe('kan');
    if (op.kind !== 'kan') return;
    const base = randomKan(4, { layers: [2, 2] });
    const graph: Graph<'float'> = {
      ...base,
      nodes: base.nodes.map((n) => ({
        ...n,
        op: { kind: 'kan', attrs: { branches: [op.attrs.branches[1]!] } },
      })),
    };
    const [input] = observed(runText(graph, 'calibrate').graph);
    expect([input!.lo, input!.hi]).toEqual([-1, 1]);
  });
});

describe('refusals', () => {
  it('K0505: the data was not loaded', () => {
    const options = { data: 'x.npy', samples: 10, bins: 10 };
    expect(codeOf(calibrate.run(options, contextOf(undefined))(net))).toBe('K0505');
  });

  it('K0701: data of another width, or without samples', () => {
    const options = { data: 'x.npy', samples: 10, bins: 10 };
    const wrong = calibrate.run(options, contextOf(calibrationOf(4)))(net);
    expect(codeOf(wrong)).toBe('K0701');
    expect(messageOf(wrong)).toContain('[samples, 3]');
    expect(codeOf(calibrate.run(options, contextOf(asDataset(3, [])))(net))).toBe('K0701');
  });

  it('K0701: float data for pixels', () => {
    const pixels = runText(net, 'input{dtype=u8}').graph;
    if (pixels.level !== 'float') throw new Error('a float graph');
    const options = { data: 'x.npy', samples: 10, bins: 10 };
    const result = calibrate.run(options, contextOf(calibrationOf(3)))({ ...pixels, level: 'float' });
    expect(codeOf(result)).toBe('K0701');
  });
});

describe('options', () => {
  it('name the file to read', () => {
    const options = calibrate.options.decode({ data: 'a/b.npy' });
    if (E.isLeft(options)) throw new Error('decodes');
    expect(calibrate.files?.(options.right)).toEqual(['a/b.npy']);
    const none = calibrate.options.decode({});
    if (E.isLeft(none)) throw new Error('decodes');
    expect(calibrate.files?.(none.right)).toEqual([]);
  });
});

it('a second calibration replaces the first', () => {
  const once = runText(net, 'calibrate{data=x}', data).graph;
  const twice = runText(once, 'calibrate{data=x}', data).graph;
  const compile = (g: Graph) => runText(g, 'quantize,tabulate,fold,dce').graph;
  const x = floatInput(3, data.array.data);
  expect(outputOf(compile(twice), x).data).toEqual(outputOf(compile(once), x).data);
  expect(printGraph(twice)).toBe(printGraph(once));
  expect(rightOf(E.right(once.level))).toBe('float');
});
