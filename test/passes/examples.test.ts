/** End to end on the shipped models, through the interpreter: accuracy stays where the float networks have it. */
import { describe, expect, it } from 'vitest';
import type { Graph, Tensor } from '../../src/ir/index.js';
import { compiled, dataset, hits, inputOf, model, outputOf, readArray } from './support.js';

const TAIL = 'fold,prune,dedupe,narrow,dce';
const pipeline = (quantize = '', form = 'auto'): string =>
  `calibrate{data=x},quantize${quantize},tabulate{form=${form}},${TAIL}`;

const integersOnly = (graph: Graph): boolean =>
  graph.nodes.every(({ op }, k) => op.kind !== 'dequantize' || k === graph.nodes.length - 1);

describe('fashion, u8 pixels', () => {
  const net = model('efficient-kan-fashion');
  const calibration = dataset('fashion-mnist/calib_images.npy');
  const images = dataset('fashion-mnist/test_images.npy');
  const labels = readArray('data/fashion-mnist/test_labels.npy').data;
  const accuracy = (graph: Graph): number => hits(outputOf(graph, inputOf(graph, images)), labels) / 20;
  const pixels = (rest: string): Graph =>
    compiled(net, `input{dtype=u8,mean=0.5,std=0.5},${rest}`, calibration);

  it('default: edge tables, integers from pixel to logit, at least 86.2% (float 86.7%)', () => {
    const graph = pixels(pipeline());
    expect(graph.nodes.map((n) => n.op.kind)).toEqual(
      expect.arrayContaining(['recode', 'table.edge', 'requantize', 'dequantize']),
    );
    expect(integersOnly(graph)).toBe(true);
    expect(accuracy(graph)).toBeGreaterThanOrEqual(86.2);
  });

  it('basis tables: at least 86.2%', () => {
    expect(accuracy(pixels(pipeline('', 'basis')))).toBeGreaterThanOrEqual(86.2);
  });

  it('activations of 3 bits: at least 85.5%, because cells hold means', () => {
    expect(accuracy(pixels(pipeline('{act=3,hidden=8}', 'edge')))).toBeGreaterThanOrEqual(85.5);
  });
});

describe('fashion, low bits with refit (float 86.7%)', () => {
  const net = model('efficient-kan-fashion');
  const calibration = dataset('fashion-mnist/calib_images.npy');
  const images = dataset('fashion-mnist/test_images.npy');
  const labels = readArray('data/fashion-mnist/test_labels.npy').data;
  const observed = compiled(net, 'input{dtype=u8,mean=0.5,std=0.5},calibrate{data=x}', calibration);

  it.each([
    ['act=4,hidden=6,table=4', 0.3],
    ['act=3,hidden=8,table=8', 0.3],
    ['act=2,hidden=8,table=8', 2.5],
    ['act=6,hidden=8,table=3', 1],
    ['act=3,hidden=4,table=4', 1],
  ])('%s loses at most %d points', { timeout: 120_000 }, (bits, points) => {
    const graph = compiled(observed, `quantize{${bits}},tabulate{form=edge,data=x},${TAIL}`, calibration);
    const found = hits(outputOf(graph, inputOf(graph, images)), labels);
    expect(found).toBeGreaterThanOrEqual(1734 - 20 * points);
  });
});

describe.each([
  { name: 'efficient-kan-digits', data: 'digits', slack: 0.005 },
  { name: 'efficient-kan-digits-adaptive-grid', data: 'digits', slack: 0.005 },
  { name: 'efficient-kan-wine', data: 'wine', slack: 1 / 72 },
])('$name', ({ name, data, slack }) => {
  const net = model(name);
  const calibration = dataset(`${data}/calib_inputs.npy`);
  const test = inputOf(net, dataset(`${data}/test_inputs.npy`));
  const labels = readArray(`data/${data}/test_labels.npy`).data;
  const exact = hits(outputOf(net, test), labels);

  it.each(['edge', 'basis'])('%s tables lose at most what is allowed', (form) => {
    const graph = compiled(net, pipeline('', form), calibration);
    expect(graph.nodes.some((n) => n.op.kind === `table.${form}`)).toBe(true);
    const found = hits(outputOf(graph, test), labels);
    expect(exact - found).toBeLessThanOrEqual(slack * test.batch + 1e-9);
  });
});

describe('regression', () => {
  const net = model('efficient-kan-regression');
  const calibration = dataset('regression/calib_inputs.npy');
  const targets = readArray('data/regression/test_targets.npy').data;
  const rmse = (graph: Graph): number => {
    const y: Tensor = outputOf(graph, inputOf(graph, dataset('regression/test_inputs.npy')));
    let sum = 0;
    for (let j = 0; j < y.batch; j++) sum += (y.data[j]! - targets[j]!) ** 2;
    return Math.sqrt(sum / y.batch);
  };

  it.each([
    ['edge', '{act=14,table=16}'],
    ['basis', '{act=14,coef=16,basis=16}'],
  ])('%s tables with fine codes are within 5% of the float error', (form, bits) => {
    expect(rmse(compiled(net, pipeline(bits, form), calibration))).toBeLessThanOrEqual(1.05 * rmse(net));
  });

  it('at 8 bits the error is that of 8-bit codes', () => {
    expect(rmse(compiled(net, pipeline(), calibration))).toBeLessThan(0.03);
  });
});
