/**
 * fast-kan: per layer `<prefix>layers.<l>.` with `rbf.grid` [M], `spline_linear.weight` [O, I * M],
 * `layernorm.weight` and `.bias` [I] (absent when it was switched off), `base_linear.weight` [O, I] and `.bias`
 * [O] (absent likewise).
 *
 *   y = spline_linear( exp(-((LN(x_i) - grid_m) / d)^2) ) + base_linear(act(x)),  d = (grid_{M-1} - grid_0) / (M - 1)
 *
 * The base branch sees x and not LN(x), so a layer takes both side by side. d, the epsilon of the layer norm (1e-5,
 * that of torch) and the activation are not stored.
 *
 * faster-kan has the same names, no base branch, and `rbf.inv_denominator` [] (not in its first versions):
 *
 *   y = spline_linear( 1 - tanh((LN(x_i) - grid_m) / d)^2 ),  d = 1
 *
 * Its code multiplies by inv_denominator and then takes the tanh of what was not multiplied.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Branch, RadialBasis, RadialKernel } from '../../ir/basis.js';
import { type Builder, builder } from '../../ir/builder.js';
import { type Constant, constant, type PerChannel, perChannel } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { Graph, ValueName } from '../../ir/graph.js';
import { floatType } from '../../ir/types.js';
import type { Activation } from '../../numeric/activations.js';
import type { FileTensor, TensorFile } from '../containers/tensor.js';
import type { Assumption, Family, ImportOptions, Reading } from '../family.js';
import { hasMarks, type Marks, onlyNetwork } from '../numbered-layers.js';
import { activationOf, assumedActivation, assumedEpsilon, distinct, epsilonOf } from '../options.js';
import { finiteTensor } from '../tensors.js';
import { expandedWeights, linearWeights } from '../weights.js';
import { readRadial } from './radial.js';

const MARKS: Marks = {
  family: 'fast-kan',
  key: /^(.*)layers\.(\d+)\.(rbf\.(?:grid|inv_denominator)|spline_linear\.weight|base_linear\.(?:weight|bias)|layernorm\.(?:weight|bias))$/s,
  parts: { 'rbf.grid': 1, 'spline_linear.weight': 2 },
};

const hasInverse = (file: TensorFile): boolean =>
  [...file.tensors.keys()].some((name) => /(?:^|\.)layers\.0\.rbf\.inv_denominator$/.test(name));

export const fastKan: Family = {
  name: 'fast-kan',
  recognises: (file) => hasMarks(file, MARKS) && !hasInverse(file),
  read: (file, options) => read(file, options, 'gaussian'),
};

export const fasterKan: Family = {
  name: 'faster-kan',
  recognises: (file) => hasMarks(file, MARKS) && hasInverse(file),
  read: (file, options) => read(file, options, 'reflectional-switch'),
};

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly radial: RadialBasis;
  readonly weights: Constant;
  readonly norm?: { readonly scale: PerChannel; readonly shift: PerChannel };
  readonly base?: Constant;
  readonly bias?: Constant;
  readonly assumptions: ReadonlyArray<Assumption>;
}

const read = (file: TensorFile, options: ImportOptions, usual: RadialKernel): Checked<Reading> => {
  const found = onlyNetwork(file, options, MARKS);
  if (E.isLeft(found)) return found;
  const layers: Layer[] = [];
  for (let l = 0; l < found.right.count; l++) {
    const prefix = `${found.right.prefix}layers.${l}.`;
    const layer = readLayer(file, prefix, options, usual);
    if (E.isLeft(layer)) return layer;
    const before = layers.at(-1);
    if (before !== undefined && before.outputs !== layer.right.inputs) {
      return fail(
        'K0203',
        `layer ${l} takes ${layer.right.inputs} inputs, but the layer before it has ${before.outputs} outputs`,
        { place: { tensor: `${prefix}spline_linear.weight` } },
      );
    }
    layers.push(layer.right);
  }
  return graphOf(layers, options);
};

const graphOf = (layers: ReadonlyArray<Layer>, options: ImportOptions): Checked<Reading> => {
  const withBase = layers.some((layer) => layer.base !== undefined);
  const activation = withBase ? activationOf(options, 'silu') : E.right('silu' as const);
  if (E.isLeft(activation)) return activation;
  const withNorm = layers.some((layer) => layer.norm !== undefined);
  const epsilon = withNorm ? epsilonOf(options) : E.right(0);
  if (E.isLeft(epsilon)) return epsilon;
  const b = builder(options.name ?? 'model', 'float');
  let value = b.input('x', floatType([layers[0]?.inputs ?? 0]));
  for (const [l, layer] of layers.entries()) {
    value = addLayer(b, l, layer, value, activation.right, epsilon.right);
  }
  return E.map(
    (graph: Graph): Reading => ({
      graph,
      assumptions: distinct([
        ...(withBase ? assumedActivation(options, activation.right) : []),
        ...layers.flatMap(({ assumptions }) => assumptions),
        ...(withNorm ? assumedEpsilon(options) : []),
      ]),
    }),
  )(b.build([value]));
};

const addLayer = (
  b: Builder<'float'>,
  l: number,
  layer: Layer,
  x: ValueName,
  activation: Activation,
  epsilon: number,
): ValueName => {
  const { norm, base, inputs } = layer;
  const radial: Branch = { basis: layer.radial, weights: layer.weights };
  let operand = x;
  if (norm !== undefined) {
    const attrs = { over: 'sample', epsilon, ...norm } as const;
    operand = b.add(`norm${l}`, { kind: 'norm', attrs }, [x]);
  }
  // What the base branch reads stands behind what the Gaussians read, where these are two values.
  const both = norm !== undefined && base !== undefined;
  if (both) operand = b.add(`both${l}`, { kind: 'concat', attrs: {} }, [operand, x]);
  const branches: ReadonlyArray<Branch> =
    base === undefined
      ? [radial]
      : [radial, { basis: { _tag: 'base', activation }, weights: base, ...(both ? { from: inputs } : {}) }];
  const bias = layer.bias === undefined ? {} : { bias: layer.bias };
  return b.add(`layer${l}`, { kind: 'kan', attrs: { branches, ...bias } }, [operand]);
};

/** A tensor that is read only where it is there. */
const optional = (
  file: TensorFile,
  name: string,
  shape: ReadonlyArray<number>,
): Checked<FileTensor | undefined> =>
  file.tensors.has(name) ? finiteTensor(file, name, shape.length, shape) : E.right(undefined);

const readLayer = (
  file: TensorFile,
  prefix: string,
  options: ImportOptions,
  usual: RadialKernel,
): Checked<Layer> => {
  // FasterKAN has no base branch, so that one is a proof of FastKAN.
  const certain = usual !== 'gaussian' || file.tensors.has(`${prefix}base_linear.weight`);
  const radial = readRadial(file, options, { prefix, usual, certain });
  if (E.isLeft(radial)) return radial;
  const { basis, assumptions } = radial.right;
  const centers = basis.centers.shape[0]!;
  const spline = finiteTensor(file, `${prefix}spline_linear.weight`, 2);
  if (E.isLeft(spline)) return spline;
  const [outputs, columns] = [spline.right.shape[0]!, spline.right.shape[1]!];
  const inputs = columns / centers;
  if (!Number.isInteger(inputs)) {
    return fail('K0203', `${columns} columns do not split into inputs of ${centers} functions each`, {
      place: { tensor: `${prefix}spline_linear.weight` },
      expected: `[outputs, inputs * ${centers}]`,
    });
  }
  const base = optional(file, `${prefix}base_linear.weight`, [outputs, inputs]);
  if (E.isLeft(base)) return base;
  const bias = optional(file, `${prefix}base_linear.bias`, [outputs]);
  if (E.isLeft(bias)) return bias;
  const norm = readNorm(file, `${prefix}layernorm.`, inputs);
  if (E.isLeft(norm)) return norm;
  return E.right({
    inputs,
    outputs,
    radial: basis,
    assumptions,
    weights: expandedWeights(spline.right, centers),
    ...(base.right === undefined ? {} : { base: linearWeights(base.right) }),
    ...(bias.right === undefined
      ? {}
      : { bias: constant(F32, [outputs], Float32Array.from(bias.right.data)) }),
    ...(norm.right === undefined ? {} : { norm: norm.right }),
  });
};

const readNorm = (file: TensorFile, prefix: string, inputs: number): Checked<Layer['norm']> => {
  if (!file.tensors.has(`${prefix}weight`) && !file.tensors.has(`${prefix}bias`)) return E.right(undefined);
  const weight = finiteTensor(file, `${prefix}weight`, 1, [inputs]);
  if (E.isLeft(weight)) return weight;
  const bias = finiteTensor(file, `${prefix}bias`, 1, [inputs]);
  if (E.isLeft(bias)) return bias;
  return E.right({
    scale: perChannel(F32, Float32Array.from(weight.right.data)),
    shift: perChannel(F32, Float32Array.from(bias.right.data)),
  });
};
