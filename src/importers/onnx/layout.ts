/** Ops of ONNX that give elements other places. */
import { type Shape, sizeOfShape, type ValueId } from '../../tensor/program.js';
import { broadcastShapes } from '../../tensor/shapes.js';
import {
  apply,
  axesIn,
  axisIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  concat,
  constantOf,
  cut,
  expand,
  held,
  intOf,
  intsOf,
  numbersOf,
  operand,
  reshape,
  shapeOf,
  show,
  stringOf,
  transpose,
  wrong,
} from './call.js';

/** Axes and the like: an attribute in old opsets, a constant input in new ones. */
export function* listOf(
  call: Call,
  name: string,
  input: number,
): Building<ReadonlyArray<number> | undefined> {
  return (yield* intsOf(call, name)) ?? (yield* numbersOf(call, input, `"${name}"`));
}

const Identity: Conversion = function* (call) {
  return [yield* operand(call, 0)];
};

/** Without training it gives back what it takes; its mask is all true. */
const Dropout: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const training =
    call.operands[2] === undefined ? 0 : (yield* constantOf(call, call.operands[2], 'training'))[0];
  if (training !== undefined && training !== 0)
    return yield* wrong('it is in training mode', 'a network exported for evaluation');
  return [x];
};

const Reshape: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const wanted = (yield* listOf(call, 'shape', 1)) ?? (yield* wrong('it has no shape'));
  const from = shapeOf(call, x);
  const zeros = (yield* intOf(call, 'allowzero', 0)) !== 0;
  const sizes = wanted.map((size, d) => (size === 0 && !zeros ? (from[d] ?? 0) : size));
  const known = sizes.filter((size) => size !== -1).reduce((n, size) => n * size, 1);
  const rest = known === 0 ? 0 : sizeOfShape(from) / known;
  if (sizes.filter((size) => size === -1).length > 1 || (sizes.includes(-1) && !Number.isInteger(rest)))
    return yield* wrong(`${show(from)} cannot be reshaped to ${show(wanted)}`);
  return [
    yield* reshape(
      call,
      x,
      sizes.map((size) => (size === -1 ? rest : size)),
    ),
  ];
};

const Flatten: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const axis = yield* axisIn(yield* intOf(call, 'axis', 1), shape.length, 1);
  // A negative axis counts from the rank, not from one behind it.
  const at = (yield* intOf(call, 'axis', 1)) < 0 ? axis - 1 : axis;
  return [yield* reshape(call, x, [sizeOfShape(shape.slice(0, at)), sizeOfShape(shape.slice(at))])];
};

const Squeeze: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const given = yield* listOf(call, 'axes', 1);
  const axes =
    given === undefined
      ? shape.flatMap((size, d) => (size === 1 ? [d] : []))
      : yield* axesIn(given, shape.length);
  const wide = axes.find((a) => shape[a] !== 1);
  if (wide !== undefined) return yield* wrong(`axis ${wide} of ${show(shape)} has more than one element`);
  return [
    yield* reshape(
      call,
      x,
      shape.filter((_, d) => !axes.includes(d)),
    ),
  ];
};

const Unsqueeze: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const given = (yield* listOf(call, 'axes', 1)) ?? (yield* wrong('it has no axes'));
  const axes = new Set(yield* axesIn(given, shape.length, given.length));
  if (axes.size !== given.length) return yield* wrong(`an axis stands twice in ${show(given)}`);
  const rest = [...shape];
  return [
    yield* reshape(
      call,
      x,
      Array.from({ length: shape.length + axes.size }, (_, d) => (axes.has(d) ? 1 : (rest.shift() ?? 1))),
    ),
  ];
};

/** Negative axes are no valid permutation, but exporters have written them; they count from the end. */
const Transpose: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const rank = shapeOf(call, x).length;
  const perm = (yield* intsOf(call, 'perm')) ?? Array.from({ length: rank }, (_, d) => rank - 1 - d);
  return [yield* transpose(call, x, yield* axesIn(perm, rank))];
};

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** The first element and how many there are of a slice of one dimension. */
const sliced = (
  size: number,
  start: number,
  end: number,
  step: number,
): { readonly from: number; readonly count: number } => {
  const at = (i: number): number => (i < 0 ? i + size : i);
  const from = step > 0 ? clamp(at(start), 0, size) : clamp(at(start), -1, size - 1);
  const to = step > 0 ? clamp(at(end), 0, size) : clamp(at(end), -1, size - 1);
  return { from, count: Math.max(0, Math.ceil((to - from) / step)) };
};

const Slice: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const starts = (yield* listOf(call, 'starts', 1)) ?? (yield* wrong('it has no starts'));
  const ends = (yield* listOf(call, 'ends', 2)) ?? (yield* wrong('it has no ends'));
  const axes = yield* axesIn((yield* listOf(call, 'axes', 3)) ?? starts.map((_, k) => k), shape.length);
  const steps = (yield* numbersOf(call, 4, '"steps"')) ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || steps.includes(0))
    return yield* wrong('its starts, ends, axes and steps do not belong together');
  const start = shape.map(() => 0);
  const step = shape.map(() => 1);
  const result = [...shape];
  for (const [k, axis] of axes.entries()) {
    const part = sliced(shape[axis]!, starts[k]!, ends[k]!, steps[k]!);
    start[axis] = part.count === 0 ? 0 : part.from;
    step[axis] = steps[k]!;
    result[axis] = part.count;
  }
  return [yield* apply(call, { kind: 'slice', start, step }, [x], { shape: result })];
};

const Split: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const axis = yield* axisIn(yield* intOf(call, 'axis', 0), shape.length);
  const size = shape[axis] ?? 1;
  const count = yield* intOf(call, 'num_outputs', call.node.outputs.length);
  if (count !== call.node.outputs.length)
    return yield* wrong(`it has ${call.node.outputs.length} outputs of ${count}`);
  const even = Math.ceil(size / count);
  const sizes =
    (yield* listOf(call, 'split', 1)) ??
    Array.from({ length: count }, (_, k) => clamp(size - k * even, 0, even));
  if (sizes.reduce((n, s) => n + s, 0) !== size)
    return yield* wrong(`parts of ${show(sizes)} do not make up axis ${axis} of ${show(shape)}`);
  const parts: ValueId[] = [];
  let from = 0;
  for (const part of sizes) {
    const to: Shape = shape.map((s, d) => (d === axis ? part : s));
    parts.push(
      yield* cut(
        call,
        x,
        shape.map((_, d) => (d === axis ? from : 0)),
        to,
      ),
    );
    from += part;
  }
  return parts;
};

const Concat: Conversion = function* (call) {
  const values: ValueId[] = [];
  for (let k = 0; k < call.operands.length; k++) values.push(yield* operand(call, k));
  const first = shapeOf(call, yield* operand(call, 0));
  // Exporters join empty lists of any rank with others.
  const filled = values.filter((v) => sizeOfShape(shapeOf(call, v)) > 0 || shapeOf(call, v).length !== 1);
  const axis = yield* axisIn(
    yield* intOf(call, 'axis', 1),
    filled[0] === undefined ? first.length : shapeOf(call, filled[0]).length,
  );
  return [yield* concat(call, filled.length === 0 ? values : filled, axis)];
};

const Expand: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = [...(yield* constantOf(call, yield* operand(call, 1), 'the shape'))];
  return [yield* expand(call, x, yield* held(broadcastShapes([shapeOf(call, x), shape])))];
};

/** Repeats are dimensions of their own in front of each dimension: broadcast, then joined with it. */
const Tile: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const repeats = [...(yield* constantOf(call, yield* operand(call, 1), 'the number of repeats'))];
  if (repeats.length !== shape.length) return yield* wrong(`${show(repeats)} does not fit ${show(shape)}`);
  const apart = yield* reshape(
    call,
    x,
    shape.flatMap((size) => [1, size]),
  );
  const repeated = yield* expand(
    call,
    apart,
    shape.flatMap((size, d) => [repeats[d]!, size]),
  );
  return [
    yield* reshape(
      call,
      repeated,
      shape.map((size, d) => repeats[d]! * size),
    ),
  ];
};

/** [N, C, H, W] with the parts of the channels and of the blocks apart, moved, and joined again. */
const DepthToSpace: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const [n = 0, c = 0, h = 0, w = 0, ...more] = shapeOf(call, x);
  const block = yield* intOf(call, 'blocksize', 0);
  const depth = c / (block * block);
  if (more.length > 0 || !Number.isInteger(depth) || h === 0 || w === 0)
    return yield* wrong(`blocks of ${block} do not fit ${show(shapeOf(call, x))}`);
  const columns = (yield* stringOf(call, 'mode', 'DCR')) === 'CRD';
  const apart = yield* reshape(
    call,
    x,
    columns ? [n, depth, block, block, h, w] : [n, block, block, depth, h, w],
  );
  const turned = yield* transpose(call, apart, columns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return [yield* reshape(call, turned, [n, depth, h * block, w * block])];
};

const SpaceToDepth: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const [n = 0, c = 0, h = 0, w = 0, ...more] = shapeOf(call, x);
  const block = yield* intOf(call, 'blocksize', 0);
  if (more.length > 0 || h % block !== 0 || w % block !== 0 || block < 1)
    return yield* wrong(`blocks of ${block} do not fit ${show(shapeOf(call, x))}`);
  const apart = yield* reshape(call, x, [n, c, h / block, block, w / block, block]);
  const turned = yield* transpose(call, apart, [0, 3, 5, 1, 2, 4]);
  return [yield* reshape(call, turned, [n, c * block * block, h / block, w / block])];
};

export const LAYOUT: Conversions = {
  Concat,
  DepthToSpace,
  Dropout,
  Expand,
  Flatten,
  Identity,
  Reshape,
  Slice,
  SpaceToDepth,
  Split,
  Squeeze,
  Tile,
  Transpose,
  Unsqueeze,
};
