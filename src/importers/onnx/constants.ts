/** Ops of ONNX whose results are constants here: what they say of shapes, and numbers made of numbers. */

import type { DType, ValueId } from '../../tensor/program.js';
import { type Shape, sizeOfShape } from '../../tensor/program.js';
import { broadcastShapes } from '../../tensor/shapes.js';
import {
  axisIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  cast,
  constant,
  constantOf,
  dtypeOf,
  floatOf,
  floatsOf,
  held,
  intOf,
  intsOf,
  makeable,
  map,
  opaque,
  operand,
  reshape,
  scalar,
  shapeOf,
  tensorOf,
  typeOf,
  wrong,
} from './call.js';

const Constant: Conversion = function* (call) {
  const tensor = yield* tensorOf(call, 'value');
  if (tensor !== undefined)
    return [yield* constant(call, tensor.data, tensor.shape, dtypeOf(tensor.element))];
  const { attributes } = call.node;
  if (attributes.has('value_float')) return [yield* scalar(call, yield* floatOf(call, 'value_float', 0))];
  if (attributes.has('value_int'))
    return [yield* constant(call, [yield* intOf(call, 'value_int', 0)], [], 'int')];
  const floats = yield* floatsOf(call, 'value_floats');
  if (floats !== undefined) return [yield* constant(call, floats, [floats.length])];
  const ints = yield* intsOf(call, 'value_ints');
  if (ints !== undefined) return [yield* constant(call, ints, [ints.length], 'int')];
  return yield* opaque('the constant is neither numbers nor a tensor of them');
};

const ShapeOf: Conversion = function* (call) {
  const shape = shapeOf(call, yield* operand(call, 0));
  const at = (k: number): number => Math.min(Math.max(k < 0 ? k + shape.length : k, 0), shape.length);
  const start = at(yield* intOf(call, 'start', 0));
  const end = at(yield* intOf(call, 'end', shape.length));
  const sizes = shape.slice(start, end);
  return [yield* constant(call, sizes, [sizes.length], 'int')];
};

const Size: Conversion = function* (call) {
  return [yield* constant(call, [sizeOfShape(shapeOf(call, yield* operand(call, 0)))], [], 'int')];
};

/** The size of a constant, checked before it is made: a file can ask for any number of elements in a few bytes. */
function* checkedSize(shape: Shape): Building<number> {
  yield* makeable(shape);
  return sizeOfShape(shape);
}

function* filled(call: Call, shape: Shape, value: number, dtype: DType): Building<ValueId> {
  return yield* constant(call, new Float64Array(yield* checkedSize(shape)).fill(value), shape, dtype);
}

const ConstantOfShape: Conversion = function* (call) {
  const shape = [...(yield* constantOf(call, yield* operand(call, 0), 'the shape'))];
  const value = yield* tensorOf(call, 'value');
  return [
    yield* filled(call, shape, value?.data[0] ?? 0, value === undefined ? 'f32' : dtypeOf(value.element)),
  ];
};

const Range: Conversion = function* (call) {
  const first = yield* operand(call, 0);
  const [start = 0] = yield* constantOf(call, first, 'the start');
  const [limit = 0] = yield* constantOf(call, yield* operand(call, 1), 'the limit');
  const [delta = 1] = yield* constantOf(call, yield* operand(call, 2), 'the step');
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const size = yield* checkedSize([count]);
  const data = Float64Array.from({ length: size }, (_, k) => start + k * delta);
  return [yield* constant(call, data, [size], typeOf(call, first).dtype)];
};

/** Numbers of the types that ONNX gives numbers to. */
const DTYPES: Readonly<Record<number, DType>> = {
  1: 'f32',
  2: 'int',
  3: 'int',
  4: 'int',
  5: 'int',
  6: 'int',
  7: 'int',
  9: 'bool',
  10: 'f32',
  11: 'f32',
  12: 'int',
  13: 'int',
  16: 'f32',
};

function* dtypeOfNumber(number: number): Building<DType> {
  return (
    DTYPES[number] ?? (yield* opaque(`values of the type number ${number} of ONNX have no meaning here`))
  );
}

/** How many bits the integer types of less than 32 have, and whether they have a sign. */
const NARROW: Readonly<Record<number, { readonly bits: number; readonly signed: boolean }>> = {
  2: { bits: 8, signed: false },
  3: { bits: 8, signed: true },
  4: { bits: 16, signed: false },
  5: { bits: 16, signed: true },
};

const wrapped = (x: number, bits: number, signed: boolean): number => {
  const span = 2 ** bits;
  const low = x - Math.floor(x / span) * span;
  return signed && low >= span / 2 ? low - span : low;
};

/** Constants wrap around in narrow integers as they should; what varies has a meaning only where it cannot. */
const Cast: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const to = yield* intOf(call, 'to', 1);
  const value = yield* cast(call, x, yield* dtypeOfNumber(to));
  const narrow = NARROW[to];
  if (narrow === undefined || typeOf(call, x).dtype === 'bool') return [value];
  const data = call.builder.constantOf(value);
  if (data === undefined)
    return yield* opaque(`a conversion to integers of ${narrow.bits} bits wraps around`);
  const numbers = data.map((v) => wrapped(v, narrow.bits, narrow.signed));
  return [yield* constant(call, numbers, shapeOf(call, value), 'int')];
};

const CastLike: Conversion = function* (call) {
  return [yield* cast(call, yield* operand(call, 0), typeOf(call, yield* operand(call, 1)).dtype)];
};

const EyeLike: Conversion = function* (call) {
  const { shape, dtype } = typeOf(call, yield* operand(call, 0));
  const [rows = 0, columns = 0, ...more] = shape;
  if (shape.length !== 2 || more.length > 0) return yield* wrong('its operand is no matrix');
  const k = yield* intOf(call, 'k', 0);
  const to = call.node.attributes.has('dtype') ? yield* dtypeOfNumber(yield* intOf(call, 'dtype', 1)) : dtype;
  const ones = Float64Array.from({ length: rows * columns }, (_, e) =>
    (e % columns) - Math.floor(e / columns) === k ? 1 : 0,
  );
  return [yield* constant(call, ones, shape, to)];
};

const NonZero: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const shape = shapeOf(call, x);
  const data = yield* constantOf(call, x, 'the shape of the result');
  const found: number[] = [];
  for (let e = 0; e < data.length; e++) if (data[e] !== 0) found.push(e);
  const result = new Float64Array(shape.length * found.length);
  for (const [k, e] of found.entries()) {
    for (let d = shape.length - 1, rest = e; d >= 0; d--) {
      result[d * found.length + k] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
  }
  return [yield* constant(call, result, [shape.length, found.length], 'int')];
};

/** 1 where the number of a class is that of an element, along a new axis; between two values. */
const OneHot: Conversion = function* (call) {
  const indices = yield* operand(call, 0);
  const shape = shapeOf(call, indices);
  const depth = (yield* constantOf(call, yield* operand(call, 1), 'the number of classes'))[0] ?? 0;
  const values = yield* operand(call, 2);
  const pair = yield* constantOf(call, values, 'the pair of values');
  const dtype = typeOf(call, values).dtype;
  const axis = yield* axisIn(yield* intOf(call, 'axis', -1), shape.length, 1);
  const apart = yield* reshape(call, indices, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
  const classes = Array.from({ length: yield* checkedSize([depth]) }, (_, k) => k);
  const column = [depth, ...shape.slice(axis).map(() => 1)];
  const like = typeOf(call, indices).dtype;
  const here = yield* map(call, 'eq', apart, yield* constant(call, classes, column, like));
  const negative = classes.map((k) => k - depth);
  const behind = yield* map(call, 'eq', apart, yield* constant(call, negative, column, like));
  const on = yield* constant(call, [pair[1] ?? 1], [], dtype);
  const off = yield* constant(call, [pair[0] ?? 0], [], dtype);
  return [yield* map(call, 'where', yield* map(call, 'or', here, behind), on, off)];
};

/** (x - zero point) * scale, along an axis; of constants alone, which it is in files of quantized weights. */
const DequantizeLinear: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  yield* constantOf(call, x, 'what is dequantized');
  const shape = shapeOf(call, x);
  if ((yield* intOf(call, 'block_size', 0)) !== 0) return yield* opaque('it is quantized in blocks');
  const axis = yield* axisIn(yield* intOf(call, 'axis', 1), Math.max(shape.length, 2));
  const along = function* (value: ValueId): Building<ValueId> {
    const size = sizeOfShape(shapeOf(call, value));
    return yield* reshape(call, value, size === 1 ? [] : [size, ...shape.slice(axis + 1).map(() => 1)]);
  };
  const scale = yield* along(yield* operand(call, 1));
  const zero = call.operands[2];
  const centred = zero === undefined ? x : yield* map(call, 'sub', x, yield* along(zero));
  yield* held(broadcastShapes([shape, shapeOf(call, scale)]));
  return [yield* map(call, 'mul', yield* cast(call, centred, 'f32'), scale)];
};

export const CONSTANTS: Conversions = {
  Cast,
  CastLike,
  Constant,
  ConstantOfShape,
  DequantizeLinear,
  EyeLike,
  NonZero,
  OneHot,
  Range,
  Shape: ShapeOf,
  Size,
};
