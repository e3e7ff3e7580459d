/**
 * The normalisations between layers. With running statistics they are an affine map (batch norm, and instance norm
 * that tracks statistics); without them every sample is normalised by its own.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import { type PerChannel, perChannel } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import type { Op } from '../../../ir/ops/index.js';
import { sizeOf } from '../../../ir/types.js';
import type { TensorFile } from '../../containers/tensor.js';
import { finiteTensor } from '../../tensors.js';
import { emit, type Step } from './scope.js';

export interface NormSpec {
  readonly name: string;
  /** One prefix (with its dot) for each group of channels. */
  readonly prefixes: ReadonlyArray<string>;
  readonly epsilon: number;
}

/** The vectors `<prefix><part>` of all groups one after another; undefined when no group has one. */
const vector = (
  file: TensorFile,
  { prefixes }: NormSpec,
  part: string,
  channels: number,
): Checked<Float32Array | undefined> => {
  if (!prefixes.some((p) => file.tensors.has(`${p}${part}`))) return E.right(undefined);
  const all = new Float32Array(channels);
  const width = channels / prefixes.length;
  for (const [g, prefix] of prefixes.entries()) {
    const one = finiteTensor(file, `${prefix}${part}`, 1, [width]);
    if (E.isLeft(one)) return one;
    all.set(one.right.data, g * width);
  }
  return E.right(all);
};

const orNumber = (values: Float32Array | undefined, otherwise: number): PerChannel =>
  values === undefined ? otherwise : perChannel(F32, values);

/** Batch norm as it infers: (x - mean) / sqrt(variance + epsilon) * weight + bias, in one scale and shift. */
const folded = (
  mean: Float32Array,
  variance: Float32Array,
  weight: Float32Array | undefined,
  bias: Float32Array | undefined,
  { epsilon, prefixes }: NormSpec,
): Checked<Op> => {
  const scale = new Float32Array(mean.length);
  const shift = new Float32Array(mean.length);
  for (let c = 0; c < mean.length; c++) {
    const s = (weight?.[c] ?? 1) / Math.sqrt(variance[c]! + epsilon);
    scale[c] = s;
    shift[c] = (bias?.[c] ?? 0) - mean[c]! * s;
    if (!Number.isFinite(scale[c]) || !Number.isFinite(shift[c])) {
      const place = { tensor: `${prefixes[0] ?? ''}running_var` };
      return fail('K0204', `channel ${c} has the variance ${variance[c]}, which gives the scale ${s}`, {
        place,
        expected: 'variances that are not negative',
      });
    }
  }
  return E.right({
    kind: 'affine',
    attrs: { scale: perChannel(F32, scale), shift: perChannel(F32, shift) },
  });
};

/**
 * BatchNorm or InstanceNorm over channels, told apart by the running statistics. A batch norm that keeps no
 * statistics has the same tensors as an instance norm and is read as one: it needs a whole batch to mean anything.
 */
export const channelNorm =
  (spec: NormSpec): Step =>
  (scope, value) => {
    const channels = scope.builder.typeOf(value).shape[0] ?? 1;
    const part = (name: string) => vector(scope.file, spec, name, channels);
    const weight = part('weight');
    if (E.isLeft(weight)) return weight;
    const bias = part('bias');
    if (E.isLeft(bias)) return bias;
    const tracks = spec.prefixes.some(
      (p) => scope.file.tensors.has(`${p}running_mean`) || scope.file.tensors.has(`${p}running_var`),
    );
    if (!tracks) {
      const scale = orNumber(weight.right, 1);
      const shift = orNumber(bias.right, 0);
      const attrs = { over: 'channel', epsilon: spec.epsilon, scale, shift } as const;
      return emit(scope, spec.name, { kind: 'norm', attrs }, [value]);
    }
    const mean = part('running_mean');
    if (E.isLeft(mean)) return mean;
    const variance = part('running_var');
    if (E.isLeft(variance)) return variance;
    const missing = mean.right === undefined ? 'running_mean' : 'running_var';
    if (mean.right === undefined || variance.right === undefined) {
      return fail('K0202', 'the tensor is missing', { place: { tensor: `${spec.prefixes[0]}${missing}` } });
    }
    const op = folded(mean.right, variance.right, weight.right, bias.right, spec);
    return E.isLeft(op) ? op : emit(scope, spec.name, op.right, [value]);
  };

/** LayerNorm over all elements of a sample, with weights for each element where there are any. */
export const layerNorm =
  (name: string, prefix: string, epsilon: number): Step =>
  (scope, value) => {
    const { shape } = scope.builder.typeOf(value);
    const parameter = (part: string, otherwise: number): Checked<PerChannel> => {
      if (!scope.file.tensors.has(`${prefix}${part}`)) return E.right(otherwise);
      const tensor = finiteTensor(scope.file, `${prefix}${part}`, shape.length, shape);
      return E.isLeft(tensor) ? tensor : E.right(perChannel(F32, Float32Array.from(tensor.right.data)));
    };
    const scale = parameter('weight', 1);
    if (E.isLeft(scale)) return scale;
    const shift = parameter('bias', 0);
    if (E.isLeft(shift)) return shift;
    const attrs = { over: 'sample', epsilon, scale: scale.right, shift: shift.right } as const;
    if (shape.length === 1) return emit(scope, name, { kind: 'norm', attrs }, [value]);
    // Weights of images are per element, those of the op per channel: flat, every element is a channel.
    const flat = emit(scope, `${name}.flat`, { kind: 'reshape', attrs: { shape: [sizeOf({ shape })] } }, [
      value,
    ]);
    if (E.isLeft(flat)) return flat;
    const normal = emit(scope, `${name}.norm`, { kind: 'norm', attrs }, [flat.right]);
    if (E.isLeft(normal)) return normal;
    return emit(scope, name, { kind: 'reshape', attrs: { shape } }, [normal.right]);
  };
