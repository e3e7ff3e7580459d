/** Resize and Upsample: places picked, or a matrix for each dimension that changes. */
import { type Shape, stridesOf, type ValueId } from '../../tensor/program.js';
import {
  axesIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  constant,
  contract,
  floatOf,
  floatsOf,
  intOf,
  intsOf,
  makeable,
  numbersOf,
  opaque,
  operand,
  pick,
  shapeOf,
  show,
  stringOf,
  wrong,
} from './call.js';
import { counting, outerIndex } from './indices.js';

/** One dimension that is resized. */
interface Axis {
  readonly size: number;
  readonly count: number;
  readonly scale: number;
}

/** The place in the operand of each place in the result. */
const COORDINATES: Readonly<Record<string, (x: number, a: Axis) => number>> = {
  half_pixel: (x, { scale }) => (x + 0.5) / scale - 0.5,
  half_pixel_symmetric: (x, { size, count, scale }) =>
    (size / 2) * (1 - count / (scale * size)) + (x + 0.5) / scale - 0.5,
  pytorch_half_pixel: (x, { count, scale }) => (count > 1 ? (x + 0.5) / scale - 0.5 : 0),
  align_corners: (x, { size, count }) => (count === 1 ? 0 : (x * (size - 1)) / (count - 1)),
  asymmetric: (x, { scale }) => x / scale,
};

const ROUNDINGS: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const clamped = (x: number, size: number): number => Math.min(Math.max(x, 0), size - 1);

/** The weights of the neighbours from floor(x) - 1 on of a place, at a distance t behind floor(x) (Keys 1981). */
const cubic = (t: number, a: number): ReadonlyArray<number> => {
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
};

interface Method {
  readonly place: (x: number, a: Axis) => number;
  readonly mode: string;
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
}

/** Row k has the weights of the operand's elements for element k of the result. */
const matrixOf = (axis: Axis, { place, mode, cubicCoefficient, excludeOutside }: Method): Float64Array => {
  const matrix = new Float64Array(axis.count * axis.size);
  for (let k = 0; k < axis.count; k++) {
    const x = place(k, axis);
    const at = mode === 'linear' ? clamped(x, axis.size) : x;
    const first = Math.floor(at);
    const t = at - first;
    const from = mode === 'linear' ? first : first - 1;
    const weights = mode === 'linear' ? [1 - t, t] : cubic(t, cubicCoefficient);
    const counted = weights.map((w, i) =>
      excludeOutside && clamped(from + i, axis.size) !== from + i ? 0 : w,
    );
    const sum = excludeOutside ? counted.reduce((s, w) => s + w, 0) : 1;
    for (const [i, w] of counted.entries()) matrix[k * axis.size + clamped(from + i, axis.size)]! += w / sum;
  }
  return matrix;
};

/** The sizes and scales of all dimensions; undefined where neither is given. */
function* axesOf(call: Call, shape: Shape): Building<ReadonlyArray<Axis>> {
  const old = call.opset < 11 || call.node.op === 'Upsample';
  const named = yield* intsOf(call, 'axes');
  const axes = named === undefined ? counting(shape.length) : yield* axesIn(named, shape.length);
  const given = (list: ReadonlyArray<number> | undefined): ReadonlyArray<number> | undefined =>
    list === undefined || list.length === 0 ? undefined : list;
  const scales = given(
    (yield* floatsOf(call, 'scales')) ?? (yield* numbersOf(call, old ? 1 : 2, 'the scale')),
  );
  const sizes = old ? undefined : given(yield* numbersOf(call, 3, 'the size'));
  const list = sizes ?? scales;
  if (list?.length !== axes.length) return yield* wrong(`sizes or scales for ${show(shape)} are missing`);
  if ((yield* stringOf(call, 'keep_aspect_ratio_policy', 'stretch')) !== 'stretch')
    return yield* opaque('it keeps the ratio of sides by a policy');
  return shape.map((size, d) => {
    const k = axes.indexOf(d);
    const value = list[k];
    if (value === undefined) return { size, count: size, scale: 1 };
    return sizes === undefined
      ? { size, count: Math.floor(size * value), scale: value }
      : { size, count: value, scale: value / size };
  });
}

function* interpolated(call: Call, x: ValueId, axes: ReadonlyArray<Axis>, method: Method): Building<ValueId> {
  const letters = 'abcdefghijklmnopqrstuvwxy'.slice(0, axes.length);
  let value = x;
  for (const [d, axis] of axes.entries()) {
    if (axis.count === axis.size && axis.scale === 1) continue;
    const matrix = yield* constant(call, matrixOf(axis, method), [axis.count, axis.size]);
    const letter = letters[d] ?? 'a';
    value = yield* contract(call, `${letters},z${letter}->${letters.replace(letter, 'z')}`, value, matrix);
  }
  return value;
}

const Resize: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const old = call.opset < 11 || call.node.op === 'Upsample';
  const axes = yield* axesOf(call, shape);
  yield* makeable(axes.map((a) => a.count));
  for (const { size, count } of axes) yield* makeable([size, count]);
  const mode = yield* stringOf(call, 'mode', 'nearest');
  const transformation = yield* stringOf(
    call,
    'coordinate_transformation_mode',
    old ? 'asymmetric' : 'half_pixel',
  );
  const place = COORDINATES[transformation] ?? (yield* opaque(`it places elements by "${transformation}"`));
  if ((yield* intOf(call, 'antialias', 0)) !== 0) return yield* opaque('it smooths before it makes smaller');
  if (mode === 'linear' || mode === 'cubic') {
    const cubicCoefficient = yield* floatOf(call, 'cubic_coeff_a', -0.75);
    const excludeOutside = mode === 'cubic' && (yield* intOf(call, 'exclude_outside', 0)) !== 0;
    return [yield* interpolated(call, x, axes, { place, mode, cubicCoefficient, excludeOutside })];
  }
  if (mode !== 'nearest') return yield* wrong(`its mode is "${mode}"`, '"nearest", "linear" or "cubic"');
  const rounding = yield* stringOf(call, 'nearest_mode', old ? 'floor' : 'round_prefer_floor');
  const round = ROUNDINGS[rounding] ?? (yield* wrong(`nearest_mode is "${rounding}"`));
  const lists = axes.map((axis) =>
    counting(axis.count).map((k) => (axis.scale === 1 ? k : clamped(round(place(k, axis)), axis.size))),
  );
  const index = outerIndex(lists, stridesOf(shape));
  return [
    yield* pick(
      call,
      [x],
      index,
      axes.map((a) => a.count),
    ),
  ];
};

export const RESIZE: Conversions = { Resize, Upsample: Resize };
