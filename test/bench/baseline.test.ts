/** The float baseline computes what the interpreter computes: on all shipped networks, and op by op on random ones. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { compileBaseline } from '../../bench/baseline/index.js';
import { ACTIVATION_CODE } from '../../bench/baseline/math.js';
import { importOptionsOf, MODELS, samplesOf, sourceOfModel } from '../../bench/models.js';
import { importSource } from '../../src/importers/index.js';
import {
  type Basis,
  type Branch,
  builder,
  constant,
  F32,
  floatType,
  functionCount,
  type Graph,
  interpret,
  type KanAttrs,
  type Op,
  sizeOf,
  uint,
  type Window,
} from '../../src/ir/index.js';
import type { Activation } from '../../src/numeric/activations.js';
import { rightOf } from '../support/checked.js';
import { activations as activationNames } from '../support/layers.js';
import { type Random, randomOf } from '../support/random.js';

/** The largest difference, as a share of the largest output. */
const difference = async (graph: Graph, input: Float32Array, batch: number): Promise<number> => {
  const baseline = await compileBaseline(graph);
  if (E.isLeft(baseline)) throw new Error(baseline.left);
  const predict = await baseline.right.load();
  const got = predict(input, batch);
  const [want] = rightOf(interpret(graph, [{ type: graph.inputs[0]!.type, batch, data: input }]));
  const expected = Float64Array.from(want!.data);
  expect(got.length).toBe(expected.length);
  const largest = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return got.reduce((m, v, j) => Math.max(m, Math.abs(v - expected[j]!)), 0) / largest;
};

describe('shipped networks', () => {
  const floats = MODELS.filter((m) => m.calibration !== undefined);
  it.each(floats.map((m) => [m.name, m] as const))('%s', async (_, model) => {
    const { graph } = rightOf(importSource(sourceOfModel(model), importOptionsOf(model)));
    // A whole tile of samples where there are tiles, and a rest.
    const batch = graph.nodes.some(({ op }) => op.kind === 'kan' && op.attrs.window !== undefined) ? 3 : 19;
    const worst = await difference(graph, samplesOf(model, batch).floats, batch);
    expect(worst).toBeLessThan(1e-5);
  });
});

/** Moderate numbers, as trained weights and normalised inputs are. */
const some = (r: Random, length: number, size = 1): Float32Array =>
  Float32Array.from({ length }, () => (2 * r.unit() - 1) * size);

const weightsOf = (r: Random, inputs: number, functions: number, outputs: number) =>
  constant(F32, [inputs, functions, outputs], some(r, inputs * functions * outputs));

const branchOf = (r: Random, basis: Basis, inputs: number, outputs: number): Branch => ({
  basis,
  weights: weightsOf(r, inputs, functionCount(basis), outputs),
});

/** Knots over about [-1.5, 1.5], so that some inputs lie outside; equal or not, one row or one for each input. */
const spline = (r: Random, order: number, rows: number, uniform: boolean): Basis => {
  const count = 2 * order + 6;
  const knots = Float32Array.from({ length: rows * count }, (_, j) => {
    const k = j % count;
    return (3 * k) / (count - 1) - 1.5 + (uniform ? 0 : 0.2 * r.unit());
  });
  return { _tag: 'bspline', order, knots: constant(F32, [rows, count], knots) };
};

/** A graph of one op, or of those that `more` adds behind a layer. */
const graphOf = (shape: ReadonlyArray<number>, ops: ReadonlyArray<Op>): Graph => {
  const b = builder('net', 'float');
  let value = b.input('x', floatType(shape));
  for (const op of ops) value = b.add('v', op, [value]);
  return rightOf(b.build([value]));
};

const check = async (r: Random, graph: Graph, limit = 1e-5): Promise<void> => {
  const batch = 3;
  const size = sizeOf(graph.inputs[0]!.type);
  expect(await difference(graph, some(r, batch * size, 2), batch)).toBeLessThan(limit);
};

const kanOp = (branches: ReadonlyArray<Branch>, more: Partial<KanAttrs> = {}): Op => ({
  kind: 'kan',
  attrs: { branches, ...more },
});

describe('bases', () => {
  const base = (activation: Activation): Basis => ({ _tag: 'base', activation });
  const r = randomOf(1);
  it.each([1, 2, 3, 4, 5])('B-splines of order %i on equal knots', async (order) => {
    await check(r, graphOf([7], [kanOp([branchOf(r, spline(r, order, 1, true), 7, 5)])]));
  });
  it.each([0, 1, 2, 3])('B-splines of order %i on knots that differ', async (order) => {
    for (const rows of [1, 7]) {
      await check(r, graphOf([7], [kanOp([branchOf(r, spline(r, order, rows, false), 7, 9)])]));
    }
  });
  it.each(activationNames.filter((a) => ACTIVATION_CODE[a] !== undefined))('%s', async (activation) => {
    if (activation === 'zero') return;
    await check(r, graphOf([6], [kanOp([branchOf(r, base(activation), 6, 4)])]));
  });
  it.each(['chebyshev', 'legendre', 'gram'] as const)('%s polynomials', async (family) => {
    const beta = family === 'gram' ? { beta: constant(F32, [5], some(r, 5, 0.5)) } : {};
    for (const outer of ['identity', 'silu'] as const) {
      const basis: Basis = { _tag: 'polynomial', family, degree: 4, squash: 'tanh', outer, ...beta };
      await check(r, graphOf([9], [kanOp([branchOf(r, basis, 9, 33)])]));
    }
  });
  it('Gaussians beside a base branch that reads other inputs', async () => {
    const rbf: Basis = { _tag: 'rbf', centers: constant(F32, [8], some(r, 8, 2)), width: 0.6 };
    const branches = [branchOf(r, rbf, 5, 70), { ...branchOf(r, base('silu'), 4, 70), from: 5 }];
    await check(r, graphOf([9], [kanOp(branches, { bias: constant(F32, [70], some(r, 70)) })]));
  });
  it('symbolic functions that differ between inputs', async () => {
    const functions = ['sin', 'cos', 'exp', 'x^3', 'gaussian', 'tanh', 'abs', 'x^2'] as const;
    const kinds = constant(
      uint(8),
      [5, 2],
      Uint8Array.from({ length: 10 }, (_, j) => j % functions.length),
    );
    const basis: Basis = { _tag: 'symbolic', functions, kinds, inner: constant(F32, [5, 2, 2], some(r, 20)) };
    await check(r, graphOf([5], [kanOp([branchOf(r, basis, 5, 3), branchOf(r, base('silu'), 5, 3)])]));
  });
  it('tells what it has no code for', async () => {
    const graph = graphOf([3], [kanOp([branchOf(r, base('mish'), 3, 2)])]);
    expect(await compileBaseline(graph)).toEqual(
      E.left(expect.stringContaining('no vector code for a base')),
    );
  });
});

describe('images', () => {
  const r = randomOf(2);
  const square = (size: number, more: Partial<Window> = {}): Window => ({
    kernel: [size, size],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
    groups: 1,
    ...more,
  });
  const layer = (inputs: number, outputs: number, window: Window): Op =>
    kanOp(
      [
        branchOf(r, spline(r, 3, 1, true), inputs, outputs / window.groups),
        branchOf(r, { _tag: 'base', activation: 'gelu' }, inputs, outputs / window.groups),
      ],
      { window },
    );
  const norm = (over: 'sample' | 'channel', channels: number): Op => ({
    kind: 'norm',
    attrs: {
      over,
      epsilon: 1e-5,
      scale: constant(F32, [channels], some(r, channels)),
      shift: constant(F32, [channels], some(r, channels)),
    },
  });
  const prelu = (channels: number): Op => ({
    kind: 'activate',
    attrs: { function: { _tag: 'prelu', slope: constant(F32, [channels], some(r, channels)) } },
  });

  it('layers over windows with padding, strides, dilation and groups', async () => {
    await check(r, graphOf([3, 6, 5], [layer(27, 10, square(3, { padding: [1, 1], stride: [2, 1] }))]));
    await check(r, graphOf([1, 8, 8], [layer(9, 8, square(3, { dilation: [2, 2] }))]));
    await check(r, graphOf([6, 4, 4], [layer(24, 8, square(2, { groups: 2 }))]));
    // Corners hold no pixel at all.
    await check(r, graphOf([2, 4, 4], [layer(2, 3, square(1, { padding: [1, 1] }))]));
  });
  it('affine maps and activations behind them', async () => {
    const affine: Op = {
      kind: 'affine',
      attrs: { scale: constant(F32, [5], some(r, 5)), shift: 0.25 },
    };
    await check(r, graphOf([3, 4, 4], [layer(27, 5, square(3)), affine, prelu(5)]));
    await check(r, graphOf([5, 3, 3], [affine, prelu(5)]));
  });
  it('norms', async () => {
    for (const shape of [
      [6, 5, 5],
      [8, 3, 3],
      [1, 5, 5],
    ]) {
      await check(r, graphOf(shape, [norm('channel', shape[0]!)]));
    }
    for (const shape of [[8, 3, 3], [1, 5, 5], [13], [64]]) {
      await check(r, graphOf(shape, [norm('sample', shape[0]!)]));
    }
  });
  it('pooling, and an image as features', async () => {
    for (const reduce of ['mean', 'max'] as const) {
      const pool: Op = {
        kind: 'pool',
        attrs: { reduce, window: square(3, { padding: [1, 1], stride: [2, 2] }) },
      };
      await check(r, graphOf([5, 6, 6], [pool, { kind: 'reshape', attrs: { shape: [45] } }]));
    }
  });
  it('picked channels', async () => {
    const indices = constant(uint(8), [3], Uint8Array.of(4, 0, 4));
    await check(r, graphOf([5, 2, 2], [{ kind: 'gather', attrs: { indices } }]));
  });
});
