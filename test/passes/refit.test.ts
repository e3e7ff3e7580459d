/** `tabulate{data=...}`: tables that are corrected on data, layer by layer, against the float network. */
import { describe, expect, it } from 'vitest';
import { compilePipeline, parseQuant } from '../../src/driver/compile-options.js';
import {
  type Branch,
  builder,
  channel,
  constant,
  F32,
  floatType,
  type Graph,
  printGraph,
  type Tensor,
  type Window,
} from '../../src/ir/index.js';
import { chooseRows, takeCodes, takeRows } from '../../src/passes/refit/rows.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import {
  asDataset,
  compiled,
  expectSound,
  floatInput,
  inputOf,
  knotsOver,
  nodesOf,
  outputOf,
  randomKan,
  rmsDifference,
  runText,
  uniformValues,
  valuesOf,
} from './support.js';

const INPUTS = 6;
const net = randomKan(11, { layers: [INPUTS, 8, 3], bias: true });
const values = uniformValues(randomOf(3), 600, INPUTS);
const data = asDataset(INPUTS, values);
const seen = floatInput(INPUTS, values);
const unseen = floatInput(INPUTS, uniformValues(randomOf(4), 600, INPUTS));

const quantized = (bits: string, given = net): Graph =>
  compiled(given, `calibrate{data=x},quantize{${bits}}`, data);

const tables = (bits: string, options = '', given = net): Graph =>
  compiled(quantized(bits, given), `tabulate{form=edge${options === '' ? '' : `,${options}`}}`, data);

const basisTables = (bits: string, options = ''): Graph =>
  compiled(quantized(bits), `tabulate{form=basis${options === '' ? '' : `,${options}`}}`, data);

const error = (graph: Graph, x = seen, exact = net): number =>
  rmsDifference(outputOf(graph, x), outputOf(exact, x));

describe('refit', () => {
  it.each([
    ['act=2,table=8', 0.99],
    ['act=3,table=4', 0.92],
    ['act=4,hidden=6,table=3', 0.7],
    ['act=6,table=2', 0.7],
  ])('brings outputs closer to the float network, on other data too (%s)', (bits, part) => {
    const [plain, refit] = [tables(bits), tables(bits, 'data=x')];
    expect(error(refit)).toBeLessThan(part * error(plain));
    expect(error(refit, unseen)).toBeLessThan(error(plain, unseen));
  });

  it.each([
    ['act=8,coef=8,basis=2', 0.9],
    ['act=8,coef=4,basis=4', 0.75],
    ['act=6,coef=3,basis=3', 0.65],
  ])('does so with basis tables (%s)', (bits, part) => {
    const [plain, refit] = [basisTables(bits), basisTables(bits, 'data=x')];
    expectSound(refit);
    expect(error(refit, unseen)).toBeLessThan(part * error(plain, unseen));
    // Only coefficients, base weights, biases and scales change.
    const [before, after] = [plain, refit].map((g) => nodesOf(g, 'table.basis')[0]!.op.attrs);
    expect(after!.basis).toEqual(before!.basis);
    expect(after!.baseTable).toEqual(before!.baseTable);
    expect(after!.coefficients.element).toEqual(before!.coefficients.element);
    expect(after!.coefficients.data).not.toEqual(before!.coefficients.data);
    expect(after!.base?.data).not.toEqual(before!.base?.data);
  });

  it('corrects every layer for the codes that the tables before it produce', () => {
    // Only the second layer of each is compared: the first of both is coarse.
    const bits = 'act=3,hidden=8,table=3';
    const outputs = (graph: Graph, name: string) => valuesOf(graph, seen).get(name)!;
    const [plain, refit] = [tables(bits), tables(bits, 'data=x')];
    for (const layer of ['layer0', 'layer1']) {
      const exact = outputs(net, layer);
      expect(rmsDifference(outputs(refit, layer), exact)).toBeLessThan(
        0.95 * rmsDifference(outputs(plain, layer), exact),
      );
    }
  });

  it('leaves no mean error at any output, on the samples that it was given', () => {
    const graph = tables('act=3,table=4', 'data=x,ridge=1');
    const last = nodesOf(graph, 'table.edge')[1]!.op.attrs;
    const [y, exact] = [outputOf(graph, seen), outputOf(net, seen)];
    for (let o = 0; o < 3; o++) {
      let mean = 0;
      for (let n = 0; n < y.batch; n++) mean += (y.data[n * 3 + o]! - exact.data[n * 3 + o]!) / y.batch;
      expect(Math.abs(mean)).toBeLessThanOrEqual(0.51 * channel(last.scale, o));
    }
  });

  it('with an infinite ridge changes no entry, and with refit=bias none but biases', () => {
    const bits = 'act=4,table=16';
    const entries = (graph: Graph) => nodesOf(graph, 'table.edge').map((n) => n.op.attrs.table.data);
    const biases = (graph: Graph) => nodesOf(graph, 'table.edge').map((n) => n.op.attrs.bias?.data);
    expect(entries(tables(bits, 'data=x,ridge=1e30'))).toEqual(entries(tables(bits)));
    expect(entries(tables(bits, 'data=x,ridge=1'))).not.toEqual(entries(tables(bits)));
    const shifted = tables(bits, 'data=x,refit=bias,ridge=1');
    expect(entries(shifted)).toEqual(entries(tables(bits)));
    expect(biases(shifted)).not.toEqual(biases(tables(bits)));
    expect(error(shifted)).toBeLessThan(error(tables(bits)));
  });

  it('gives sound graphs of the bits that were asked for, the same every time', () => {
    const make = (): Graph => tables('act=3,hidden=4,table=3', 'data=x,samples=200');
    const graph = make();
    expectSound(graph);
    for (const { op } of nodesOf(graph, 'table.edge')) {
      expect(op.attrs.table.element).toEqual({ kind: 'int', bits: 3 });
      expect(op.attrs.table.data.every((v: number) => Math.abs(v) <= 3)).toBe(true);
    }
    expect(printGraph(make())).toEqual(printGraph(graph));
  });

  it('takes one scale for all outputs where that is asked for', () => {
    const graph = tables('act=4,table=4', 'data=x,scale=tensor');
    for (const { op } of nodesOf(graph, 'table.edge')) expect(typeof op.attrs.scale).toBe('number');
    const basis = basisTables('act=4,coef=4', 'data=x,coefScale=tensor');
    for (const { op } of nodesOf(basis, 'table.basis')) expect(typeof op.attrs.scale).toBe('number');
  });

  it('needs data of the shape of the input', () => {
    const wrong = asDataset(5, uniformValues(randomOf(1), 20, 5));
    expect(() => runText(quantized('act=4'), 'tabulate{data=x}', wrong)).toThrow(/K0701/);
    expect(() => runText(quantized('act=4'), 'tabulate{data=x}')).toThrow(/K0505.*not loaded/);
  });
});

describe('what a refit says', () => {
  const remarks = (bits: string, text: string, given = data): ReadonlyArray<string> =>
    runText(quantized(bits), text, given).remarks.filter((r) => /refit|correct/.test(r));

  it('how many samples it had, those without NaN, and what it gained on the others', () => {
    const broken = values.slice();
    broken[7] = Number.NaN;
    const said = remarks('act=3,table=3', 'tabulate{form=edge,data=x}', asDataset(INPUTS, broken));
    expect(said[0]).toMatch(/layer0: refit on 450 samples \(ridge [\d.]+\): outputs of 149 others are/);
    const [, after, before] = /are ([\d.]+) off instead of ([\d.]+)/.exec(said[0] ?? '') ?? [];
    expect(Number(after)).toBeLessThan(Number(before));
  });

  it('the error on all samples where the ridge is given', () => {
    expect(remarks('act=4', 'tabulate{form=edge,data=x,ridge=2,samples=300}')[0]).toMatch(
      /layer0: refit on 300 samples: outputs are [\d.]+ off/,
    );
  });

  it('that nothing was better: held out samples decide', () => {
    // Codes and entries so fine that what samples say about them is noise.
    const said = remarks('act=12,table=16', 'tabulate{form=edge,data=x,samples=40}');
    expect(said[1]).toMatch(/layer1: refit on 30 samples \(nothing is better\): outputs of 10 others are/);
  });

  it('that there were too few samples', () => {
    expect(remarks('act=4', 'tabulate{form=basis,data=x,samples=20}')[0]).toMatch(/layer0: not refit/);
  });
});

/** Two layers over windows, the first padded and the second in two groups, and a layer on what they give. */
const convolutional = (): Graph<'float'> => {
  const r = randomOf(21);
  const b = builder('windows', 'float');
  const order = 2;
  const layer = (inputs: number, outputs: number, window?: Window) => {
    const knots = constant(F32, [1, 9], knotsOver(r, 4, order, false));
    const weights = (functions: number) =>
      constant(
        F32,
        [inputs, functions, outputs],
        Float32Array.from({ length: inputs * functions * outputs }, () => (r.unit() - 0.5) / inputs ** 0.5),
      );
    const branches: Branch[] = [
      { basis: { _tag: 'bspline', order, knots }, weights: weights(6) },
      { basis: { _tag: 'base', activation: 'silu' }, weights: weights(1) },
    ];
    return { kind: 'kan' as const, attrs: { branches, ...(window === undefined ? {} : { window }) } };
  };
  const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1] } as const;
  const x = b.input('x', floatType([2, 6, 6]));
  const first = b.add('first', layer(18, 4, { ...window, padding: [1, 1], groups: 1 }), [x]);
  const second = b.add('second', layer(36, 3, { ...window, padding: [0, 0], stride: [2, 2], groups: 2 }), [
    first,
  ]);
  const flat = b.add('flat', { kind: 'reshape', attrs: { shape: [24] } }, [second]);
  return rightOf(b.build([b.add('last', layer(24, 3), [flat])]));
};

describe('refit of layers over windows', () => {
  const images = uniformValues(randomOf(31), 400, 72);
  const exact = convolutional();
  const unseenImages: Tensor = inputOf(exact, asDataset(72, uniformValues(randomOf(32), 200, 72)));

  it.each([
    ['edge', 'act=3,table=4', 0.97],
    ['edge', 'act=6,table=3', 0.75],
    ['basis', 'act=6,coef=4,basis=3', 0.8],
  ])('brings outputs closer to the float network on other data (%s tables, %s)', (form, bits, part) => {
    const given = asDataset(72, images);
    const make = (options: string): Graph =>
      compiled(exact, `calibrate{data=x},quantize{${bits}},tabulate{form=${form}${options}}`, given);
    const [plain, refit] = [make(''), make(',data=x')];
    expectSound(refit);
    expect(error(refit, unseenImages, exact)).toBeLessThan(part * error(plain, unseenImages, exact));
    for (const name of ['first', 'second', 'last']) {
      const of = (graph: Graph) => valuesOf(graph, unseenImages).get(name)!;
      expect(rmsDifference(of(refit), of(exact))).toBeLessThan(rmsDifference(of(plain), of(exact)));
    }
  });

  it('takes rows from all samples and places, and all where there are few', () => {
    const type = floatType([5, 4, 6]);
    const all = chooseRows(type, 3, 1000);
    expect(all.samples.length).toBe(72);
    expect(new Set(Array.from(all.samples, (s, r) => s * 24 + all.places[r]!)).size).toBe(72);
    const some = chooseRows(type, 100, 240);
    expect(some.samples.length).toBe(240);
    expect(new Set(some.samples).size).toBe(100);
    expect(new Set(some.places).size).toBe(24);
  });

  it('reads the codes of a window, of one group, with a code for the padding', () => {
    const window: Window = {
      kernel: [2, 3],
      stride: [2, 1],
      padding: [1, 1],
      dilation: [1, 2],
      groups: 2,
    };
    const shape = [4, 3, 5];
    const codes = Uint8Array.from({ length: 2 * 60 }, (_, k) => k % 60);
    const rows = { samples: Uint32Array.of(1), places: Uint32Array.of(0) };
    // Place 0 starts at (-1, -1): rows -1 and 0, columns -1, 1 and 3; channels 2 and 3 are those of group 1.
    const found = takeCodes(codes, shape, rows, 99, window, 1);
    expect([...found]).toEqual([99, 99, 99, 99, 31, 33, 99, 99, 99, 99, 46, 48]);
    const targets = Float32Array.from({ length: 24 }, (_, k) => k);
    expect([
      ...takeRows(targets, { shape: [3, 2, 2] }, { samples: Uint32Array.of(1), places: Uint32Array.of(2) }),
    ]).toEqual([14, 18, 22]);
  });
});

describe('kanc compile', () => {
  const tabulate = (quant: string, form?: 'edge' | 'basis'): string => {
    const options = { calib: 'c.npy', quant: rightOf(parseQuant(quant)) };
    const text = rightOf(compilePipeline(form === undefined ? options : { ...options, form }));
    return /tabulate[^,]*(?:,data[^,]*)?/.exec(text)?.[0] ?? '';
  };

  it('refits where few bits are asked for, of all layers or of one', () => {
    const few = ['table=4', 'act=6,table=2', 'act=4', 'hidden=3', 'coef=5', 'basis=3', 'layer1.table=3'];
    for (const bits of few) expect(tabulate(bits)).toMatch(/data=c\.npy/);
    const many = ['table=5', 'act=5', 'act=auto', 'coef=6', 'basis=4', 'layer1.form=edge'];
    for (const bits of many) expect(tabulate(bits)).not.toMatch(/data/);
    expect(tabulate('coef=4', 'basis')).toBe('tabulate{form=basis,data=c.npy}');
    expect(tabulate('coef=8', 'basis')).toBe('tabulate{form=basis}');
  });
});
