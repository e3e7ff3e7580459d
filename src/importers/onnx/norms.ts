/** Normalisations of ONNX. */
import { sizeOfShape, type ValueId } from '../../tensor/program.js';
import {
  apply,
  axisIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  constant,
  floatOf,
  intOf,
  intsOf,
  map,
  opaque,
  operand,
  reduce,
  reshape,
  scalar,
  shapeOf,
  show,
  wrong,
} from './call.js';

/** A vector over the channels, which are dimension 1, as it is broadcast to a value of a rank. */
function* overChannels(call: Call, vector: ValueId, rank: number): Building<ValueId> {
  const size = sizeOfShape(shapeOf(call, vector));
  return yield* reshape(call, vector, [size, ...new Array<number>(Math.max(rank - 2, 0)).fill(1)]);
}

function* scaled(call: Call, x: ValueId, scale: ValueId, shift: ValueId | undefined): Building<ValueId> {
  const product = yield* map(call, 'mul', x, scale);
  return shift === undefined ? product : yield* map(call, 'add', product, shift);
}

function* standardize(
  call: Call,
  x: ValueId,
  axes: ReadonlyArray<number>,
  epsilon: number,
): Building<ValueId> {
  return yield* apply(call, { kind: 'standardize', axes, epsilon }, [x]);
}

/** One scale and one shift for each channel, made of the four vectors in double. */
function* foldedBatchNorm(
  call: Call,
  vectors: ReadonlyArray<Float64Array>,
  epsilon: number,
): Building<{ readonly scale: ValueId; readonly shift: ValueId }> {
  const [gamma, beta, mean, variance] = vectors;
  const scales = Float64Array.from(gamma ?? [], (g, c) => g / Math.sqrt((variance?.[c] ?? 1) + epsilon));
  const shifts = scales.map((s, c) => (beta?.[c] ?? 0) - (mean?.[c] ?? 0) * s);
  return {
    scale: yield* constant(call, scales, [scales.length]),
    shift: yield* constant(call, shifts, [shifts.length]),
  };
}

/** In inference: a map of each channel. With means of the batch itself it is none, and has no meaning here. */
const BatchNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const rank = shapeOf(call, x).length;
  const channels = shapeOf(call, x)[1] ?? 1;
  const epsilon = yield* floatOf(call, 'epsilon', 1e-5);
  if ((yield* intOf(call, 'training_mode', 0)) !== 0)
    return yield* opaque('it is in training mode, where it takes mean and variance from the batch');
  const vectors: ValueId[] = [];
  for (const k of [1, 2, 3, 4]) vectors.push(yield* operand(call, k));
  const odd = vectors.find((v) => sizeOfShape(shapeOf(call, v)) !== channels);
  if (odd !== undefined) return yield* wrong(`${show(shapeOf(call, odd))} does not fit ${channels} channels`);
  const constants = vectors.flatMap((v) => call.builder.constantOf(v) ?? []);
  if (constants.length === vectors.length) {
    const { scale, shift } = yield* foldedBatchNorm(call, constants, epsilon);
    return [
      yield* scaled(call, x, yield* overChannels(call, scale, rank), yield* overChannels(call, shift, rank)),
    ];
  }
  const [gamma, beta, mean, variance] = vectors;
  const wide = function* (v: ValueId | undefined): Building<ValueId> {
    return yield* overChannels(call, v ?? x, rank);
  };
  const sum = yield* map(call, 'add', yield* wide(variance), yield* scalar(call, epsilon));
  const centred = yield* map(call, 'sub', x, yield* wide(mean));
  const normed = yield* map(call, 'div', centred, yield* map(call, 'sqrt', sum));
  return [yield* scaled(call, normed, yield* wide(gamma), yield* wide(beta))];
};

const LayerNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const rank = shapeOf(call, x).length;
  const first = yield* axisIn(yield* intOf(call, 'axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, k) => first + k);
  const normed = yield* standardize(call, x, axes, yield* floatOf(call, 'epsilon', 1e-5));
  return [yield* scaled(call, normed, yield* operand(call, 1), call.operands[2])];
};

const InstanceNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const rank = shapeOf(call, x).length;
  const axes = Array.from({ length: Math.max(rank - 2, 0) }, (_, k) => k + 2);
  const normed = yield* standardize(call, x, axes, yield* floatOf(call, 'epsilon', 1e-5));
  const scale = yield* overChannels(call, yield* operand(call, 1), rank);
  return [yield* scaled(call, normed, scale, yield* overChannels(call, yield* operand(call, 2), rank))];
};

/** Scale and shift are of the groups in opset 18, of the channels later. */
const GroupNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const [n = 0, channels = 0] = shape;
  const groups = yield* intOf(call, 'num_groups', 1);
  if (channels % groups !== 0) return yield* wrong(`${channels} channels do not make ${groups} groups`);
  const apart = yield* reshape(call, x, [n, groups, sizeOfShape(shape.slice(1)) / groups]);
  const normed = yield* standardize(call, apart, [2], yield* floatOf(call, 'epsilon', 1e-5));
  const vector = function* (k: number): Building<ValueId> {
    return yield* overChannels(call, yield* operand(call, k), 3);
  };
  const ofGroups = sizeOfShape(shapeOf(call, yield* operand(call, 1))) === groups && groups !== channels;
  if (ofGroups)
    return [yield* reshape(call, yield* scaled(call, normed, yield* vector(1), yield* vector(2)), shape)];
  const back = yield* reshape(call, normed, shape);
  const scale = yield* overChannels(call, yield* operand(call, 1), shape.length);
  return [yield* scaled(call, back, scale, yield* overChannels(call, yield* operand(call, 2), shape.length))];
};

/** x / sqrt(mean(x^2) + epsilon) * scale. */
const RMSNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const rank = shapeOf(call, x).length;
  const first = yield* axisIn(yield* intOf(call, 'axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, k) => first + k);
  const mean = yield* reduce(call, 'mean', yield* map(call, 'mul', x, x), axes, true);
  const moved = yield* map(call, 'add', mean, yield* scalar(call, yield* floatOf(call, 'epsilon', 1e-5)));
  const normed = yield* map(call, 'div', x, yield* map(call, 'sqrt', moved));
  return [yield* scaled(call, normed, yield* operand(call, 1), undefined)];
};

/** Over the axes 0, 2 and 3 where nothing else is said; 1e-9 is added to the deviation. */
const MeanVarianceNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const axes = (yield* intsOf(call, 'axes')) ?? [0, 2, 3];
  const centred = yield* map(call, 'sub', x, yield* reduce(call, 'mean', x, axes, true));
  const variance = yield* reduce(call, 'mean', yield* map(call, 'mul', centred, centred), axes, true);
  const deviation = yield* map(call, 'add', yield* map(call, 'sqrt', variance), yield* scalar(call, 1e-9));
  return [yield* map(call, 'div', centred, deviation)];
};

/** Divided by the sum of absolute values, or the root of the sum of squares, along one axis. */
const LpNormalization: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const axis = yield* axisIn(yield* intOf(call, 'axis', -1), shapeOf(call, x).length);
  const p = yield* intOf(call, 'p', 2);
  if (p !== 1 && p !== 2) return yield* wrong(`p is ${p}`, '1 or 2');
  const terms = p === 1 ? yield* map(call, 'abs', x) : yield* map(call, 'mul', x, x);
  const sum = yield* reduce(call, 'sum', terms, [axis], true);
  return [yield* map(call, 'div', x, p === 1 ? sum : yield* map(call, 'sqrt', sum))];
};

export const NORMS: Conversions = {
  BatchNormalization,
  GroupNormalization,
  InstanceNormalization,
  LayerNormalization,
  LpNormalization,
  MeanVarianceNormalization,
  RMSNormalization,
};
