/**
 * The layers of ordinary networks through the same ops: a linear layer is a KAN layer whose only function is the
 * identity, a convolution the same over windows.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Branch } from '../../../ir/basis.js';
import { type Constant, constant, perChannel } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import { sizeOf } from '../../../ir/types.js';
import type { Window } from '../../../ir/window.js';
import type { Activation } from '../../../numeric/activations.js';
import type { TensorFile } from '../../containers/tensor.js';
import { finiteTensor } from '../../tensors.js';
import { emit, imageShape, type Step } from './scope.js';
import { type Geometry, kernelStack, stackGroups, tapWeights, windowOf } from './weights.js';

const IDENTITY = { _tag: 'base', activation: 'identity' } as const;

const biasOf = (file: TensorFile, prefix: string, outputs: number): Checked<{ readonly bias?: Constant }> => {
  if (!file.tensors.has(`${prefix}bias`)) return E.right({});
  const bias = finiteTensor(file, `${prefix}bias`, 1, [outputs]);
  return E.isLeft(bias)
    ? bias
    : E.right({ bias: constant(F32, [outputs], Float32Array.from(bias.right.data)) });
};

/** nn.Linear: `weight` [O, I], `bias` [O] where there is one. */
export const linear =
  (name: string, prefix: string): Step =>
  (scope, value) => {
    const { shape } = scope.builder.typeOf(value);
    if (shape.length !== 1) {
      return fail('K0203', `the layer is given a value of shape [${shape.join(', ')}]`, {
        expected: 'features, as a flatten layer gives them',
      });
    }
    const weight = finiteTensor(scope.file, `${prefix}weight`, 2, [undefined, shape[0]]);
    if (E.isLeft(weight)) return weight;
    const [O, I] = [weight.right.shape[0]!, weight.right.shape[1]!];
    const bias = biasOf(scope.file, prefix, O);
    if (E.isLeft(bias)) return bias;
    const data = new Float32Array(I * O);
    for (let o = 0; o < O; o++) for (let i = 0; i < I; i++) data[i * O + o] = weight.right.data[o * I + i]!;
    const branches: ReadonlyArray<Branch> = [{ basis: IDENTITY, weights: constant(F32, [I, 1, O], data) }];
    return emit(scope, name, { kind: 'kan', attrs: { branches, ...bias.right } }, [value]);
  };

/** nn.Conv2d: `weight` [O, I/groups, kh, kw], `bias` [O] where there is one. The groups follow from the channels. */
export const conv =
  (name: string, prefix: string, geometry: Geometry): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const groups = stackGroups(scope.file, `${prefix}weight`, image.right[0]);
    if (E.isLeft(groups)) return groups;
    const any = [undefined, undefined, undefined, undefined];
    const kernels = kernelStack(scope.file, `${prefix}weight`, groups.right, any);
    if (E.isLeft(kernels)) return kernels;
    const first = kernels.right[0]!;
    const bias = biasOf(scope.file, prefix, first.outputs * groups.right);
    if (E.isLeft(bias)) return bias;
    const branches = [{ basis: IDENTITY, weights: tapWeights(kernels.right, 1, 'channel-major') }];
    const window = windowOf(first, geometry, groups.right);
    return emit(scope, name, { kind: 'kan', attrs: { branches, window, ...bias.right } }, [value]);
  };

export const activation =
  (name: string, f: Activation): Step =>
  (scope, value) =>
    emit(scope, name, { kind: 'activate', attrs: { function: { _tag: 'activation', activation: f } } }, [
      value,
    ]);

/** nn.PReLU: `weight`, one for all channels or one for each. */
export const prelu =
  (name: string, prefix: string): Step =>
  (scope, value) => {
    const channels = scope.builder.typeOf(value).shape[0] ?? 1;
    const given = scope.file.tensors.get(`${prefix}weight`)?.shape[0];
    const slope = finiteTensor(scope.file, `${prefix}weight`, 1, [given === 1 ? 1 : channels]);
    if (E.isLeft(slope)) return slope;
    const all = Float32Array.from(slope.right.data);
    const f = { _tag: 'prelu', slope: perChannel(F32, all) } as const;
    return emit(scope, name, { kind: 'activate', attrs: { function: f } }, [value]);
  };

export interface PoolSpec {
  readonly name: string;
  readonly reduce: 'mean' | 'max';
  /** Height and width of the windows; the whole image when absent. */
  readonly kernel?: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly padding: readonly [number, number];
}

/** AvgPool2d, MaxPool2d, and the adaptive ones to one pixel. */
export const pooling =
  ({ name, reduce, kernel, stride, padding }: PoolSpec): Step =>
  (scope, value) => {
    const image = imageShape(scope, value);
    if (E.isLeft(image)) return image;
    const size = kernel ?? ([image.right[1], image.right[2]] as const);
    if (2 * padding[0] > size[0] || 2 * padding[1] > size[1]) {
      return fail('K0203', `a ${size.join('x')} window is padded by ${padding.join('x')}`, {
        expected: 'at most half of the window',
      });
    }
    const window: Window = { kernel: size, stride: stride ?? size, padding, dilation: [1, 1], groups: 1 };
    return emit(scope, name, { kind: 'pool', attrs: { reduce, window } }, [value]);
  };

export const flatten =
  (name: string): Step =>
  (scope, value) => {
    const type = scope.builder.typeOf(value);
    return emit(scope, name, { kind: 'reshape', attrs: { shape: [sizeOf(type)] } }, [value]);
  };
