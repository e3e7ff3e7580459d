/**
 * efficient-kan: per layer `<prefix>layers.<l>.` with `grid` [I, G+2p+1], `base_weight` [O, I],
 * `spline_weight` [O, I, K] and `spline_scaler` [O, I] (absent when it was switched off).
 *
 *   y_o = sum_i base_weight[o,i] * act(x_i) + sum_i sum_k spline_weight[o,i,k] * spline_scaler[o,i] * B_k(x_i)
 *
 * Rows of `grid` differ per input after a grid update, and need not be uniform; one row is for all inputs. The activation is not stored.
 */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail } from '../../diagnostics/index.js';
import type { Branch } from '../../ir/basis.js';
import { builder } from '../../ir/builder.js';
import { type Constant, constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import { floatType } from '../../ir/types.js';
import type { Activation } from '../../numeric/activations.js';
import type { FileTensor, TensorFile } from '../containers/tensor.js';
import type { Family, ImportOptions, Reading } from '../family.js';
import { splineBasis } from '../knots.js';
import { hasMarks, type Marks, onlyNetwork } from '../numbered-layers.js';
import { activationOf, assumedActivation } from '../options.js';
import { finiteTensor } from '../tensors.js';
import { linearWeights } from '../weights.js';

const MARKS: Marks = {
  family: 'efficient-kan',
  key: /^(.*)layers\.(\d+)\.(grid|base_weight|spline_weight|spline_scaler)$/s,
  parts: { grid: 2, base_weight: 2, spline_weight: 3 },
};

export const efficientKan: Family = {
  name: 'efficient-kan',
  recognises: (file) => hasMarks(file, MARKS),
  read: (file, options) => read(file, options),
};

const read = (file: TensorFile, options: ImportOptions): Checked<Reading> => {
  const base = activationOf(options, 'silu');
  if (E.isLeft(base)) return base;
  const activation = base.right;
  const network = onlyNetwork(file, options, MARKS);
  if (E.isLeft(network)) return network;
  const { prefix, count } = network.right;
  const layers: Layer[] = [];
  for (let l = 0; l < count; l++) {
    const layer = readLayer(file, `${prefix}layers.${l}.`, activation);
    if (E.isLeft(layer)) return layer;
    const before = layers.at(-1);
    if (before !== undefined && before.outputs !== layer.right.inputs) {
      return fail(
        'K0203',
        `layer ${l} takes ${layer.right.inputs} inputs, but the layer before it has ${before.outputs} outputs`,
        {
          place: { tensor: `${prefix}layers.${l}.spline_weight` },
        },
      );
    }
    layers.push(layer.right);
  }
  const b = builder(options.name ?? 'model', 'float');
  let value = b.input('x', floatType([layers[0]?.inputs ?? 0]));
  for (const [l, { branches }] of layers.entries()) {
    value = b.add(`layer${l}`, { kind: 'kan', attrs: { branches } }, [value]);
  }
  return E.map((graph: Reading['graph']) => ({
    graph,
    assumptions: assumedActivation(options, activation),
  }))(b.build([value]));
};

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly branches: ReadonlyArray<Branch>;
}

const readLayer = (file: TensorFile, prefix: string, activation: Activation): Checked<Layer> => {
  const spline = finiteTensor(file, `${prefix}spline_weight`, 3);
  if (E.isLeft(spline)) return spline;
  const [outputs, inputs, functions] = [
    spline.right.shape[0]!,
    spline.right.shape[1]!,
    spline.right.shape[2]!,
  ];
  const grid = readGrid(file, `${prefix}grid`, inputs);
  if (E.isLeft(grid)) return grid;
  const base = finiteTensor(file, `${prefix}base_weight`, 2, [outputs, inputs]);
  if (E.isLeft(base)) return base;
  const scaler = file.tensors.has(`${prefix}spline_scaler`)
    ? finiteTensor(file, `${prefix}spline_scaler`, 2, [outputs, inputs])
    : E.right(undefined);
  if (E.isLeft(scaler)) return scaler;

  const basis = at({ tensor: `${prefix}grid` })(splineBasis(grid.right, functions, 'nan'));
  if (E.isLeft(basis)) return basis;
  return E.right({
    inputs,
    outputs,
    branches: [
      { basis: basis.right, weights: splineWeights(spline.right, scaler.right) },
      { basis: { _tag: 'base', activation }, weights: linearWeights(base.right) },
    ],
  });
};

/** A row of knots for each input, or one row for all, as [n] or [1, n]: some copies of the library keep that. */
const readGrid = (file: TensorFile, name: string, inputs: number): Checked<FileTensor> => {
  const shape = file.tensors.get(name)?.shape ?? [];
  if (shape.length !== 1) return finiteTensor(file, name, 2, [shape[0] === 1 ? 1 : inputs, undefined]);
  return E.map((grid: FileTensor): FileTensor => ({ ...grid, data: grid.data, shape: [1, ...grid.shape] }))(
    finiteTensor(file, name, 1),
  );
};

/** f32[I, K, O] from [O, I, K], scaled by [O, I] in f32 as the library does. */
const splineWeights = (weight: FileTensor, scaler: FileTensor | undefined): Constant => {
  const [O, I, K] = [weight.shape[0]!, weight.shape[1]!, weight.shape[2]!];
  const data = new Float32Array(I * K * O);
  for (let o = 0; o < O; o++) {
    for (let i = 0; i < I; i++) {
      const s = scaler?.data[o * I + i] ?? 1;
      for (let k = 0; k < K; k++) data[(i * K + k) * O + o] = weight.data[(o * I + i) * K + k]! * s;
    }
  }
  return constant(F32, [I, K, O], data);
};
