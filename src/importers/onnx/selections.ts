/** Ops of ONNX whose elements are chosen by constants: paddings, triangles, masks. */
import { sizeOfShape, stridesOf } from '../../tensor/program.js';
import {
  axesIn,
  axisIn,
  type Conversion,
  type Conversions,
  constantOf,
  floatOf,
  intOf,
  makeable,
  numbersOf,
  operand,
  pad,
  pick,
  scalar,
  shapeOf,
  show,
  stringOf,
  typeOf,
  wrong,
} from './call.js';
import { counting, outerIndex, within } from './indices.js';
import { listOf } from './layout.js';

/** Which element of a dimension stands at each place of the padded one. */
const paddedIndex = (size: number, before: number, after: number, mode: string): ReadonlyArray<number> =>
  Array.from({ length: size + before + after }, (_, k) => {
    const i = k - before;
    if (mode === 'edge') return Math.min(Math.max(i, 0), size - 1);
    const modulo = (x: number, n: number): number => x - Math.floor(x / n) * n;
    if (mode === 'wrap') return modulo(i, size);
    const period = Math.max(1, 2 * (size - 1));
    const at = modulo(i, period);
    return at < size ? at : period - at;
  });

const Pad: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const rank = shape.length;
  const pads = (yield* listOf(call, 'pads', 1)) ?? (yield* wrong('it has no pads'));
  const axes = yield* axesIn((yield* numbersOf(call, 3, 'the axes')) ?? counting(rank), rank);
  if (pads.length !== 2 * axes.length) return yield* wrong(`${show(pads)} does not fit ${show(shape)}`);
  const mode = yield* stringOf(call, 'mode', 'constant');
  const side = (k: number): ReadonlyArray<number> =>
    shape.map((_, d) => (axes.includes(d) ? pads[axes.indexOf(d) + k * axes.length]! : 0));
  const before = side(0);
  const to = shape.map((size, d) => size + before[d]! + side(1)[d]!);
  yield* makeable(to);
  if (mode === 'constant') {
    const value = (yield* numbersOf(call, 2, 'the value'))?.[0] ?? (yield* floatOf(call, 'value', 0));
    return [yield* pad(call, x, before, to, value)];
  }
  if (!['reflect', 'edge', 'wrap'].includes(mode)) return yield* wrong(`its mode is "${mode}"`);
  const lists = shape.map((size, d) => paddedIndex(size, before[d]!, side(1)[d]!, mode));
  return [yield* pick(call, [x], outerIndex(lists, stridesOf(shape)), to)];
};

/** The upper or lower triangle of the last two dimensions, zeros elsewhere. */
const Trilu: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const { shape } = typeOf(call, x);
  const k = (yield* numbersOf(call, 1, 'the diagonal'))?.[0] ?? 0;
  const upper = (yield* intOf(call, 'upper', 1)) !== 0;
  const [rows = 1, columns = 1] = shape.slice(-2);
  const size = sizeOfShape(shape);
  const index = Int32Array.from(counting(size), (e) => {
    const above = (e % columns) - (Math.floor(e / columns) % rows) - k;
    return (upper ? above >= 0 : above <= 0) ? e : size;
  });
  return [yield* pick(call, [x, yield* scalar(call, 0, x)], index, shape)];
};

const Compress: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const condition = yield* constantOf(call, yield* operand(call, 1), 'the shape of the result');
  const chosen = [...condition].flatMap((c, k) => (c === 0 ? [] : [k]));
  const flat = !call.node.attributes.has('axis');
  const from = flat ? [sizeOfShape(shape)] : shape;
  const axis = flat ? 0 : yield* axisIn(yield* intOf(call, 'axis', 0), shape.length);
  const list = yield* within(chosen, from[axis] ?? 1);
  const lists = from.map((size, d) => (d === axis ? list : counting(size)));
  return [
    yield* pick(
      call,
      [x],
      outerIndex(lists, stridesOf(from)),
      lists.map((l) => l.length),
    ),
  ];
};

export const SELECTIONS: Conversions = { Compress, Pad, Trilu };
