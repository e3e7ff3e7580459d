/** `quantize`: how ranges come from calibration, and cells of least error in place of ranges. */
import { describe, expect, it } from 'vitest';
import {
  builder,
  channel,
  coderOf,
  constant,
  decodeValue,
  F32,
  floatType,
  type Graph,
  type Quantizer,
} from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import {
  asDataset,
  calibrationOf,
  compiled,
  expectSound,
  floatInput,
  nodesOf,
  outputOf,
  randomKan,
  rmsDifference,
  runText,
  uniformValues,
  valuesOf,
} from './support.js';

const net = randomKan(1, { layers: [3, 4, 2] });

/** Values that are moderate, but for one far away in every `rarity`. */
const withOutliers = (rarity: number, samples = 1200) => {
  const r = randomOf(5);
  return asDataset(
    3,
    Float32Array.from({ length: 3 * samples }, (_, j) =>
      j % rarity === 0 ? 6 : (r.unit() + r.unit() + r.unit() - 1.5) / 2,
    ),
  );
};
const outliers = withOutliers(500);

const quantized = (options: string, given = outliers, from = net): Graph =>
  compiled(from, `calibrate{data=x},quantize{${options}}`, given);
const quantizers = (graph: Graph): ReadonlyArray<Quantizer> =>
  nodesOf(graph, 'quantize').map((n) => n.op.attrs.quantizer);
const first = (options: string, given = outliers): Quantizer => quantizers(quantized(options, given))[0]!;
const top = (q: Quantizer, feature = 0): number => decodeValue(q, feature, q.levels - 1);

/** Squared error of the inputs of the first layer as they are decoded. */
const inputError = (options: string, given = outliers): number => {
  const x = floatInput(3, given.array.data);
  const codes = valuesOf(quantized(options, given), x).get('layer0_in')!;
  return Array.from(x.data).reduce((sum, v, j) => sum + (v - codes.data[j]!) ** 2, 0);
};

describe('ranges', () => {
  it('of minmax hold all values, those of percentile not the ends', () => {
    expect(top(first('act=4'))).toBe(6);
    expect(top(first('act=4,ranges=percentile,clip=1'))).toBeLessThan(1.6);
    // A tenth of a percent: less than one value in 500.
    expect(top(first('act=4,ranges=percentile'))).toBeGreaterThan(1.6);
    expect(top(first('act=4,ranges=percentile', withOutliers(1300)))).toBeLessThan(1.6);
    expect(quantizers(quantized('act=4,ranges=percentile,clip=0'))).toEqual(quantizers(quantized('act=4')));
  });

  it('of mse leave the least error, against what codes stand for', () => {
    for (const values of ['mean', 'middle']) {
      for (const act of [2, 3, 4]) {
        const error = (ranges: string) => inputError(`act=${act},values=${values},ranges=${ranges}`);
        expect(error('mse')).toBeLessThan(error('minmax'));
        expect(error('mse')).toBeLessThanOrEqual(error('percentile') * 1.02);
      }
    }
  });

  it('of histogram leave less error of the outputs of a layer that only some values matter to', () => {
    // A layer that is 0 but for inputs of -0.5 to 0: its splines of the first intervals only have weights.
    const one = randomKan(4, { layers: [3, 2], base: 'none', grid: 8 });
    const graph: Graph<'float'> = {
      ...one,
      nodes: one.nodes.map((node) => {
        if (node.op.kind !== 'kan') return node;
        const branches = node.op.attrs.branches.map((b) => ({
          ...b,
          weights: constant(
            F32,
            b.weights.shape,
            b.weights.data.map((w: number, e: number) => (Math.floor(e / 2) % 11 === 4 ? w : 0)),
          ),
        }));
        return { ...node, op: { kind: 'kan', attrs: { branches } } };
      }),
    };
    const given = calibrationOf(3, 7, 2000);
    const x = floatInput(3, given.array.data);
    const exact = outputOf(graph, x);
    const error = (options: string) => rmsDifference(outputOf(quantized(options, given, graph), x), exact);
    for (const values of ['mean', 'middle']) {
      expect(error(`act=3,values=${values},ranges=histogram`)).toBeLessThan(
        error(`act=3,values=${values},ranges=mse`) * 0.95,
      );
    }
    expect(error('act=3,quantizer=lloyd,ranges=histogram')).toBeLessThan(
      error('act=3,quantizer=lloyd') * 0.8,
    );
  });

  it('are minmax, and a note says so, where the histogram is too coarse or empty', () => {
    const fine = runText(net, 'calibrate{data=x,bins=64},quantize{act=8,ranges=mse,margin=0}', outliers);
    expect(fine.remarks.join('\n')).toContain('256 levels are finer than the histogram tells apart');
    expect(quantizers(fine.graph)).toEqual(
      quantizers(compiled(net, 'calibrate{data=x,bins=64},quantize{act=8,margin=0}', outliers)),
    );
    for (const ranges of ['mse', 'histogram', 'percentile']) {
      expect(quantizers(compiled(net, `calibrate,quantize{act=4,ranges=${ranges}}`))).toEqual(
        quantizers(compiled(net, 'calibrate,quantize{act=4}')),
      );
    }
  });

  it('of inputs are one for each feature on request', () => {
    const uneven = asDataset(
      3,
      uniformValues(randomOf(3), 500, 3).map((v, j) => v * [1, 0.1, 4][j % 3]!),
    );
    for (const ranges of ['minmax', 'mse']) {
      const q = first(`act=4,inputRanges=feature,ranges=${ranges}`, uneven);
      expect(top(q, 1)).toBeLessThan(0.2);
      expect(top(q, 2)).toBeGreaterThan(3);
    }
    const cells = first('act=4,inputRanges=feature,quantizer=lloyd', uneven);
    expect(top(cells, 1)).toBeLessThan(0.2);
    expect(top(cells, 2)).toBeGreaterThan(3);
  });

  it('around 0 give 0 a code of its own', () => {
    const graph = quantized('act=4,hidden=1,symmetry=symmetric');
    const [inputs, hidden] = quantizers(graph);
    expect(inputs!.levels).toBe(15);
    expect(decodeValue(inputs!, 0, 7)).toBeCloseTo(0, 5);
    expect(decodeValue(inputs!, 0, 0)).toBeCloseTo(-6, 5);
    expect(hidden!.levels).toBe(2);
    for (let f = 0; f < 4; f++)
      expect(decodeValue(hidden!, f, 0)).toBeCloseTo(-decodeValue(hidden!, f, 1), 5);
    const searched = first('act=4,symmetry=symmetric,ranges=mse');
    expect(decodeValue(searched, 0, 7)).toBeCloseTo(0, 5);
    expect(top(searched)).toBeLessThan(6);
  });

  it('that are searched have no margin', () => {
    const of = (margin: number) => quantizers(quantized(`act=3,ranges=mse,margin=${margin}`))[1];
    expect(of(0)).toEqual(of(50));
  });
});

describe('cells of least error', () => {
  it('are thresholds between means, of less error than any range', () => {
    for (const act of [1, 2, 3, 5]) {
      const q = first(`act=${act},quantizer=lloyd`);
      if (q._tag !== 'thresholds') throw new Error('cells are thresholds');
      expect(q.levels).toBe(2 ** act);
      for (let c = 1; c < q.levels; c++) {
        expect(decodeValue(q, 0, c - 1)).toBeLessThan(q.thresholds.data[c - 1]!);
        expect(q.thresholds.data[c - 1]!).toBeLessThanOrEqual(decodeValue(q, 0, c));
      }
      expect(inputError(`act=${act},quantizer=lloyd`)).toBeLessThanOrEqual(
        inputError(`act=${act},ranges=mse`) * 1.001,
      );
    }
  });

  it('are as many as there are different values, and hold those exactly', () => {
    const few = asDataset(
      3,
      Float32Array.from({ length: 300 }, (_, j) => [-1, -1, -1, 0.25, 0.5][j % 5]!),
    );
    const q = first('act=8,quantizer=lloyd', few);
    expect(q.levels).toBe(3);
    const coder = coderOf(q, 0);
    for (const v of [-1, 0.25, 0.5]) expect(decodeValue(q, 0, coder(v))).toBe(v);
    const same = first('act=4,quantizer=lloyd', asDataset(3, new Float32Array(30).fill(-0.7)));
    expect(same.levels).toBe(2);
    expect(decodeValue(same, 0, coderOf(same, 0)(5))).toBe(Math.fround(-0.7));
  });

  it('leave codes without values where features have fewer than others', () => {
    // The second feature is constant.
    const given = asDataset(
      3,
      uniformValues(randomOf(6), 300, 3).map((v, j) => (j % 3 === 1 ? 0.5 : v)),
    );
    const graph = quantized('act=3,quantizer=lloyd,inputRanges=feature', given);
    expectSound(graph);
    const q = quantizers(graph)[0]!;
    expect(q.levels).toBe(8);
    expect(coderOf(q, 1)(1e30)).toBe(0);
    expect(decodeValue(q, 1, 7)).toBe(0.5);
  });

  it('do without what clip cuts off', () => {
    expect(top(first('act=3,quantizer=lloyd'))).toBe(6);
    expect(top(first('act=3,quantizer=lloyd,clip=1'))).toBeLessThan(1.6);
  });

  it('are of the layers that want them', () => {
    const graph = quantized('act=4,layers="layer1.quantizer=lloyd"');
    expect(quantizers(graph).map((q) => q._tag)).toEqual(['uniform', 'thresholds']);
    const back = quantized('act=4,quantizer=lloyd,layers="layer1.quantizer=uniform"');
    expect(quantizers(back).map((q) => q._tag)).toEqual(['thresholds', 'uniform']);
  });

  it('are uniform, and a note says why, without data, over a grid, and where they are too many', () => {
    for (const [text, given, why] of [
      ['calibrate,quantize{act=4,quantizer=lloyd}', undefined, 'there are no calibration data'],
      ['calibrate{data=x},quantize{act=4,quantizer=lloyd,range=extend}', outliers, 'cells follow the data'],
    ] as const) {
      const { graph, remarks } = runText(net, text, given);
      expect(quantizers(graph).map((q) => q._tag)).toEqual(['uniform', 'uniform']);
      expect(remarks.join('\n')).toContain(why);
    }
    const many = runText(
      net,
      'calibrate{data=x,bins=65536},quantize{act=11,quantizer=lloyd}',
      calibrationOf(3, 1, 20000),
    );
    expect(many.remarks.join('\n')).toContain('codes are uniform: that many cells are not sought');
  });

  it('are free, also where all codes were to be aligned', () => {
    const graph = quantized('act=4,align=knots,layers="layer0.quantizer=lloyd"');
    expect(quantizers(graph)[0]!._tag).toBe('thresholds');
  });
});

describe('values side by side', () => {
  /** Two layers, of which one is read through a norm, side by side before a third. */
  const joined = (withNorm: boolean): Graph<'float'> => {
    const layer = (seed: number, inputs: number, outputs: number) =>
      nodesOf(randomKan(seed, { layers: [inputs, outputs] }), 'kan')[0]!.op;
    const b = builder('joined', 'float');
    const x = b.input('x', floatType([3]));
    const left = b.add('left', layer(1, 3, 4), [x]);
    const right = b.add('right', layer(2, 3, 5), [x]);
    const normed = withNorm
      ? b.add('normed', { kind: 'norm', attrs: { over: 'sample', epsilon: 1e-5, scale: 1, shift: 0 } }, [
          right,
        ])
      : right;
    const both = b.add('both', { kind: 'concat', attrs: {} }, [left, normed]);
    return rightOf(b.build([b.add('last', layer(3, 9, 2), [both])]));
  };
  const x = floatInput(3, uniformValues(randomOf(2), 200, 3));

  it('have equally many levels, uniform and not', () => {
    for (const [withNorm, tags] of [
      [false, ['thresholds', 'thresholds', 'thresholds']],
      [true, ['thresholds', 'thresholds', 'uniform']],
    ] as const) {
      const graph = joined(withNorm);
      const made = runText(graph, 'calibrate{data=x},quantize{act=6,quantizer=lloyd}', calibrationOf(3));
      const before = nodesOf(made.graph, 'quantize').filter((n) => n.name !== 'right_code');
      expect(before.filter((n) => n.op.attrs.bits === 6).map((n) => n.op.attrs.quantizer._tag)).toEqual(tags);
      expect(made.remarks.join('\n').includes('the norm before them computes uniform codes')).toBe(withNorm);
      const table = compiled(made.graph, 'tabulate,fold,prune,dedupe,narrow,dce');
      const exact = outputOf(graph, x);
      expect(rmsDifference(outputOf(table, x), exact)).toBeLessThan(0.1);
    }
  });

  it('are free where alignment would give them different levels', () => {
    const { graph, remarks } = runText(
      joined(false),
      'calibrate{data=x},quantize{act=6,align=knots}',
      calibrationOf(3),
    );
    const levels = new Set(
      nodesOf(graph, 'quantize')
        .slice(1)
        .map((n) => n.op.attrs.quantizer.levels),
    );
    expect(levels.size).toBe(1);
    const differ = remarks.join('\n').includes('must have equally many levels');
    expect(differ).toBe([...levels][0] === 64);
    compiled(graph, 'tabulate{form=basis},fold,prune,dedupe,narrow,dce');
  });
});

it('hidden ranges of two bits are better searched than not', () => {
  const x = floatInput(3, uniformValues(randomOf(77), 400, 3));
  const wide = randomKan(6, { layers: [3, 12, 2] });
  const exact = outputOf(wide, x);
  const error = (options: string) =>
    rmsDifference(
      outputOf(
        compiled(
          wide,
          `calibrate{data=x},quantize{act=8,hidden=2,${options}},tabulate,fold`,
          calibrationOf(3, 4, 2000),
        ),
        x,
      ),
      exact,
    );
  const plain = error('ranges=minmax');
  for (const options of ['ranges=mse', 'ranges=histogram', 'quantizer=lloyd'])
    expect(error(options)).toBeLessThan(plain);
});

it('channels of hidden values keep their own steps under every method', () => {
  for (const ranges of ['minmax', 'percentile', 'mse', 'histogram']) {
    const hidden = quantizers(quantized(`act=3,ranges=${ranges}`))[1]!;
    if (hidden._tag !== 'uniform') throw new Error('uniform');
    expect(typeof hidden.step).toBe('object');
    for (let f = 0; f < 4; f++) expect(channel(hidden.step, f)).toBeGreaterThan(0);
  }
});
