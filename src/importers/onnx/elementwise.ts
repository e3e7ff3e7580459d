/** Ops of ONNX that are scalar functions of their operands. */
import type { ScalarFunction } from '../../numeric/scalar.js';
import type { ValueId } from '../../tensor/program.js';
import {
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  floatOf,
  intOf,
  map,
  opaque,
  operand,
  scalar,
  typeOf,
  wrong,
} from './call.js';

const unary = (fn: ScalarFunction): Conversion =>
  function* (call) {
    return [yield* map(call, fn, yield* operand(call, 0))];
  };

const binary = (fn: ScalarFunction): Conversion =>
  function* (call) {
    return [yield* map(call, fn, yield* operand(call, 0), yield* operand(call, 1))];
  };

/** All operands joined by a function of two. */
function* foldedOperands(call: Call, fn: ScalarFunction): Building<ValueId> {
  let value = yield* operand(call, 0);
  for (let k = 1; k < call.operands.length; k++) value = yield* map(call, fn, value, yield* operand(call, k));
  return value;
}

const variadic = (fn: ScalarFunction): Conversion =>
  function* (call) {
    return [yield* foldedOperands(call, fn)];
  };

/** Division; of integers towards zero, where dividing doubles and cutting is exact below 2^53. */
const Div: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const quotient = yield* map(call, 'div', x, yield* operand(call, 1));
  return [typeOf(call, x).dtype === 'int' ? yield* map(call, 'trunc', quotient) : quotient];
};

/** The result has the type of the base: of an integer it is cut to one. */
const Pow: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const y = yield* operand(call, 1);
  const result = yield* map(call, 'pow', x, y);
  const cuts = typeOf(call, x).dtype === 'int' && typeOf(call, y).dtype === 'f32';
  return [cuts ? yield* map(call, 'trunc', result) : result];
};

const Mean: Conversion = function* (call) {
  const sum = yield* foldedOperands(call, 'add');
  return [yield* map(call, 'div', sum, yield* scalar(call, call.operands.length))];
};

const Mod: Conversion = function* (call) {
  const fmod = yield* intOf(call, 'fmod', 0);
  const x = yield* operand(call, 0);
  if (fmod === 0 && typeOf(call, x).dtype === 'f32')
    return yield* wrong('it takes the remainder of floats with fmod=0', 'fmod=1 for floats');
  return [yield* map(call, fmod === 0 ? 'mod' : 'fmod', x, yield* operand(call, 1))];
};

const Where: Conversion = function* (call) {
  return [
    yield* map(call, 'where', yield* operand(call, 0), yield* operand(call, 1), yield* operand(call, 2)),
  ];
};

const IsInf: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const positive = (yield* intOf(call, 'detect_positive', 1)) !== 0;
  const negative = (yield* intOf(call, 'detect_negative', 1)) !== 0;
  if (positive && negative) return [yield* map(call, 'is-inf', x)];
  if (!positive && !negative) {
    const never = yield* map(call, 'is-inf', x);
    return [yield* map(call, 'and', never, yield* map(call, 'not', never))];
  }
  const infinity = positive ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return [yield* map(call, 'eq', x, yield* scalar(call, infinity))];
};

/** Before opset 11 the bounds are attributes, then inputs, either of which may be left out. */
const Clip: Conversion = function* (call) {
  let value = yield* operand(call, 0);
  const old = call.opset < 11;
  for (const [k, name, fn] of [[1, 'min', 'max'] as const, [2, 'max', 'min'] as const]) {
    const attribute = call.node.attributes.has(name) ? yield* floatOf(call, name, 0) : undefined;
    const bound = old
      ? attribute === undefined
        ? undefined
        : yield* scalar(call, attribute, value)
      : call.operands[k];
    if (bound !== undefined) value = yield* map(call, fn, value, bound);
  }
  return [value];
};

const bits: Conversion = function* (call) {
  return yield* opaque(`${call.node.op} works on the bits of integers`);
};

const BitwiseNot: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  return [yield* map(call, 'sub', yield* scalar(call, -1, x), x)];
};

export const ELEMENTWISE: Conversions = {
  Abs: unary('abs'),
  Acos: unary('acos'),
  Acosh: unary('acosh'),
  Asin: unary('asin'),
  Asinh: unary('asinh'),
  Atan: unary('atan'),
  Atanh: unary('atanh'),
  Ceil: unary('ceil'),
  Cos: unary('cos'),
  Cosh: unary('cosh'),
  Erf: unary('erf'),
  Exp: unary('exp'),
  Floor: unary('floor'),
  IsNaN: unary('is-nan'),
  Log: unary('log'),
  Neg: unary('neg'),
  Not: unary('not'),
  Reciprocal: unary('reciprocal'),
  Relu: unary('relu'),
  Round: unary('round'),
  Sigmoid: unary('sigmoid'),
  Sign: unary('sign'),
  Sin: unary('sin'),
  Sinh: unary('sinh'),
  Softplus: unary('softplus'),
  Sqrt: unary('sqrt'),
  Tan: unary('tan'),
  Tanh: unary('tanh'),
  Add: binary('add'),
  And: binary('and'),
  Mul: binary('mul'),
  Or: binary('or'),
  Sub: binary('sub'),
  Xor: binary('xor'),
  PRelu: binary('prelu'),
  Equal: binary('eq'),
  Greater: binary('gt'),
  GreaterOrEqual: binary('ge'),
  Less: binary('lt'),
  LessOrEqual: binary('le'),
  Max: variadic('max'),
  Min: variadic('min'),
  Sum: variadic('add'),
  BitShift: bits,
  BitwiseAnd: bits,
  BitwiseOr: bits,
  BitwiseXor: bits,
  BitwiseNot,
  Clip,
  Div,
  IsInf,
  Mean,
  Mod,
  Pow,
  Where,
};
