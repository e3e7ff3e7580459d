/**
 * The spline and radial convolutions of torch-conv-kan, and plain ones.
 *
 * KANConv2DLayer, for every group g: `base_conv.g.weight` [O/g, I/g, kh, kw], `spline_conv.g.weight`
 * [O/g, (I/g) * K, kh, kw] (channel i*K + k), `layer_norm.g.*`, `prelus.g.weight` [1];
 *
 *   y = prelu(norm(base_conv(act(x)) + spline_conv(B(x))))
 *
 * The knots are not stored: they are uniform, K = intervals + order.
 *
 * FastKANConv2DLayer: y = base_conv(act(x)) + spline_conv(rbf(norm(x))), with `rbf.grid` and channel i*M + m.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Branch } from '../../../ir/basis.js';
import { type Constant, constant, perChannel } from '../../../ir/constant.js';
import { F32, uint } from '../../../ir/element.js';
import type { ValueName } from '../../../ir/graph.js';
import type { Activation } from '../../../numeric/activations.js';
import type { TensorFile } from '../../containers/tensor.js';
import type { Assumption, ImportOptions } from '../../family.js';
import { finiteTensor } from '../../tensors.js';
import { readRadial } from '../radial.js';
import { channelNorm } from './norm.js';
import { emit, imageShape, type Scope, type Step } from './scope.js';
import {
  channelsFit,
  type Geometry,
  groupCount,
  type Kernel,
  kernelList,
  tapWeights,
  windowOf,
} from './weights.js';

export interface ConvSpec {
  /** Name of the layer's value. */
  readonly name: string;
  /** With its dot. */
  readonly prefix: string;
  readonly geometry: Geometry;
  readonly epsilon: number;
  /** Whether a norm follows; where it does its tensors say which. */
  readonly norm: boolean;
}

export interface KanConvSpec extends ConvSpec {
  readonly activation: Activation;
  readonly order: number;
  readonly range: readonly [number, number];
}

/** torch.linspace in f32: from both ends to the middle. */
const linspace = (start: number, end: number, count: number): Float32Array => {
  const [a, b] = [Math.fround(start), Math.fround(end)];
  const step = Math.fround(Math.fround(b - a) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? a + Math.fround(step * i) : b - Math.fround(step * (count - 1 - i)),
  );
};

/** The uniform knots of `functions` B-splines whose intervals divide `range`. */
const uniformKnots = (functions: number, { order, range }: KanConvSpec): Constant => {
  const intervals = functions - order;
  const h = (range[1] - range[0]) / intervals;
  const count = intervals + 2 * order + 1;
  return constant(F32, [1, count], linspace(range[0] - h * order, range[1] + h * order, count));
};

/** The base and the spline kernels of all groups, and how many functions there are for each channel. */
const kernelPair = (
  file: TensorFile,
  prefix: string,
  channels: number,
): Checked<{
  base: ReadonlyArray<Kernel>;
  spline: ReadonlyArray<Kernel>;
  functions: number;
}> => {
  const groups = groupCount(file, prefix, 'base_conv');
  const base = kernelList(file, `${prefix}base_conv`, groups);
  if (E.isLeft(base)) return base;
  const first = base.right[0]!;
  const fit = channelsFit(channels, first.channels * groups, `${prefix}base_conv.0.weight`);
  if (E.isLeft(fit)) return fit;
  const spline = kernelList(file, `${prefix}spline_conv`, groups, [first.outputs, undefined, ...first.size]);
  if (E.isLeft(spline)) return spline;
  const functions = spline.right[0]!.channels / first.channels;
  return Number.isInteger(functions)
    ? E.right({ base: base.right, spline: spline.right, functions })
    : fail('K0203', `${spline.right[0]!.channels} channels are no multiple of ${first.channels}`, {
        place: { tensor: `${prefix}spline_conv.0.weight` },
        expected: 'the basis functions of every input channel',
      });
};

const afterwards = (spec: ConvSpec, groups: number): Step =>
  spec.norm
    ? channelNorm({
        name: `${spec.name}.norm`,
        prefixes: Array.from({ length: groups }, (_, g) => `${spec.prefix}layer_norm.${g}.`),
        epsilon: spec.epsilon,
      })
    : (_, value) => E.right(value);

/** One slope for each group (or, where the layer was made so, for each channel). */
const prelus = ({ file }: Scope, spec: ConvSpec, groups: number, outputs: number): Checked<Float32Array> => {
  const slopes = new Float32Array(outputs);
  const width = outputs / groups;
  for (let g = 0; g < groups; g++) {
    const name = `${spec.prefix}prelus.${g}.weight`;
    const slope = finiteTensor(file, name, 1, file.tensors.get(name)?.shape[0] === width ? [width] : [1]);
    if (E.isLeft(slope)) return slope;
    for (let o = 0; o < width; o++)
      slopes[g * width + o] = slope.right.data[slope.right.data.length > 1 ? o : 0]!;
  }
  return E.right(slopes);
};

/** KANConv2DLayer. */
export const kanConv =
  (spec: KanConvSpec): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const read = kernelPair(scope.file, spec.prefix, image.right[0]);
    if (E.isLeft(read)) return read;
    const { base, spline, functions } = read.right;
    if (functions - spec.order < 1) {
      return fail('K0203', `${functions} functions for each channel are too few for order ${spec.order}`, {
        place: { tensor: `${spec.prefix}spline_conv.0.weight` },
        expected: 'as many functions as intervals + order',
      });
    }
    const branches: ReadonlyArray<Branch> = [
      {
        basis: { _tag: 'bspline', order: spec.order, knots: uniformKnots(functions, spec) },
        weights: tapWeights(spline, functions, 'channel-major'),
      },
      {
        basis: { _tag: 'base', activation: spec.activation },
        weights: tapWeights(base, 1, 'channel-major'),
      },
    ];
    const groups = base.length;
    const window = windowOf(base[0]!, spec.geometry, groups);
    const sum = emit(scope, `${spec.name}.kan`, { kind: 'kan', attrs: { branches, window } }, [value]);
    if (E.isLeft(sum)) return sum;
    const normal = afterwards(spec, groups)(scope, sum.right);
    if (E.isLeft(normal)) return normal;
    const slopes = prelus(scope, spec, groups, base[0]!.outputs * groups);
    if (E.isLeft(slopes)) return slopes;
    const prelu = { _tag: 'prelu', slope: perChannel(F32, slopes.right) } as const;
    return emit(scope, spec.name, { kind: 'activate', attrs: { function: prelu } }, [normal.right]);
  };

export interface FastKanConvSpec extends ConvSpec {
  readonly activation: Activation;
  readonly radial: Pick<ImportOptions, 'rbf' | 'rbfWidth'>;
  readonly assumed: (assumptions: ReadonlyArray<Assumption>) => void;
}

/**
 * FastKANConv2DLayer. Its two branches see different values, so the layer is given both side by side. With groups
 * the channels are put in an order in which every group has its normalised ones and its plain ones together, and
 * each branch has zeros for the half that it does not see.
 */
export const fastKanConv =
  (spec: FastKanConvSpec): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const channels = image.right[0];
    const read = kernelPair(scope.file, spec.prefix, channels);
    if (E.isLeft(read)) return read;
    const { base, spline, functions } = read.right;
    const groups = base.length;
    const { prefix } = spec;
    const usual = { prefix, usual: 'gaussian', certain: true, count: functions } as const;
    const found = readRadial(scope.file, spec.radial, usual);
    if (E.isLeft(found)) return found;
    spec.assumed(found.right.assumptions);
    const both = sideBySide(spec, groups, channels)(scope, value);
    if (E.isLeft(both)) return both;
    const [radial, plain] = [
      tapWeights(spline, functions, 'channel-major'),
      tapWeights(base, 1, 'channel-major'),
    ];
    const rbf = found.right.basis;
    const activation = { _tag: 'base', activation: spec.activation } as const;
    const branches: ReadonlyArray<Branch> =
      groups === 1
        ? [
            { basis: rbf, weights: radial },
            { basis: activation, weights: plain, from: radial.shape[0]! },
          ]
        : [
            { basis: rbf, weights: halves(radial, groups, 0) },
            { basis: activation, weights: halves(plain, groups, 1) },
          ];
    const window = windowOf(base[0]!, spec.geometry, groups);
    return emit(scope, spec.name, { kind: 'kan', attrs: { branches, window } }, [both.right]);
  };

/** The normalised channels and the plain ones, those of each group together. */
const sideBySide =
  (spec: FastKanConvSpec, groups: number, channels: number): Step =>
  (scope, value) => {
    const normal: Checked<ValueName> = afterwards(spec, groups)(scope, value);
    if (E.isLeft(normal)) return normal;
    const both = emit(scope, `${spec.name}.both`, { kind: 'concat', attrs: {} }, [normal.right, value]);
    if (E.isLeft(both) || groups === 1) return both;
    const width = channels / groups;
    const indices = Uint32Array.from({ length: 2 * channels }, (_, at) => {
      const [group, within] = [Math.floor(at / (2 * width)), at % (2 * width)];
      return within < width ? group * width + within : channels + group * width + within - width;
    });
    const attrs = { indices: constant(uint(32), [indices.length], indices) };
    return emit(scope, `${spec.name}.grouped`, { kind: 'gather', attrs }, [both.right]);
  };

/** Weights [groups * taps, K, O] as [groups * 2 * taps, K, O], in the first (0) or second (1) half of each group. */
const halves = ({ shape, data }: Constant, groups: number, half: 0 | 1): Constant => {
  const one = data.length / groups;
  const wide = new Float32Array(2 * data.length);
  for (let g = 0; g < groups; g++) wide.set(data.subarray(g * one, (g + 1) * one), (2 * g + half) * one);
  return constant(F32, [2 * shape[0]!, shape[1]!, shape[2]!], wide);
};
