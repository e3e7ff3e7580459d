/** Norms and base branches where scales are extreme: what is compiled stays the function it was. */
import { describe, expect, it } from 'vitest';
import { builder, constant, F32, floatType, type Graph, type Tensor } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import { asDataset, compiled, outputOf, randomKan, uniformValues } from './support.js';

const CHANNELS = 4;
const SIDE = 6;

/** scale * x, instance or layer norm, and the result as it is. */
const normed = (over: 'sample' | 'channel', scales: ReadonlyArray<number>): Graph<'float'> => {
  const b = builder('norm', 'float');
  const x = b.input('x', floatType([CHANNELS, SIDE, SIDE]));
  const weights = constant(
    F32,
    [CHANNELS, 1, CHANNELS],
    Float32Array.from({ length: CHANNELS * CHANNELS }, (_, e) =>
      Math.floor(e / CHANNELS) === e % CHANNELS ? scales[e % CHANNELS]! : 0,
    ),
  );
  const window = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  const basis = { _tag: 'base', activation: 'identity' } as const;
  const y = b.add('y', { kind: 'kan', attrs: { branches: [{ basis, weights }], window } }, [x]);
  const z = b.add('z', { kind: 'norm', attrs: { over, epsilon: 1e-5, scale: 1, shift: 0 } }, [y]);
  return rightOf(b.build([z]));
};

const inputs = (samples: number): Tensor => ({
  type: floatType([CHANNELS, SIDE, SIDE]),
  batch: samples,
  data: Float32Array.from(uniformValues(randomOf(5), samples, CHANNELS * SIDE * SIDE)),
});

/** Root mean square of the difference for each channel, and the largest magnitude of the float result. */
const differences = (over: 'sample' | 'channel', scales: ReadonlyArray<number>) => {
  const graph = normed(over, scales);
  const x = inputs(40);
  const table = compiled(
    graph,
    'calibrate{data=x},quantize{act=10},tabulate,fold,prune,dedupe,narrow,dce',
    asDataset(CHANNELS * SIDE * SIDE, [...x.data]),
  );
  const [a, b] = [outputOf(graph, x).data, outputOf(table, x).data];
  const squares = new Float64Array(CHANNELS);
  let largest = 0;
  for (let j = 0; j < a.length; j++) {
    const c = Math.floor(j / (SIDE * SIDE)) % CHANNELS;
    squares[c]! += (a[j]! - b[j]!) ** 2;
    largest = Math.max(largest, Math.abs(a[j]!));
  }
  return { rms: [...squares].map((s) => Math.sqrt(s / (a.length / CHANNELS))), largest };
};

describe('instance norms', () => {
  it('keep channels apart: one that is ten thousand times smaller is as exact as the others', () => {
    const { rms } = differences('channel', [1e-2, 100, 1, 30]);
    for (const error of rms) expect(error).toBeLessThan(0.03);
  });
});

describe.each(['sample', 'channel'] as const)('norms over the %s of very small values', (over) => {
  it('leave them to epsilon, and do not blow them up', () => {
    const { rms, largest } = differences(over, [1e-7, 1e-7, 1e-7, 1e-7]);
    expect(largest).toBeLessThan(1e-3);
    for (const error of rms) expect(error).toBeLessThan(1e-3);
  });
});

describe('basis tables', () => {
  it('with more bits are never worse, though the base branch shares their unit', () => {
    const net = randomKan(3, { layers: [2, 3] });
    const data = uniformValues(randomOf(8), 400, 2).map((v) => v * 6);
    const x: Tensor = { type: floatType([2]), batch: 400, data: Float32Array.from(data) };
    const float = outputOf(net, x).data;
    const error = (basis: number): number => {
      const text = `calibrate{data=x},quantize{act=12,coef=16,basis=${basis},values=middle},tabulate{form=basis}`;
      const out = outputOf(compiled(net, text, asDataset(2, [...data])), x).data;
      let squares = 0;
      for (let j = 0; j < out.length; j++) squares += (out[j]! - float[j]!) ** 2;
      return Math.sqrt(squares / out.length);
    };
    const coarse = error(8);
    for (const bits of [12, 14, 16]) expect(error(bits)).toBeLessThan(2 * coarse + 1e-6);
  });
});
