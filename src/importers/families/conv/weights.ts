/** Kernels of convolutions as the weights of windowed KAN layers. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import { type Constant, constant } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import type { Window } from '../../../ir/window.js';
import type { FileTensor, TensorFile } from '../../containers/tensor.js';
import { finiteTensor } from '../../tensors.js';
import { ELEMENT_LIMIT, tooLarge } from './scope.js';

/** Where a convolution looks, as far as a state dict does not say it. */
export interface Geometry {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** The kernel of one group: [outputs, channels, height, width] from `offset` on, `channels` counting functions too. */
export interface Kernel {
  readonly outputs: number;
  readonly channels: number;
  readonly size: readonly [number, number];
  readonly data: FileTensor['data'];
  readonly offset: number;
}

export const windowOf = ({ size }: Kernel, geometry: Geometry, groups: number): Window => ({
  kernel: size,
  ...geometry,
  groups,
});

const area = ({ size }: Kernel): number => size[0] * size[1];

/** Splits [..., O, C, kh, kw] into kernels of `count` groups of outputs. */
const split = ({ shape, data }: FileTensor, count: number): ReadonlyArray<Kernel> => {
  const [channels, height, width] = [shape.at(-3)!, shape.at(-2)!, shape.at(-1)!];
  const outputs = data.length / (channels * height * width * count);
  const one = data.length / count;
  return Array.from({ length: count }, (_, g) => ({
    outputs,
    channels,
    size: [height, width] as const,
    data,
    offset: g * one,
  }));
};

/** How many tensors `<prefix><list>.<g>.weight` there are from 0 on; at least 1, so that a missing one is told. */
export const groupCount = (file: TensorFile, prefix: string, list: string): number => {
  let count = 0;
  while (file.tensors.has(`${prefix}${list}.${count}.weight`)) count++;
  return Math.max(count, 1);
};

/** A list of convolutions, one for each group, which must be alike. `fit` is what is known of their shape. */
export const kernelList = (
  file: TensorFile,
  list: string,
  groups: number,
  fit: ReadonlyArray<number | undefined> = [],
): Checked<ReadonlyArray<Kernel>> => {
  const kernels: Kernel[] = [];
  let known = fit;
  for (let g = 0; g < groups; g++) {
    const tensor = finiteTensor(file, `${list}.${g}.weight`, 4, known);
    if (E.isLeft(tensor)) return tensor;
    known = tensor.right.shape;
    kernels.push(...split(tensor.right, 1));
  }
  return E.right(kernels);
};

/** One tensor that holds the kernels of all groups: [O, C/groups, kh, kw], or [groups, O/groups, C/groups, kh, kw]. */
export const kernelStack = (
  file: TensorFile,
  name: string,
  groups: number,
  shape: ReadonlyArray<number | undefined>,
): Checked<ReadonlyArray<Kernel>> => {
  const tensor = finiteTensor(file, name, shape.length, shape);
  if (E.isLeft(tensor)) return tensor;
  const outputs = shape.length === 4 ? tensor.right.shape[0]! : groups;
  return outputs % groups === 0
    ? E.right(split(tensor.right, groups))
    : fail('K0203', `${outputs} outputs do not split into ${groups} groups`, { place: { tensor: name } });
};

/** Where function k of channel i stands among the channels of a kernel with `inputs` channels and K functions. */
export type ChannelOrder = 'channel-major' | 'function-major';

/**
 * f32[groups * taps, K, O / groups] from one kernel for each group, taps in the order of windows: channel, then
 * row and column of the kernel.
 */
export const tapWeights = (
  kernels: ReadonlyArray<Kernel>,
  functions: number,
  order: ChannelOrder,
): Constant => {
  const first = kernels[0]!;
  const [taps, O] = [area(first), first.outputs];
  const inputs = first.channels / functions;
  const data = new Float32Array(kernels.length * first.channels * taps * O);
  let to = 0;
  for (const kernel of kernels) {
    const stride = kernel.channels * taps;
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) {
        for (let k = 0; k < functions; k++) {
          const channel = order === 'channel-major' ? i * functions + k : k * inputs + i;
          const from = kernel.offset + channel * taps + tap;
          for (let o = 0; o < O; o++) data[to++] = kernel.data[from + o * stride]!;
        }
      }
    }
  }
  return constant(F32, [kernels.length * inputs * taps, functions, O], data);
};

/**
 * The same as one dense layer without groups, zero where a group does not look: f32[C * taps, K, O]. Groups split
 * the expanded channels, so in function-major order a group looks at some functions of many channels.
 */
export const denseWeights = (
  kernels: ReadonlyArray<Kernel>,
  functions: number,
  order: ChannelOrder,
): Checked<Constant> => {
  const first = kernels[0]!;
  const [taps, groupOutputs] = [area(first), first.outputs];
  const expanded = kernels.length * first.channels;
  const inputs = expanded / functions;
  const O = kernels.length * groupOutputs;
  if (expanded * taps * O > ELEMENT_LIMIT)
    return tooLarge('the weights of all groups together', expanded * taps * O);
  const data = new Float32Array(expanded * taps * O);
  for (const [g, kernel] of kernels.entries()) {
    for (let m = 0; m < kernel.channels; m++) {
      const channel = g * kernel.channels + m;
      const [i, k] =
        order === 'channel-major'
          ? [Math.floor(channel / functions), channel % functions]
          : [channel % inputs, Math.floor(channel / inputs)];
      for (let tap = 0; tap < taps; tap++) {
        const to = ((i * taps + tap) * functions + k) * O + g * groupOutputs;
        for (let o = 0; o < groupOutputs; o++) {
          data[to + o] = kernel.data[kernel.offset + (o * kernel.channels + m) * taps + tap]!;
        }
      }
    }
  }
  return E.right(constant(F32, [inputs * taps, functions, O], data));
};

/** A window over an image must look at all of its channels. */
export const channelsFit = (channels: number, takes: number, tensor: string): Checked<void> =>
  channels === takes
    ? E.right(undefined)
    : fail('K0203', `the layer takes ${takes} channels, but it is given ${channels}`, { place: { tensor } });

/** Groups of a convolution in one tensor [O, C/groups, kh, kw] that is given `channels`. */
export const stackGroups = (file: TensorFile, name: string, channels: number): Checked<number> => {
  const weight = finiteTensor(file, name, 4);
  if (E.isLeft(weight)) return weight;
  const takes = weight.right.shape[1]!;
  return channels % takes === 0
    ? E.right(channels / takes)
    : fail('K0203', `the layer takes ${takes} channels (of each group), but it is given ${channels}`, {
        place: { tensor: name },
      });
};
