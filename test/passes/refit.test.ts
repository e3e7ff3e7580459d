/** `tabulate{data=...}`: tables that are corrected on data, layer by layer, against the float network. */
import { describe, expect, it } from 'vitest';
import { compilePipeline, parseQuant } from '../../src/driver/compile-options.js';
import { channel, type Graph, printGraph } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import {
  asDataset,
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

const error = (graph: Graph, x = seen): number => rmsDifference(outputOf(graph, x), outputOf(net, x));

describe('refit', () => {
  it.each([
    ['act=2,table=8', 0.98],
    ['act=3,table=4', 0.92],
    ['act=4,hidden=6,table=3', 0.7],
    ['act=6,table=2', 0.7],
  ])('brings outputs closer to the float network, on other data too (%s)', (bits, part) => {
    const [plain, refit] = [tables(bits), tables(bits, 'data=x')];
    expect(error(refit)).toBeLessThan(part * error(plain));
    expect(error(refit, unseen)).toBeLessThan(error(plain, unseen));
  });

  it('corrects every layer for the codes that the tables before it produce', () => {
    // Only the second layer of each is compared: the first of both is coarse.
    const bits = 'act=3,hidden=8,table=3';
    const outputs = (graph: Graph, name: string) => valuesOf(graph, seen).get(name)!;
    const [plain, refit] = [tables(bits), tables(bits, 'data=x')];
    for (const layer of ['layer0', 'layer1']) {
      const exact = outputs(net, layer);
      expect(rmsDifference(outputs(refit, layer), exact)).toBeLessThan(
        0.9 * rmsDifference(outputs(plain, layer), exact),
      );
    }
  });

  it('leaves no mean error at any output', () => {
    const graph = tables('act=3,table=4', 'data=x');
    const last = nodesOf(graph, 'table.edge')[1]!.op.attrs;
    const [y, exact] = [outputOf(graph, seen), outputOf(net, seen)];
    for (let o = 0; o < 3; o++) {
      let mean = 0;
      for (let n = 0; n < y.batch; n++) mean += (y.data[n * 3 + o]! - exact.data[n * 3 + o]!) / y.batch;
      expect(Math.abs(mean)).toBeLessThanOrEqual(0.51 * channel(last.scale, o));
    }
  });

  it('with an infinite ridge changes no entry', () => {
    const bits = 'act=4,table=16';
    const entries = (graph: Graph) => nodesOf(graph, 'table.edge').map((n) => n.op.attrs.table.data);
    expect(entries(tables(bits, 'data=x,ridge=1e30,round=nearest'))).toEqual(entries(tables(bits)));
    expect(entries(tables(bits, 'data=x,round=nearest'))).not.toEqual(entries(tables(bits)));
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
  });

  it('says on how many samples, which are those without NaN, and what it did not do', () => {
    const broken = values.slice();
    broken[7] = Number.NaN;
    const text = (form: string): string => `tabulate{form=${form},data=x,samples=4000}`;
    const remarks = (form: string): ReadonlyArray<string> =>
      runText(quantized('act=4'), text(form), asDataset(INPUTS, broken)).remarks;
    expect(remarks('edge')).toContainEqual(
      expect.stringMatching(/layer0: refit on 599 samples: outputs are/),
    );
    expect(remarks('basis')).toContainEqual(expect.stringMatching(/layer1: basis tables are not refit/));
  });

  it('needs data of the shape of the input', () => {
    const wrong = asDataset(5, uniformValues(randomOf(1), 20, 5));
    expect(() => runText(quantized('act=4'), 'tabulate{data=x}', wrong)).toThrow(/K0701/);
    expect(() => runText(quantized('act=4'), 'tabulate{data=x}')).toThrow(/K0505.*not loaded/);
  });
});

describe('kanc compile', () => {
  const tabulate = (quant: string, form?: 'edge' | 'basis'): string => {
    const options = { calib: 'c.npy', quant: rightOf(parseQuant(quant)) };
    const text = rightOf(compilePipeline(form === undefined ? options : { ...options, form }));
    return /tabulate[^,]*(?:,data[^,]*)?/.exec(text)?.[0] ?? '';
  };

  it('refits where tables of 3 bits or fewer are asked for, and not for basis tables alone', () => {
    for (const few of ['table=3', 'act=6,table=2']) expect(tabulate(few)).toBe('tabulate{data=c.npy}');
    for (const many of ['table=4', 'act=2', 'coef=3', 'act=auto']) expect(tabulate(many)).toBe('tabulate');
    expect(tabulate('table=3', 'basis')).toBe('tabulate{form=basis}');
  });
});
