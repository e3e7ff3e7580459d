/** Ops of ONNX over windows: convolutions and pools. */
import type { Shape, ValueId, Windows } from '../../tensor/program.js';
import {
  apply,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  intOf,
  intsOf,
  makeable,
  map,
  opaque,
  operand,
  pad,
  reduce,
  reshape,
  shapeOf,
  show,
  stringOf,
  transpose,
  wrong,
} from './call.js';

/** A list with one entry for each spatial dimension. */
function* spatialOf(
  call: Call,
  name: string,
  rank: number,
  otherwise: number,
): Building<ReadonlyArray<number>> {
  const list = (yield* intsOf(call, name)) ?? new Array<number>(rank).fill(otherwise);
  return list.length === rank ? list : yield* wrong(`"${name}" is ${show(list)}`, `${rank} numbers`);
}

export interface Frame {
  readonly kernel: ReadonlyArray<number>;
  readonly stride: ReadonlyArray<number>;
  readonly dilation: ReadonlyArray<number>;
}

function* frameOf(call: Call, kernel: ReadonlyArray<number>): Building<Frame> {
  yield* makeable(kernel);
  return {
    kernel,
    stride: yield* spatialOf(call, 'strides', kernel.length, 1),
    dilation: yield* spatialOf(call, 'dilations', kernel.length, 1),
  };
}

/** Padding as the file says it, or so much that every stride-th place has a window. */
function* windowsOf(call: Call, spatial: Shape, frame: Frame): Building<Windows> {
  const { kernel, stride, dilation } = frame;
  const auto = yield* stringOf(call, 'auto_pad', 'NOTSET');
  const rank = kernel.length;
  if (auto === 'NOTSET') {
    const pads = (yield* intsOf(call, 'pads')) ?? new Array<number>(2 * rank).fill(0);
    if (pads.length !== 2 * rank) return yield* wrong(`"pads" is ${show(pads)}`, `${2 * rank} numbers`);
    return { ...frame, before: pads.slice(0, rank), after: pads.slice(rank) };
  }
  const zeros = kernel.map(() => 0);
  if (auto === 'VALID') return { ...frame, before: zeros, after: zeros };
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER') return yield* wrong(`auto_pad is "${auto}"`);
  const missing = spatial.map((size, d) => {
    const count = Math.ceil(size / stride[d]!);
    return Math.max(0, (count - 1) * stride[d]! + dilation[d]! * (kernel[d]! - 1) + 1 - size);
  });
  const less = missing.map((m) => Math.floor(m / 2));
  const more = missing.map((m) => Math.ceil(m / 2));
  return {
    ...frame,
    before: auto === 'SAME_UPPER' ? less : more,
    after: auto === 'SAME_UPPER' ? more : less,
  };
}

function* withBias(call: Call, value: ValueId, bias: ValueId | undefined): Building<ValueId> {
  if (bias === undefined) return value;
  const shape = shapeOf(call, value);
  return yield* map(
    call,
    'add',
    value,
    yield* reshape(call, bias, [shape[1]!, ...shape.slice(2).map(() => 1)]),
  );
}

/** Rank of the spatial part, checked to be one that is computed. */
function* spatialRank(call: Call, x: ValueId): Building<number> {
  const rank = shapeOf(call, x).length - 2;
  return rank >= 1 && rank <= 3
    ? rank
    : yield* opaque(`windows over ${rank} dimensions have no meaning here; 1 to 3 have`);
}

const Conv: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const w = yield* operand(call, 1);
  yield* spatialRank(call, x);
  const groups = yield* intOf(call, 'group', 1);
  const windows = yield* windowsOf(
    call,
    shapeOf(call, x).slice(2),
    yield* frameOf(call, shapeOf(call, w).slice(2)),
  );
  const value = yield* apply(call, { kind: 'conv', windows, groups }, [x, w]);
  return [yield* withBias(call, value, call.operands[2])];
};

/** [C, O / groups, ...kernel] as the weights [O, C / groups, ...kernel] of a convolution, mirrored. */
function* mirrored(call: Call, w: ValueId, groups: number): Building<ValueId> {
  const [inputs = 0, outputs = 0, ...kernel] = shapeOf(call, w);
  const spatial = kernel.map((_, d) => d + 3);
  const apart = yield* reshape(call, w, [groups, inputs / groups, outputs, ...kernel]);
  const turned = yield* transpose(call, apart, [0, 2, 1, ...spatial]);
  const joined = yield* reshape(call, turned, [groups * outputs, inputs / groups, ...kernel]);
  const start = [0, 0, ...kernel.map((k) => k - 1)];
  const step = [1, 1, ...kernel.map(() => -1)];
  return yield* apply(call, { kind: 'slice', start, step }, [joined], { shape: shapeOf(call, joined) });
}

/** Zeros between neighbours: each element with stride - 1 zeros behind it, without those at the end. */
function* spacedOut(call: Call, x: ValueId, stride: ReadonlyArray<number>): Building<ValueId> {
  if (stride.every((s) => s === 1)) return x;
  const [n = 0, c = 0, ...spatial] = shapeOf(call, x);
  const apart = yield* reshape(call, x, [n, c, ...spatial.flatMap((size) => [size, 1])]);
  const zeros = [n, c, ...spatial.flatMap((size, d) => [size, stride[d]!])];
  const padded = yield* pad(
    call,
    apart,
    zeros.map(() => 0),
    zeros,
    0,
  );
  const joined = yield* reshape(call, padded, [n, c, ...spatial.map((size, d) => size * stride[d]!)]);
  const shape = [n, c, ...spatial.map((size, d) => (size - 1) * stride[d]! + 1)];
  const start = shape.map(() => 0);
  return yield* apply(call, { kind: 'slice', start, step: shape.map(() => 1) }, [joined], { shape });
}

interface Margins {
  readonly before: ReadonlyArray<number>;
  /** Of the whole result, with what is cut off at its end. */
  readonly counts: ReadonlyArray<number>;
}

/** How much of the full result is cut off in front, and how large the result is. */
function* marginsOf(call: Call, spatial: Shape, { kernel, stride, dilation }: Frame): Building<Margins> {
  const rank = kernel.length;
  const extra = yield* spatialOf(call, 'output_padding', rank, 0);
  const full = spatial.map(
    (size, d) => (size - 1) * stride[d]! + dilation[d]! * (kernel[d]! - 1) + 1 + extra[d]!,
  );
  const wanted = yield* intsOf(call, 'output_shape');
  const auto = yield* stringOf(call, 'auto_pad', 'NOTSET');
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
  if (wanted === undefined && !same) {
    const pads =
      (auto === 'NOTSET' ? yield* intsOf(call, 'pads') : undefined) ?? new Array<number>(2 * rank).fill(0);
    return { before: pads.slice(0, rank), counts: full.map((f, d) => f - pads[d]! - pads[d + rank]!) };
  }
  const counts = wanted?.slice(-rank) ?? spatial.map((size, d) => size * stride[d]!);
  const cutOff = full.map((f, d) => Math.max(0, f - counts[d]!));
  // The odd element is cut off at the end with SAME_UPPER, in front otherwise.
  const half = auto === 'SAME_UPPER' ? Math.floor : Math.ceil;
  return { before: cutOff.map((c) => half(c / 2)), counts };
}

/** The transpose of a convolution is one over the operand with zeros between its elements, by mirrored weights. */
const ConvTranspose: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const w = yield* operand(call, 1);
  yield* spatialRank(call, x);
  const groups = yield* intOf(call, 'group', 1);
  const [n = 0, channels = 0, ...spatial] = shapeOf(call, x);
  const [inputs = 0] = shapeOf(call, w);
  if (inputs !== channels || channels % groups !== 0)
    return yield* wrong(
      `weights ${show(shapeOf(call, w))} in ${groups} groups do not fit ${show(shapeOf(call, x))}`,
    );
  const frame = yield* frameOf(call, shapeOf(call, w).slice(2));
  const { before, counts } = yield* marginsOf(call, spatial, frame);
  const reach = frame.kernel.map((k, d) => frame.dilation[d]! * (k - 1));
  const spaced = yield* spacedOut(call, x, frame.stride);
  // What is padded in front is what the kernel reaches, less what is cut off; behind, what the result needs.
  const shape = [n, channels, ...counts.map((c, d) => c + reach[d]!)];
  const front = [0, 0, ...reach.map((r, d) => r - before[d]!)];
  const framed = yield* pad(call, spaced, front, shape, 0);
  const zeros = frame.kernel.map(() => 0);
  const windows = { ...frame, stride: frame.kernel.map(() => 1), before: zeros, after: zeros };
  const value = yield* apply(call, { kind: 'conv', windows, groups }, [
    framed,
    yield* mirrored(call, w, groups),
  ]);
  return [yield* withBias(call, value, call.operands[2])];
};

/** With `ceil_mode` a last window may reach over the end, if it begins before it. */
const reachingOver = (spatial: Shape, windows: Windows): Windows => ({
  ...windows,
  after: windows.after.map((after, d) => {
    const size = spatial[d]!;
    const stride = windows.stride[d]!;
    const span = windows.dilation[d]! * (windows.kernel[d]! - 1) + 1;
    const room = size + windows.before[d]! + after - span;
    const count = Math.ceil(room / stride) + 1;
    const begins = (count - 1) * stride < size + windows.before[d]!;
    return after + Math.max(0, (begins ? count - 1 : count - 2) * stride - room);
  }),
});

const pool = (fn: 'max' | 'mean'): Conversion =>
  function* (call) {
    const x = yield* operand(call, 0);
    const shape = shapeOf(call, x);
    yield* spatialRank(call, x);
    const spatial = shape.slice(2);
    const kernel = (yield* intsOf(call, 'kernel_shape')) ?? (yield* wrong('it has no kernel_shape'));
    const plain = yield* windowsOf(call, spatial, yield* frameOf(call, kernel));
    const ceil = (yield* intOf(call, 'ceil_mode', 0)) !== 0;
    const windows = ceil ? reachingOver(spatial, plain) : plain;
    const countPadding = fn === 'mean' && (yield* intOf(call, 'count_include_pad', 0)) !== 0;
    const further = windows.after.some((after, d) => after !== plain.after[d]);
    if (!countPadding || !further)
      return [yield* apply(call, { kind: 'pool', fn, windows, countPadding }, [x])];
    // What a last window reaches over the end does not count, the padding of the file does: it becomes elements.
    const padded = yield* pad(
      call,
      x,
      [0, 0, ...plain.before],
      [...shape.slice(0, 2), ...spatial.map((size, d) => size + plain.before[d]! + plain.after[d]!)],
      0,
    );
    const rest = {
      ...windows,
      before: plain.before.map(() => 0),
      after: windows.after.map((after, d) => after - plain.after[d]!),
    };
    return [yield* apply(call, { kind: 'pool', fn, windows: rest, countPadding: false }, [padded])];
  };

const globalPool = (fn: 'max' | 'mean'): Conversion =>
  function* (call) {
    const x = yield* operand(call, 0);
    const axes = shapeOf(call, x).flatMap((_, d) => (d < 2 ? [] : [d]));
    return [yield* reduce(call, fn, x, axes, true)];
  };

export const WINDOWS: Conversions = {
  AveragePool: pool('mean'),
  Conv,
  ConvTranspose,
  GlobalAveragePool: globalPool('mean'),
  GlobalMaxPool: globalPool('max'),
  MaxPool: pool('max'),
};
